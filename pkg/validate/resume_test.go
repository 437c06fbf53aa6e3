package validate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trueup/trueup/pkg/checkpoint"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/schema"
)

// crashing keeps positions until the process "dies": whatever is saved after
// that is lost, and so is the process.
type crashing struct {
	checkpoint.Memory
	saves int
	at    int
	die   context.CancelFunc
	dead  bool
}

func (c *crashing) Save(ctx context.Context, id string, position []byte) error {
	if c.dead {
		return errors.New("no such process")
	}
	if err := c.Memory.Save(ctx, id, position); err != nil {
		return err
	}
	if c.saves == c.at {
		c.dead = true
		c.die()
	}
	c.saves++
	return nil
}

// damagedTables have differences of every kind spread over all ranges.
func damagedTables(method schema.Method) (a, c *table, want []string) {
	a, c = newTable(orders(1, 62)...), newTable(orders(1, 62)...)
	if method == schema.Lookup {
		c.order = backwards
	}
	for id := 3; id <= 60; id += 7 {
		a.remove(id)
		c.remove(id + 1)
		c.put(order(id+2, "damaged", 0))
		want = append(want, fmt.Sprintf("base_missing %d", id), fmt.Sprintf("target_missing %d", id+1), fmt.Sprintf("neq %d", id+2))
	}
	slices.Sort(want)
	return a, c, want
}

func TestAfterACrashAtAnyPositionAResumedRunLosesNoFinding(t *testing.T) {
	for _, method := range allMethods {
		for _, confirm := range []time.Duration{0, time.Second} {
			for at := range 26 {
				synctest.Test(t, func(t *testing.T) {
					a, c, want := damagedTables(method)
					b := newBench(t, a, c, method).rangesOf(5)
					b.run.Confirm, b.run.Checkpoint = confirm, "full/orders"
					ctx, die := context.WithCancel(t.Context())
					defer die()
					positions := &crashing{at: at, die: die}
					b.ports.Checkpoints = positions
					first, err := b.validator().Run(ctx, b.run)
					if err != nil {
						t.Fatal(err)
					}
					if !positions.dead {
						return // the run has fewer positions
					}
					positions.dead, positions.at = false, -1
					second := b.verdict()
					equalSets(t, b.published.set(), want)
					if !second.Complete || second.Clean || second.Findings() != int64(len(want)) ||
						second.SourceRows != int64(len(a.rows)) || second.TargetRows != int64(len(c.rows)) {
						t.Fatalf("%s, crash at %d: verdict %+v after %+v", method, at, second, first)
					}
					if !first.Complete && !second.Resumed {
						t.Fatalf("%s, crash at %d: the second run started over", method, at)
					}
					if left, _ := positions.Load(t.Context(), "full/orders"); len(left) > 0 {
						t.Fatalf("the complete run left the position %s", left)
					}
				})
			}
		}
	}
}

func TestAResumedRunKnowsThatTheSettledPartWasNotClean(t *testing.T) {
	a, c := newTable(orders(1, 40)...), newTable(orders(1, 40)...)
	c.put(order(2, "damaged", 0)) // in the first range
	b := newBench(t, a, c, schema.Checksum).rangesOf(5)
	b.config.Threads = 1
	b.run.Checkpoint = "full/orders"
	ctx, die := context.WithCancel(t.Context())
	b.ports.Checkpoints = &crashing{at: 3, die: die}
	if v, err := b.validator().Run(ctx, b.run); err != nil || v.Complete {
		t.Fatalf("verdict %+v, error %v", v, err)
	}
	b.ports.Checkpoints.(*crashing).dead = false
	b.published.findings = nil
	v := b.verdict()
	if v.Clean || v.NotEqual != 1 || len(b.published.list()) != 0 {
		t.Errorf("verdict %+v, findings %q", v, b.published.list())
	}
}

