package validate

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// reading counts the rows both methods of reading a range cost: those digested
// and those sent.
type reading struct {
	*table
	digested, sent int64
}

func (r *reading) Digest(ctx context.Context, v *schema.View, bounds row.Range) (row.Digest, error) {
	d, err := r.table.Digest(ctx, v, bounds)
	r.digested += d.Rows
	return d, err
}

func (r *reading) Rows(ctx context.Context, v *schema.View, bounds row.Range) (row.Cursor, error) {
	r.sent += int64(len(r.inRange(bounds)))
	return r.table.Rows(ctx, v, bounds)
}

func TestDrillingDownCostsWhatItSaves(t *testing.T) {
	const rows = 10_000
	for name, test := range map[string]struct {
		damaged        func(id int) bool
		digested, sent float64 // in tables
	}{
		"nothing differs":     {func(int) bool { return false }, 1, 0},
		"one row differs":     {func(id int) bool { return id == 7777 }, 2.2, 0.02},
		"two rows far apart":  {func(id int) bool { return id == 7 || id == 7777 }, 2.3, 0.04},
		"every row differs":   {func(int) bool { return true }, 1.4, 1},
		"every 50th differs":  {func(id int) bool { return id%50 == 0 }, 1.4, 1},
		"the last row":        {func(id int) bool { return id == rows }, 2.2, 0.02},
		"a block of a tenth":  {func(id int) bool { return id > 5000 && id <= 6000 }, 2.4, 0.3},
		"the copy lacks half": {nil, 1.4, 1},
	} {
		a, c := newTable(orders(1, rows)...), newTable(orders(1, rows)...)
		want := 0
		for id := 1; id <= rows; id++ {
			switch {
			case test.damaged == nil && id > rows/2:
				c.remove(id)
			case test.damaged != nil && test.damaged(id):
				c.put(order(id, "damaged", 0))
			default:
				continue
			}
			want++
		}
		b := newBench(t, a, c, schema.Checksum).rangesOf(rows + 1)
		b.config.DrillRows, b.config.Threads = 200, 1
		counted := &reading{table: a}
		validator := b.validator()
		validator.source = counted
		if _, err := validator.Run(t.Context(), b.run); err != nil {
			t.Fatal(err)
		}
		if n := len(b.published.list()); n != want {
			t.Errorf("%s: %d findings, want %d", name, n, want)
		}
		digested, sent := float64(counted.digested)/rows, float64(counted.sent)/rows
		if digested > test.digested || sent > test.sent {
			t.Errorf("%s: the table was digested %.2f times and sent %.3f times, want %.2f and %.3f at most",
				name, digested, sent, test.digested, test.sent)
		}
	}
}

func TestDenseDamageIsReadWithoutDigestsUntilItEnds(t *testing.T) {
	const rows = 10_000
	a, c := newTable(orders(1, rows)...), newTable(orders(1, rows)...)
	for id := 1; id <= rows/2; id++ {
		c.put(order(id, "damaged", 0))
	}
	b := newBench(t, a, c, schema.Checksum).rangesOf(500)
	b.config.DrillRows, b.config.Threads = 50, 1
	counted := &reading{table: a}
	validator := b.validator()
	validator.source = counted
	v, err := validator.Run(t.Context(), b.run)
	if err != nil || v.NotEqual != rows/2 {
		t.Fatalf("verdict %+v, %v", v, err)
	}
	// Two of the ten damaged ranges and nine of the ten others are digested,
	// and some parts; the other one of those is read to see that damage has ended.
	if counted.digested > 6500 || counted.sent > 5500 {
		t.Errorf("%d rows digested and %d sent", counted.digested, counted.sent)
	}
}

func TestACountWithoutADigestIsNoAgreement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, c := newTable(orders(1, 10)...), newTable(orders(11, 20)...)
		b := newBench(t, a, c, schema.Checksum)
		validator := b.validator()
		validator.source, validator.target = blank{a}, blank{c}
		v, err := validator.Run(t.Context(), b.run)
		if err != nil || v.Complete || v.Clean || !strings.Contains(v.Reason, "no digest") {
			t.Errorf("verdict %+v, %v", v, err)
		}
	})
}

// blank is a server that counts and does not digest.
type blank struct{ *table }

func (b blank) Digest(ctx context.Context, v *schema.View, r row.Range) (row.Digest, error) {
	d, err := b.table.Digest(ctx, v, r)
	d.Sum = ""
	return d, err
}

func TestWhatTheCopyHasBeyondTheAuthorityIsCutIntoRanges(t *testing.T) {
	for _, method := range []schema.Method{schema.Checksum, schema.Merge} {
		b := newBench(t, newTable(orders(1, 10)...), newTable(orders(1, 500)...), method).rangesOf(10)
		seen := &stages{}
		b.ports.Observer = seen
		b.verdict()
		for _, r := range seen.ranges {
			if r.TargetRows > 20 {
				t.Errorf("%s: the range %s holds %d rows of the copy", method, r.Range, r.TargetRows)
			}
		}
		want := []string{}
		for id := 11; id <= 500; id++ {
			want = append(want, fmt.Sprintf("base_missing %d", id))
		}
		equalSets(t, b.published.list(), want)
	}
}
