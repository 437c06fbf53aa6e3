package validate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trueup/trueup/pkg/compare"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

func TestJudge(t *testing.T) {
	pair := testPair(schema.Merge)
	c := compare.New(&pair.Source, pair.Rules)
	v1, v2, v3 := order(1, "a", 1), order(1, "b", 1), order(1, "c", 1)
	for _, test := range []struct {
		name                        string
		witness, authority, replica row.Row
		want                        judgement
		kind                        event.Kind
	}{
		{"the copy caught up", v1, v1, v1, cleared, event.KindUnknown},
		{"both moved on together", v1, v2, v2, cleared, event.KindUnknown},
		{"both are gone", v1, nil, nil, cleared, event.KindUnknown},
		{"the copy stayed different", v1, v1, v2, confirmed, event.NotEqual},
		{"the copy still lacks it", v1, v1, nil, confirmed, event.TargetMissing},
		{"the copy still has it", nil, nil, v1, confirmed, event.BaseMissing},
		{"the kind is that of the last read", v1, v1, nil, confirmed, event.TargetMissing},
		{"the authority changed", v1, v2, v1, hot, event.NotEqual},
		{"the authority changed, the copy to something else", v1, v2, v3, hot, event.NotEqual},
		{"the authority lost it", v1, nil, v1, hot, event.BaseMissing},
		{"the authority got it", nil, v1, nil, hot, event.TargetMissing},
	} {
		got, d := judge(c, compare.WitnessOf(test.witness), test.authority, test.replica)
		if got != test.want || d.Kind != test.kind {
			t.Errorf("%s: judgement %d of kind %s, want %d of kind %s", test.name, got, d.Kind, test.want, test.kind)
		}
	}
}

// replication applies the authority's changes to the copy, in order and late.
type replication struct {
	mu      sync.Mutex
	pending []func()
}

func (r *replication) then(lag time.Duration, apply func()) {
	r.mu.Lock()
	r.pending = append(r.pending, apply)
	r.mu.Unlock()
	time.AfterFunc(lag, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.pending[0]()
		r.pending = r.pending[1:]
	})
}

func TestALateCopyUnderALiveWriterCausesNoFinding(t *testing.T) {
	const rows, lag, confirm = 300, 3 * time.Second, 5 * time.Second
	for _, method := range allMethods {
		for seed := range uint64(5) {
			synctest.Test(t, func(t *testing.T) {
				a, c := newTable(orders(1, rows)...), newTable(orders(1, rows)...)
				// One row is truly damaged; nobody writes it.
				c.put(order(rows+1, "surplus", 0))
				slow := func(string, int) error { time.Sleep(20 * time.Millisecond); return nil }
				a.before, c.before = slow, slow

				ctx, stop := context.WithCancel(t.Context())
				var writer sync.WaitGroup
				writer.Go(func() {
					random := rand.New(rand.NewPCG(seed, 1))
					var replica replication
					for i := 0; ctx.Err() == nil; i++ {
						id := 1 + random.IntN(rows)
						if random.IntN(3) == 0 {
							a.remove(id)
							replica.then(lag, func() { c.remove(id) })
						} else {
							r := order(id, "version "+strconv.Itoa(i), i)
							a.put(r)
							replica.then(lag, func() { c.put(r) })
						}
						time.Sleep(time.Duration(random.IntN(100)) * time.Millisecond)
					}
				})
				b := newBench(t, a, c, method).rangesOf(20)
				b.run.Confirm = confirm
				b.config.Rounds = 3
				v := b.verdict()
				stop()
				writer.Wait()
				time.Sleep(2 * lag) // let replication run dry inside the bubble
				equalSets(t, b.published.list(), []string{"base_missing " + strconv.Itoa(rows+1)})
				if !v.Complete || v.Clean {
					t.Errorf("%s: verdict %+v", method, v)
				}
			})
		}
	}
}

func TestARowThatKeepsChangingStaysOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, c := newTable(orders(1, 20)...), newTable(orders(1, 20)...)
		var version atomic.Int64
		a.before = func(op string, _ int) error {
			a.put(order(7, "version "+strconv.FormatInt(version.Add(1), 10), 1))
			return nil
		}
		b := newBench(t, a, c, schema.Checksum)
		b.run.Confirm, b.config.Rounds = time.Second, 4
		counts := &suspectCounts{}
		b.ports.Observer = counts
		began := time.Now()
		v := b.verdict()
		if len(b.published.list()) != 0 || !v.Complete || v.Clean || v.Open != 1 || v.Reason == "" {
			t.Errorf("verdict %+v, findings %q", v, b.published.list())
		}
		if took := time.Since(began); took < 4*time.Second || took > 5*time.Second {
			t.Errorf("4 rounds of a second took %s", took)
		}
		if !reflect.DeepEqual(counts.total, SuspectReport{Pair: "orders", Seen: 1, Hot: 3, Open: 1}) {
			t.Errorf("observed %+v", counts.total)
		}
	})
}

