package validate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// shared is a table of which some rows are not the pair's: those of other shards.
type shared struct {
	*table
	others *table
}

func (s shared) of(v *schema.View) *table {
	if len(v.Within)+len(v.Outside) > 0 {
		return s.others
	}
	return s.table
}

func (s shared) Boundary(ctx context.Context, v *schema.View, after row.Key, n int) (row.Key, error) {
	return s.of(v).Boundary(ctx, v, after, n)
}

func (s shared) Count(ctx context.Context, v *schema.View) (int64, error) {
	return s.of(v).Count(ctx, v)
}

// sharing is a run over a target that others share.
func sharing(t *testing.T, others *table, change func(p *schema.Pair, v *schema.View)) (*bench, *Validator) {
	b := newBench(t, newTable(orders(1, 40)...), newTable(orders(1, 40)...), schema.Merge)
	view := b.run.Pair.Target
	view.Within = []*schema.View{{Where: "another's"}}
	change(b.run.Pair, &view)
	v := b.validator()
	v.target = shared{b.replica, others}
	return b, v
}

func asOutside(p *schema.Pair, v *schema.View) { p.Outside = v }

func asOverlap(p *schema.Pair, v *schema.View) { p.Overlap = v }

func TestRowsOfNoShardKeepAVerdictFromBeingClean(t *testing.T) {
	for n, says := range map[int]string{
		0: "",
		1: "1 row of the target belongs to no shard, such as (id = 1)",
		5: "5 rows of the target belong to no shard, such as (id = 1), (id = 2), (id = 3)",
	} {
		for _, mode := range []Mode{Full, Reverse} {
			b, v := sharing(t, newTable(orders(1, n)...), asOutside)
			b.run.Mode = mode
			verdict, err := v.Run(t.Context(), b.run)
			if err != nil || !verdict.Complete || verdict.Outside != int64(n) || verdict.Clean != (n == 0) || verdict.Findings() != 0 {
				t.Errorf("%d rows, %s: verdict %+v, %v", n, mode, verdict, err)
			}
			if !strings.HasPrefix(verdict.Reason, says) || (says == "") != (verdict.Reason == "") {
				t.Errorf("%d rows: reason %q, want %q", n, verdict.Reason, says)
			}
			if line, err := verdict.Line(); err != nil || strings.Contains(string(line), fmt.Sprintf(`"outside":%d`, n)) != (n > 0) {
				t.Errorf("%d rows: %s, %v", n, line, err)
			}
		}
	}
}

func TestRowsOfNoShardThatCannotBeCountedLeaveTheRunIncomplete(t *testing.T) {
	for _, op := range []string{"count", "boundary"} {
		synctest.Test(t, func(t *testing.T) {
			others := newTable(orders(1, 5)...)
			others.before = func(o string, _ int) error {
				if o == op {
					return errReset
				}
				return nil
			}
			b, v := sharing(t, others, asOutside)
			verdict, err := v.Run(t.Context(), b.run)
			if err != nil || verdict.Complete || verdict.Clean || verdict.Unreadable != 1 || !strings.Contains(verdict.Reason, "count the rows that belong to no shard") {
				t.Errorf("%s fails: verdict %+v, %v", op, verdict, err)
			}
		})
	}
}

func TestRowsOfTwoShardsStopARunBeforeItsFirstRange(t *testing.T) {
	b, v := sharing(t, newTable(orders(7, 7)...), asOverlap)
	b.replica.remove(3)
	verdict, err := v.Run(t.Context(), b.run)
	if err == nil || !strings.Contains(err.Error(), "belong to another shard as well, such as (id = 7)") {
		t.Errorf("error %v", err)
	}
	if verdict.Complete || verdict.Clean || len(b.published.list()) != 0 || slices.Contains(b.authority.reads, "rows") {
		t.Errorf("verdict %+v, findings %q, reads %q", verdict, b.published.list(), b.authority.reads)
	}

	b, v = sharing(t, newTable(), asOverlap)
	if verdict, err := v.Run(t.Context(), b.run); err != nil || !verdict.Clean {
		t.Errorf("without such rows: verdict %+v, %v", verdict, err)
	}
}

func TestAnOverlapThatCannotBeLookedForLeavesTheRunIncomplete(t *testing.T) {
	for _, fault := range []error{errReset, deniedError{errors.New("denied")}} {
		synctest.Test(t, func(t *testing.T) {
			others := newTable()
			others.before = func(string, int) error { return fault }
			b, v := sharing(t, others, asOverlap)
			b.run.Authority = event.Source
			verdict, err := v.Run(t.Context(), b.run)
			if verdict.Complete || verdict.Clean || slices.Contains(b.authority.reads, "rows") {
				t.Errorf("%v: verdict %+v, %v", fault, verdict, err)
			}
			if permanent(fault) != (err != nil) {
				t.Errorf("%v: error %v", fault, err)
			}
		})
	}
}
