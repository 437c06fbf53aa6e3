package validate

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trueup/trueup/pkg/checkpoint"
	"github.com/trueup/trueup/pkg/schema"
)

// TestARunStopsWhereTooManyRowsDiffer and says why; what it has found is published.
func TestARunStopsWhereTooManyRowsDiffer(t *testing.T) {
	const rows = 24_000
	for name, c := range map[string]struct {
		missing  func(id int) bool
		estimate int64
		share    float64
		stops    bool
	}{
		"a quarter":                             {func(id int) bool { return id%4 == 0 }, rows, 0.2, true},
		"a tenth":                               {func(id int) bool { return id%10 == 0 }, rows, 0.2, false},
		"a quarter, without limit":              {func(id int) bool { return id%4 == 0 }, rows, 0, false},
		"all, with a limit of all":              {func(int) bool { return true }, rows, 1, false},
		"few that stand together":               {func(id int) bool { return id <= 1500 }, rows, 0.2, false},
		"many at the start of little":           {func(id int) bool { return id <= 9000 }, rows, 0.2, true},
		"as many at the start of a large table": {func(id int) bool { return id <= 9000 }, 100 * rows, 0.2, false},
	} {
		for _, confirm := range []time.Duration{0, time.Second} {
			synctest.Test(t, func(t *testing.T) {
				a, r := newTable(orders(1, rows)...), newTable(orders(1, rows)...)
				for id := range rows {
					if c.missing(id + 1) {
						r.remove(id + 1)
					}
				}
				b := newBench(t, a, r, schema.Merge).rangesOf(500)
				b.run.MaxShare, b.run.Confirm = c.share, confirm
				b.run.Pair.Source.Table.Rows = c.estimate
				v := b.verdict()
				if v.Complete == c.stops || v.Clean {
					t.Errorf("%s, confirm %v: %+v", name, confirm, v)
				}
				if n := len(b.published.list()); int64(n) != v.Findings() || n == 0 {
					t.Errorf("%s, confirm %v: %d published, %d in the verdict", name, confirm, n, v.Findings())
				}
				if c.stops && (!strings.Contains(v.Reason, "max_mismatch_share") || v.SourceRows < shareRows || v.SourceRows == rows && confirm == 0) {
					t.Errorf("%s, confirm %v: %d rows, %s", name, confirm, v.SourceRows, v.Reason)
				}
			})
		}
	}
}

// TestARunAfterOneThatStoppedForItsShareBeginsAnew: what that one had found stands
// for rows that somebody may have put right since, and would stop it again at once.
func TestARunAfterOneThatStoppedForItsShareBeginsAnew(t *testing.T) {
	const rows = 24_000
	synctest.Test(t, func(t *testing.T) {
		a, r := newTable(orders(1, rows)...), newTable()
		b := newBench(t, a, r, schema.Merge).rangesOf(500)
		b.run.MaxShare, b.run.Checkpoint = 0.2, "full/orders"
		b.ports.Checkpoints = &checkpoint.Memory{}
		if v := b.verdict(); v.Complete || !strings.Contains(v.Reason, "max_mismatch_share") {
			t.Fatalf("%+v", v)
		}
		for _, o := range orders(1, rows) {
			r.put(o)
		}
		if v := b.verdict(); !v.Clean || v.Resumed {
			t.Errorf("%+v", v)
		}
	})
}
