package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/trueup/trueup/internal/testenv"
)

// TestFixStopsAtTheLimitsItIsGiven has ten rows too many and ten that differ.
func TestFixStopsAtTheLimitsItIsGiven(t *testing.T) {
	for _, engine := range []string{"mysql", "postgres"} {
		for _, c := range []struct {
			flags             []string
			status, left, say int
			limit             string
		}{
			{[]string{"--max-deletes", "3"}, 1, 7, 1, "deletes allows 3"},
			{[]string{"--max-per-minute", "15"}, 1, 5, 1, "per_minute allows 15"},
			{[]string{"--max-deletes", "off", "--max-share", "off", "--max-per-minute", "off"}, 0, 0, 0, "breaker"},
			{nil, 0, 0, 0, "breaker"},
		} {
			t.Run(engine+" "+strings.Join(c.flags, " "), func(t *testing.T) {
				source, target := testenv.MySQL(t), engines[engine](t)
				for dsn, n := range map[string][2]int{source: {20, 1}, target: {30, 2}} {
					testenv.Exec(t, dsn, "CREATE TABLE orders (id BIGINT PRIMARY KEY, n INT)")
					for id := range n[0] {
						testenv.Exec(t, dsn, fmt.Sprintf("INSERT INTO orders VALUES (%d, %d)", id, map[bool]int{true: n[1]}[id < 10]))
					}
				}
				args := append([]string{"fix", source, target, "orders", "--confirm", "0", "--quiet", "--method", "merge"}, c.flags...)
				status, stdout, stderr := trueup(t, args...)
				if status != c.status || strings.Count(stdout, c.limit) != c.say {
					t.Errorf("status %d, want %d and a word of %q\n%s%s", status, c.status, c.limit, stdout, stderr)
				}
				// The rows that differ come first, in the order of the key, as they are read.
				extra, wrong := count(t, target, "orders WHERE id >= 20"), count(t, target, "orders WHERE n = 2")
				if extra != c.left || wrong != 0 {
					t.Errorf("%d rows too many and %d that differ are left, want %d and none", extra, wrong, c.left)
				}
			})
		}
	}
}

func TestALimitThatIsNoneIsRefused(t *testing.T) {
	for args, want := range map[string]string{
		"--max-deletes many":     `--max-deletes: "many" is no limit`,
		"--max-share 5000":       "share is a share of the table",
		"--max-per-minute 5%":    "per_minute is a number of rows",
		"--max-share -5% --json": "is no limit",
	} {
		status, _, stderr := trueup(t, append([]string{"fix", "mysql://a/b", "mysql://c/d", "orders"}, strings.Fields(args)...)...)
		if status != statusTrouble || !strings.Contains(stderr, want) {
			t.Errorf("%s: status %d, %s", args, status, stderr)
		}
	}
}