func TestAResumedRunReadsUnreadableRangesAgain(t *testing.T) {
	for _, method := range allMethods {
		synctest.Test(t, func(t *testing.T) {
			a, c, want := damagedTables(method)
			b := newBench(t, a, c, method).rangesOf(5)
			b.run.Checkpoint, b.ports.Checkpoints = "full/orders", &checkpoint.Memory{}
			var failures atomic.Int64
			a.during = func(n int) error {
				if n%11 == 10 { // wherever a row is read, sooner or later for good
					failures.Add(1)
					return errReset
				}
				return nil
			}
			b.config.Attempts = 1
			first := b.verdict()
			if first.Complete || first.Unreadable == 0 || failures.Load() == 0 {
				t.Fatalf("%s: verdict %+v", method, first)
			}
			a.during = nil
			second := b.verdict()
			equalSets(t, b.published.set(), want)
			if !second.Complete || !second.Resumed || second.Findings() != int64(len(want)) || second.SourceRows != int64(len(a.rows)) {
				t.Errorf("%s: verdict %+v after %+v", method, second, first)
			}
		})
	}
}

func TestAPositionOfAnotherComparisonIsRefusedUnlessTheRunMayStartOver(t *testing.T) {
	changed := func(change func(*schema.Pair)) func(*Run) {
		return func(r *Run) {
			r.Pair = testPair(schema.Checksum)
			change(r.Pair)
		}
	}
	for aspect, change := range map[string]func(*Run){
		"the epoch":           func(r *Run) { r.Epoch++ },
		"the authority":       func(r *Run) { r.Authority = event.Target },
		"the method":          func(r *Run) { r.Pair = testPair(schema.Lookup) },
		"the mode":            func(r *Run) { r.Mode = Reverse },
		"the source's filter": changed(func(p *schema.Pair) { p.Source.Where = "id > 3" }),
		"the target's filter": changed(func(p *schema.Pair) { p.Target.Where = "id > 3" }),
		"the rules":           changed(func(p *schema.Pair) { p.Rules[1].Trim = "right" }),
		"the target's columns": changed(func(p *schema.Pair) {
			p.Target.Columns = slices.Clone(p.Target.Columns)
			p.Target.Columns[1].Native = "text"
		}),
		"the source's table": changed(func(p *schema.Pair) { p.Source.Table.Name.Schema = "other" }),
		"the target's table": changed(func(p *schema.Pair) { p.Target.Table.Identity = "2" }),
	} {
		a, c := newTable(orders(1, 40)...), newTable(orders(1, 40)...)
		b := newBench(t, a, c, schema.Checksum).rangesOf(5)
		b.config.Threads = 1 // one range after the other, one position each
		b.run.Checkpoint = "full/orders"
		ctx, die := context.WithCancel(t.Context())
		positions := &crashing{at: 2, die: die}
		b.ports.Checkpoints = positions
		if _, err := b.validator().Run(ctx, b.run); err != nil {
			t.Fatal(err)
		}
		positions.dead = false
		if aspect == "the target's table" {
			c.inspect = func() (*schema.Table, error) {
				now := testTable(schema.Name{Table: "orders"})
				now.Identity = "2"
				return now, nil
			}
		}
		seen := &stages{}
		b.ports.Observer = seen
		change(&b.run)
		kept, _ := positions.Load(t.Context(), "full/orders")
		v, err := b.validator().Run(t.Context(), b.run)
		if err == nil || v.Complete || !strings.Contains(v.Reason, aspect+" changed") {
			t.Errorf("%s: verdict %+v, error %v", aspect, v, err)
		}
		if left, _ := positions.Load(t.Context(), "full/orders"); !bytes.Equal(left, kept) {
			t.Errorf("%s: the position was touched", aspect)
		}
		b.run.StartOver = true
		if v := b.verdict(); v.Resumed || !v.Clean || v.SourceRows != 40 {
			t.Errorf("%s: verdict %+v", aspect, v)
		}
		if len(seen.warning) != 1 || !strings.Contains(seen.warning[0], aspect) {
			t.Errorf("%s: warnings %q", aspect, seen.warning)
		}
	}
}

