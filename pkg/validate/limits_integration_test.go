package validate_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/pkg/validate"
)

// TestAServerWithSmallLimits compares with a server whose packets hold a few
// rows: asked for digests by name it refuses and says what to set; by itself it
// reads, even a row larger than a packet.
func TestAServerWithSmallLimits(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a real server of its own, which -short leaves out")
	}
	if !testenv.HasPrivate(mysql.name) {
		t.Skip("needs a server of its own, whose programs are not installed here")
	}
	const packet = 4096
	server := testenv.NewPrivate(t, mysql.name, fmt.Sprintf("--max-allowed-packet=%d", packet), "--net-buffer-length=4096")
	small := mysql
	small.create = func(testing.TB) string { return server.URL() }
	l := newLive(t, [2]engine{postgres, small})
	testenv.Exec(t, l.sourceURL, l.source.insert(sequence(1, 2000)...))
	for from := 1; from <= 2000; from += 20 {
		testenv.Exec(t, l.copyURL, l.target.insert(sequence(from, from+19)...))
	}
	for _, url := range []string{l.sourceURL, l.copyURL} {
		testenv.Exec(t, url, "UPDATE orders SET name = repeat('y', 60)")
	}
	testenv.Exec(t, l.copyURL, "DELETE FROM orders WHERE id IN (5, 1905)")
	damage := []string{"target_missing 1905", "target_missing 5"}

	pair := l.pair(schema.Checksum)
	v, found, err := l.troubled(validate.Config{}, pair, func() {})
	var refused *database.Error
	if !errors.As(err, &refused) || v.Complete || !containsEach(v.Reason, "method checksum", fmt.Sprintf("max_allowed_packet is %d bytes", packet), "raise max_allowed_packet", "merge") {
		t.Errorf("by digests: %+v, %q, %v", v, found, err)
	}
	pair.Insisted = false
	if v, found, err = l.troubled(validate.Config{}, pair, func() {}); err != nil || !v.Complete || !slices.Equal(found, damage) {
		t.Errorf("by itself: %+v, %q, %v", v, found, err)
	}
	// A row that no packet holds is read all the same.
	testenv.Exec(t, l.copyURL, "ALTER TABLE orders MODIFY name LONGTEXT, ADD more LONGTEXT", "UPDATE orders SET name = REPEAT('x', 3000) WHERE id = 777", "UPDATE orders SET more = CONCAT(name, '.')")
	testenv.Exec(t, l.sourceURL, "ALTER TABLE orders ALTER name TYPE TEXT, ADD more TEXT", "UPDATE orders SET name = repeat('x', 3000) WHERE id = 777", "UPDATE orders SET more = name || CASE id WHEN 777 THEN ',' ELSE '.' END")
	pair = l.pair(schema.Checksum)
	pair.Insisted = false
	for _, method := range []schema.Method{schema.Checksum, schema.Merge, schema.Lookup} {
		pair.Method = method
		v, found, err = l.troubled(validate.Config{}, pair, func() {})
		if err != nil || !v.Complete || !slices.Equal(found, append([]string{"neq 777"}, damage...)) {
			t.Errorf("a row larger than a packet, by %s: %+v, %q, %v", method, v, found, err)
		}
	}
}

func containsEach(text string, parts ...string) bool {
	return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(text, part) })
}
