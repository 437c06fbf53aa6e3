package integration

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/trueup/trueup/internal/testenv"
)

// writesLimit is how many writes to the target a fixer may have at once.
func writesLimit(s *service) string {
	_, metrics := s.get("/metrics")
	for line := range strings.Lines(metrics) {
		if text, found := strings.CutPrefix(line, `trueup_governor_statements{side="target",state="limit",use="writes"} `); found {
			return strings.TrimSpace(text)
		}
	}
	return "unknown"
}

func TestFixersShareTheBudgetOfADatabaseAsTheyComeAndDie(t *testing.T) {
	const rows = 600
	w := newWorld(t, direction{maria, postgres}, strings.Replace(ordersPair, "{name: orders", "{breaker: {share: off}, name: orders", 1)+
		"\ngovernor: {source: {adapt: false, concurrency: 6}, target: {adapt: false, concurrency: 6}}")
	w.direction.source.fill(t, w.source, "orders", 1, rows)
	w.direction.target.fill(t, w.target, "orders", 1, rows)
	testenv.Exec(t, w.target, "UPDATE orders SET state = 'damaged'")
	w.must(1, "validator", "--config", w.config, "--once")

	// Rows that somebody holds keep the fixers trying.
	foreign := testenv.Open(t, w.target)
	tx, err := foreign.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "SELECT * FROM orders FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	fixers := []*service{start(t, "fixer", "--config", w.config), start(t, "fixer", "--config", w.config)}
	limits := func(want ...string) {
		t.Helper()
		eventually(t, func() (bool, string) {
			var got []string
			for _, f := range fixers {
				got = append(got, writesLimit(f))
			}
			return fmt.Sprint(got) == fmt.Sprint(want), fmt.Sprintf("limits of writes are %v, want %v", got, want)
		})
	}
	limits("3", "3")
	fixers[1].kill(syscall.SIGKILL)
	fixers = fixers[:1]
	limits("6")
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() (bool, string) { // the dead one's share of them, too
		var n int
		err := foreign.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM orders WHERE state = 'damaged'").Scan(&n)
		return err == nil && n == 0, fmt.Sprintf("%d rows are not repaired, %v", n, err)
	})
	w.must(0, "validator", "--config", w.config, "--once")
	limits("0") // nothing to do
	if status := fixers[0].stop(); status != 0 {
		t.Errorf("the fixer stopped with status %d", status)
	}
}

func TestWhatCalibrateProposesIsConfiguration(t *testing.T) {
	const patient = "{limits: {threads: 100000, lock_waits: 100000, connections: 100, replica_lag: 0s}}" // other tests use the servers, too
	w := newWorld(t, direction{postgres, maria}, ordersPair+"\ngovernor: {source: "+patient+", target: "+patient+"}")
	w.direction.source.fill(t, w.source, "orders", 1, 2000)
	w.direction.target.fill(t, w.target, "orders", 1, 2000)
	calibrate := []string{"governor", "calibrate", "--config", w.config, "--for", "6s", "--keep", filepath.Join(t.TempDir(), "load.jsonl")}
	w.must(0, "trueup", calibrate...)
	proposal := w.must(0, "trueup", calibrate...) // of both hours
	source, target, both := strings.Cut(proposal, "  target:\n")
	for _, side := range []string{source, target} {
		if !both || !containsAll(side, []string{"    limits:\n", "      canary: ", "      per_row: ", "      lock_waits: ", "    # canary, 6 s from "}) {
			t.Fatalf("the proposal is incomplete:\n%s", proposal)
		}
		if n := strings.Count(side, "# per_row"); n != 2 {
			t.Errorf("%d hours are told of", n)
		}
	}
	w.configure(w.source, w.target, ordersPair+"\n"+proposal)
	out := w.must(0, "trueup", "governor", "watch", "--config", w.config, "--once", "--json")
	if !containsAll(out, []string{`"governor":"source reads"`, `"signal":"canary"`}) {
		t.Errorf("watch printed %s", out)
	}
}