// TestAPositionOfAnotherServerIsNotTakenUp although its table has the same identity,
// as that of a server which was restored from the files of the first.
func TestAPositionOfAnotherServerIsNotTakenUp(t *testing.T) {
	b := newBench(t, newTable(orders(1, 40)...), newTable(orders(1, 40)...), schema.Checksum).rangesOf(5)
	b.config.Threads = 1
	b.run.Checkpoint, b.run.StartOver, b.run.TargetAt = "full/orders", true, "mysql://a:3306/shop"
	ctx, die := context.WithCancel(t.Context())
	positions := &crashing{at: 2, die: die}
	b.ports.Checkpoints = positions
	if _, err := b.validator().Run(ctx, b.run); err != nil {
		t.Fatal(err)
	}
	positions.dead = false
	b.replica.put(order(1, "damaged", 0)) // in the part that is done at the other server
	b.run.TargetAt = "mysql://b:3306/shop"
	if v := b.verdict(); v.Resumed || !v.Complete || v.NotEqual != 1 {
		t.Errorf("verdict %+v", v)
	}
}

func TestAPositionThatCannotBeReadIsAnError(t *testing.T) {
	var positions checkpoint.Memory
	_ = positions.Save(t.Context(), "full/orders", []byte(`{"format":99}`))
	b := newBench(t, newTable(), newTable(), schema.Merge)
	b.run.Checkpoint, b.ports.Checkpoints = "full/orders", &positions
	if _, err := b.validator().Run(t.Context(), b.run); err == nil {
		t.Error("a position of format 99 was taken for no position")
	}
	if left, _ := positions.Load(t.Context(), "full/orders"); !bytes.Contains(left, []byte("99")) {
		t.Error("the position that could not be read is gone")
	}
}

// A service that is replaced by another release must not stand still until somebody
// removes a record from a topic.
func TestAPositionOfAnotherReleaseIsBegunAnewWhereTheRunMay(t *testing.T) {
	var positions checkpoint.Memory
	_ = positions.Save(t.Context(), "full/orders", []byte(`{"format":99}`))
	b := newBench(t, newTable(orders(1, 40)...), newTable(orders(1, 40)...), schema.Merge)
	seen := &stages{}
	b.run.Checkpoint, b.run.StartOver, b.ports.Checkpoints, b.ports.Observer = "full/orders", true, &positions, seen
	if v := b.verdict(); v.Resumed || !v.Clean || v.SourceRows != 40 {
		t.Errorf("verdict %+v", v)
	}
	if len(seen.warning) != 1 || !strings.Contains(seen.warning[0], "format 99") {
		t.Errorf("warnings %q", seen.warning)
	}
}

func TestASaveThatFailsIsToldAndCostsNoFinding(t *testing.T) {
	a, c, want := damagedTables(schema.Checksum)
	b := newBench(t, a, c, schema.Checksum).rangesOf(5)
	b.run.Checkpoint, b.ports.Checkpoints = "full/orders", &crashing{dead: true}
	seen := &stages{}
	b.ports.Observer = seen
	if v := b.verdict(); !v.Complete {
		t.Errorf("verdict %+v", v)
	}
	equalSets(t, b.published.set(), want)
	if len(seen.warning) == 0 {
		t.Error("nobody was told")
	}
}

// The method may be chosen by the distance of the servers, which can change
// between two processes.
func TestARunGoesOnWithAnotherMethodThatCutsTheSameRanges(t *testing.T) {
	for _, methods := range [][2]schema.Method{{schema.Checksum, schema.Merge}, {schema.Merge, schema.Checksum}} {
		a, c, want := damagedTables(methods[0])
		b := newBench(t, a, c, methods[0]).rangesOf(5)
		b.config.Threads = 1
		b.run.Checkpoint = "full/orders"
		ctx, die := context.WithCancel(t.Context())
		positions := &crashing{at: 3, die: die}
		b.ports.Checkpoints = positions
		if v, err := b.validator().Run(ctx, b.run); err != nil || v.Complete {
			t.Fatalf("verdict %+v, error %v", v, err)
		}
		positions.dead, positions.at = false, -1
		b.run.Pair.Method = methods[1]
		v := b.verdict()
		if !v.Resumed || !v.Complete {
			t.Errorf("%s after %s: verdict %+v; it should have gone on", methods[1], methods[0], v)
		}
		equalSets(t, b.published.set(), want)
	}
}