type suspectCounts struct {
	NopObserver
	mu    sync.Mutex
	total SuspectReport
}

func (s *suspectCounts) Suspects(r SuspectReport) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total.Pair = r.Pair
	s.total.Seen += r.Seen
	s.total.Confirmed += r.Confirmed
	s.total.Cleared += r.Cleared
	s.total.Hot += r.Hot
	s.total.Open += r.Open
}

func TestAFindingDatesFromTheVersionThatIsStillDifferent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		a, c := newTable(orders(1, 20)...), newTable(orders(1, 18)...)
		time.AfterFunc(30*time.Second, func() { a.put(order(19, "changed once", 0)) })
		b := newBench(t, a, c, schema.Checksum)
		b.run.Confirm = time.Minute
		b.verdict()
		equalSets(t, b.published.list(), []string{"target_missing 19", "target_missing 20"})
		for _, f := range b.published.findings {
			want := time.Duration(0)
			if string(f.Key[0].Value) == "19" {
				want = time.Minute // when it was seen to have changed
			}
			if got := f.DetectedAt.Sub(began); got != want {
				t.Errorf("%s was detected after %s, want %s", f.Key.Values(), got, want)
			}
		}
	})
}

// A row changes on both sides between the two reads of the second look. Reading
// the authority first would hold its old row against the copy's new one.
func TestTheSecondLookReadsTheCopyBeforeTheAuthority(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, c := newTable(order(1, "v1", 1)), newTable(order(1, "late", 1))
		lookups := 0
		change := func(op string, _ int) error {
			if op != "lookup" {
				return nil
			}
			if lookups++; lookups == 2 {
				a.put(order(1, "v2", 1))
				c.put(order(1, "v2", 1))
			}
			return nil
		}
		a.before, c.before = change, change
		b := newBench(t, a, c, schema.Merge)
		b.run.Confirm = time.Second
		if v := b.verdict(); !v.Clean {
			t.Errorf("verdict %+v", v)
		}
		equalSets(t, b.published.list(), []string{})
		if lookups != 4 {
			t.Errorf("%d lookups, want two on each side", lookups)
		}
	})
}

func TestFewerSuspectsThanDifferencesMayWaitAndAllAreSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, c := newTable(orders(1, 500)...), newTable()
		b := newBench(t, a, c, schema.Merge).rangesOf(50)
		b.run.Confirm, b.config.Suspects, b.config.BatchRows = time.Second, 7, 3
		v := b.verdict()
		if len(b.published.list()) != 500 || !v.Complete {
			t.Errorf("verdict %+v", v)
		}
	})
}

func TestSuspectsHaveRoomForNoMoreThanTheirNumber(t *testing.T) {
	q := newSuspects(2, delay{})
	ctx, cancel := context.WithCancel(t.Context())
	for range 2 {
		if !q.push(ctx, suspect{}) {
			t.Fatal("no room in an empty queue")
		}
	}
	cancel()
	if q.push(ctx, suspect{}) {
		t.Error("a third suspect found room for two")
	}
}

func TestSuspectsThatCannotBeReadAgainMakeTheRangeUnreadable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, c := newTable(orders(1, 20)...), newTable(orders(1, 18)...)
		a.before = func(op string, _ int) error {
			if op == "lookup" {
				return errReset
			}
			return nil
		}
		b := newBench(t, a, c, schema.Checksum)
		b.run.Confirm = time.Second
		v := b.verdict()
		if v.Complete || v.Clean || v.Unreadable != 1 || len(b.published.list()) != 0 {
			t.Errorf("verdict %+v, findings %q", v, b.published.list())
		}
	})
}

func TestSuspectsFallDueInTheOrderTheyCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newSuspects(100, delay{})
		for i := range 10 {
			q.push(t.Context(), suspect{key: order(i, "", 0).Key([]int{0}), due: time.Now().Add(time.Minute)})
			time.Sleep(time.Second)
		}
		q.close()
		var got []string
		for {
			batch := q.take(t.Context(), 4)
			if batch == nil {
				break
			}
			for _, s := range batch {
				got = append(got, s.key.String())
			}
			q.settle(len(batch))
		}
		if want := []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}; !slices.Equal(got, want) {
			t.Errorf("taken %q", fmt.Sprint(got))
		}
	})
}
