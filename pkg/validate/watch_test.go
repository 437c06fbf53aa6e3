package validate

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/checkpoint"
	"github.com/trueup/trueup/pkg/schema"
)

// altered is the test's table once its column name holds numbers.
func altered() (*schema.Table, error) {
	t := testTable(schema.Name{Table: "orders"})
	t.Columns[1].Native, t.Columns[1].Type.Kind = "int(11)", canonical.Int
	return t, nil
}

// firstRange calls do when a range has been examined and its findings published.
type firstRange struct {
	NopObserver
	once sync.Once
	do   func()
}

func (o *firstRange) RangeDone(RangeReport) { o.once.Do(o.do) }

func TestATableThatChangesUnderARunLeavesItIncompleteAndIsNamed(t *testing.T) {
	for _, method := range allMethods {
		for _, side := range []string{"source", "target"} {
			synctest.Test(t, func(t *testing.T) {
				a, c := newTable(orders(1, 40)...), newTable(orders(1, 40)...)
				c.put(order(3, "damaged", 0))
				b := newBench(t, a, c, method).rangesOf(5)
				changing := a
				if side == "target" {
					changing = c
				}
				// The statements still succeed; only the definition tells.
				b.config.Threads = 1
				b.ports.Observer = &firstRange{do: func() {
					changing.mu.Lock()
					defer changing.mu.Unlock()
					changing.inspect = altered
				}}
				v, err := b.validator().Run(t.Context(), b.run)
				if err == nil || v.Complete || v.Clean {
					t.Fatalf("%s, %s: verdict %+v, error %v", method, side, v, err)
				}
				for _, want := range []string{side, "orders", "column name was", "int(11)"} {
					if !strings.Contains(v.Reason, want) {
						t.Errorf("%s, %s: the reason %q lacks %q", method, side, v.Reason, want)
					}
				}
				equalSets(t, b.published.list(), []string{"neq 3"})
			})
		}
	}
}

func TestATableThatChangedIsNoticedLongBeforeTheEndOfARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, c := newTable(orders(1, 400)...), newTable(orders(1, 400)...)
		b := newBench(t, a, c, schema.Merge).rangesOf(5)
		a.before = func(_ string, n int) error {
			if n == 20 {
				a.mu.Lock()
				a.inspect = altered
				a.mu.Unlock()
			}
			time.Sleep(10 * time.Second)
			return nil
		}
		began := time.Now()
		v, err := b.validator().Run(t.Context(), b.run)
		if err == nil || v.Complete {
			t.Fatalf("verdict %+v", v)
		}
		if took := time.Since(began); v.SourceRows > 200 {
			t.Errorf("it went on for %s and %d rows", took, v.SourceRows)
		}
	})
}

func TestATableThatCannotBeInspectedAtTheEndLeavesTheRunIncomplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, c := newTable(orders(1, 10)...), newTable(orders(1, 10)...)
		c.inspect = func() (*schema.Table, error) { return nil, errReset }
		b := newBench(t, a, c, schema.Merge)
		v, err := b.validator().Run(t.Context(), b.run)
		if !errors.Is(err, errReset) || v.Complete || v.Clean || !strings.Contains(v.Reason, "target's table") {
			t.Errorf("verdict %+v, error %v", v, err)
		}
	})
}

func TestAServerThatIsAwayIsWaitedForAndTheFindingsAreTheSame(t *testing.T) {
	for _, method := range allMethods {
		for _, mode := range []Mode{Full, Reverse} {
			synctest.Test(t, func(t *testing.T) {
				a, c, want := damagedTables(method)
				if mode == Reverse {
					want = withoutKind(want, "target_missing")
				}
				away := false
				var until time.Time
				answer := func() error {
					if away && time.Now().Before(until) {
						return errReset
					}
					return nil
				}
				c.ping = answer
				c.before = func(_ string, n int) error {
					c.mu.Lock()
					defer c.mu.Unlock()
					if n == 6 {
						away, until = true, time.Now().Add(3*time.Minute)
					}
					return answer()
				}
				b := newBench(t, a, c, method).rangesOf(7)
				b.run.Mode, b.run.Confirm = mode, time.Second
				if v := b.verdict(); !v.Complete || !away {
					t.Errorf("%s %s: verdict %+v", method, mode, v)
				}
				equalSets(t, b.published.set(), want)
			})
		}
	}
}

func TestAServerThatNeverComesBackEndsTheRunAndItGoesOnLater(t *testing.T) {
	for _, method := range allMethods {
		synctest.Test(t, func(t *testing.T) {
			a, c, want := damagedTables(method)
			away := false
			c.ping = func() error {
				if away {
					return errReset
				}
				return nil
			}
			c.before = func(_ string, n int) error {
				c.mu.Lock()
				defer c.mu.Unlock()
				away = away || n == 5
				if away {
					return errReset
				}
				return nil
			}
			b := newBench(t, a, c, method).rangesOf(7)
			b.run.Checkpoint, b.ports.Checkpoints = "full/orders", &checkpoint.Memory{}
			began := time.Now()
			v, err := b.validator().Run(t.Context(), b.run)
			if err == nil || v.Complete || v.Clean {
				t.Fatalf("%s: verdict %+v, error %v", method, v, err)
			}
			for _, text := range []string{"the target has not answered for 5m0s", errReset.Error()} {
				if !strings.Contains(v.Reason, text) {
					t.Errorf("%s: the reason %q lacks %q", method, v.Reason, text)
				}
			}
			if took := time.Since(began); took < 5*time.Minute || took > 6*time.Minute {
				t.Errorf("%s: it waited for %s", method, took)
			}
			away, c.before = false, nil
			if v := b.verdict(); !v.Complete || !v.Resumed {
				t.Errorf("%s: then %+v", method, v)
			}
			equalSets(t, b.published.set(), want)
		})
	}
}

func withoutKind(list []string, kind string) []string {
	var out []string
	for _, s := range list {
		if !strings.HasPrefix(s, kind) {
			out = append(out, s)
		}
	}
	return out
}
