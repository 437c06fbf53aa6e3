package validate

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// dated is an authority whose rows have a time of change, and transactions that
// commit later than they write.
type dated struct {
	*table
	skew atomic.Int64 // of its clock against this machine's
	old  atomic.Bool  // what it tells of open transactions

	mu     sync.Mutex
	times  map[string]string
	open   map[int]time.Time
	hidden string
	zone   string
	asked  int
	asOf   time.Time // of the last list that was not old
}

const microLayout = "2006-01-02 15:04:05.000000"

func newDated(t *table) *dated {
	return &dated{table: t, times: map[string]string{}, open: map[int]time.Time{}, zone: "UTC"}
}

func (d *dated) now() time.Time { return time.Now().Add(time.Duration(d.skew.Load())).UTC() }

// write puts a row with the time of now, at once visible.
func (d *dated) write(r row.Row) { d.writeAt(r, d.now()) }

func (d *dated) writeAt(r row.Row, at time.Time) {
	d.put(r)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.times[row.Key(r[:1]).ID()] = at.Format(microLayout)
}

// begin opens a transaction; what it wrote at the time of its beginning shows
// when commit is called.
func (d *dated) begin(n int) (commit func(r row.Row)) {
	at := d.now()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open[n] = at
	return func(r row.Row) {
		d.writeAt(r, at)
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.open, n)
	}
}

func (d *dated) Changes(_ context.Context, v *schema.View, after row.Key, from, until time.Time, n int) ([]row.Row, error) {
	if got := len(v.Key); got != 2 || v.Columns[0].Name != "at" {
		return nil, fmt.Errorf("the view has %d key columns, the first of them %s", got, v.Columns[0].Name)
	}
	var out []row.Row
	for _, r := range d.snapshot() {
		d.mu.Lock()
		at := d.times[row.Key(r[:1]).ID()]
		d.mu.Unlock()
		entry := row.Row{row.Value(at), r[0]}
		if at >= from.Format(microLayout) && at < until.Format(microLayout) && (after == nil || entryOrder(entry, row.Row(after)) > 0) {
			out = append(out, entry)
		}
	}
	slices.SortFunc(out, entryOrder)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	return out[:min(n, len(out))], nil
}

func entryOrder(a, b row.Row) int {
	return cmp.Or(bytes.Compare(a[0], b[0]), byNumber(row.Key(a[1:]), row.Key(b[1:])))
}

func (d *dated) OpenTransactions(context.Context) (schema.OpenTransactions, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := schema.OpenTransactions{Now: d.now(), AsOf: d.now(), Hidden: d.hidden, Zone: d.zone}
	if d.old.Load() {
		out.AsOf = d.asOf
		return out, nil // of a time at which nothing was open
	}
	d.asOf = out.AsOf
	for n, at := range d.open {
		if out.Oldest.IsZero() || at.Before(out.Oldest) {
			out.Oldest, out.Connection = at, fmt.Sprint(n)
		}
	}
	return out, nil
}

func (d *dated) During(schema.Column, time.Time, time.Time) string { return "TRUE" }

// kept is where a stream has come to, in memory.
type kept struct {
	mu       sync.Mutex
	position []byte
	fail     error
}

func (k *kept) Load(context.Context) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.position, nil
}

func (k *kept) Save(_ context.Context, position []byte, _ time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fail == nil {
		k.position = position
	}
	return k.fail
}

// tracked is a bench with an incremental run.
type tracked struct {
	*bench
	source   *dated
	progress *kept
	by       ByChange

	mu       sync.Mutex
	verified Verified
	warnings []string
}

func (b *tracked) Warn(_, message string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.warnings = append(b.warnings, message)
}

func (b *tracked) warned(text string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.ContainsFunc(b.warnings, func(w string) bool { return strings.Contains(w, text) })
}

func (b *tracked) until() Verified {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.verified
}

type warner struct {
	NopObserver
	*tracked
}

func (w warner) Warn(pair, message string) { w.tracked.Warn(pair, message) }

func newTracked(t *testing.T, kind canonical.Kind) *tracked {
	t.Helper()
	source := newDated(newTable())
	b := &tracked{bench: newBench(t, source.table, newTable(), schema.Merge), source: source, progress: &kept{}}
	b.config.BatchRows, b.config.CheckpointEvery = 10, time.Millisecond
	b.run.Confirm = 100 * time.Millisecond
	b.ports.Observer = warner{tracked: b}
	view := b.run.Pair.Source
	table := testTable(schema.Name{Table: "orders"})
	table.Columns = append(table.Columns, schema.Column{Name: "at", Native: "datetime(6)", Type: canonical.Type{Kind: kind}, Precision: 6})
	table.Indexes = [][]string{{"at"}}
	view.Table = table
	changes, err := schema.ChangesOf(&view, "at", "")
	if err != nil {
		t.Fatal(err)
	}
	b.by = ByChange{
		Changes: changes, Reader: source, Progress: b.progress, Settle: time.Second, Margin: 30 * time.Second,
		Next: func(now time.Time) time.Time { return now.Add(time.Second) },
		Verified: func(v Verified) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.verified = v
		},
	}
	return b
}

// during runs the stream while script does.
func (b *tracked) during(script func()) error {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan error, 1)
	validator := b.validator()
	go func() { done <- validator.Incremental(ctx, b.run, b.by) }()
	script()
	cancel()
	return <-done
}

func (b *tracked) want(findings ...string) {
	b.t.Helper()
	slices.Sort(findings)
	if got := b.published.set(); !slices.Equal(got, findings) {
		b.t.Errorf("found %q, want %q", got, findings)
	}
}

func TestWhatIsVerifiedIsSaidAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTracked(t, canonical.Instant)
		b.config.CheckpointEvery = time.Hour // positions are saved seldom
		_ = b.during(func() {
			for range 10 {
				time.Sleep(time.Second)
				b.source.write(order(1, "a", 1))
				b.replica.put(order(1, "a", 1))
			}
			time.Sleep(time.Millisecond)
			if behind := time.Since(b.until().Until); behind > b.by.Settle+time.Second {
				t.Errorf("verified until %v ago", behind)
			}
		})
		b.want()
	})
}

func TestAChangeIsSeenAndVerifiedUntilFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTracked(t, canonical.Instant)
		_ = b.during(func() {
			time.Sleep(10 * time.Second)
			same := order(1, "a", 1)
			b.source.write(same)
			b.replica.put(same)
			b.source.write(order(2, "a", 1))
			b.replica.put(order(2, "b", 1))
			b.source.write(order(3, "c", 1))
			time.Sleep(10 * time.Second)
			if behind := time.Since(b.until().Until); behind > 3*time.Second {
				t.Errorf("verified until %v ago", behind)
			}
		})
		b.want("neq 2", "target_missing 3")
	})
}

func TestALateCommitIsNotPassedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTracked(t, canonical.Instant)
		_ = b.during(func() {
			time.Sleep(10 * time.Second)
			began := time.Now()
			commit := b.source.begin(7)
			time.Sleep(time.Minute) // other looks pass
			if v := b.until(); v.Until.After(began) || !strings.Contains(v.Held, "connection 7") {
				t.Errorf("verified until %v after the open transaction began, held by %q", v.Until.Sub(began), v.Held)
			}
			commit(order(1, "late", 1))
			time.Sleep(10 * time.Second)
			if behind := time.Since(b.until().Until); behind > 3*time.Second {
				t.Errorf("verified until %v ago after the commit", behind)
			}
		})
		b.want("target_missing 1")
	})
}

func TestATimeCutToSecondsBehindAnOpenTransactionIsNotPassedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTracked(t, canonical.Instant)
		b.by.Resolution = time.Second
		_ = b.during(func() {
			time.Sleep(10*time.Second + 900*time.Millisecond)
			commit := b.source.begin(7)
			at := b.source.now()
			time.Sleep(30 * time.Second)
			commit(order(1, "late", 1))
			b.source.writeAt(order(1, "late", 1), at.Truncate(time.Second)) // as a column without fractions keeps it
			time.Sleep(10 * time.Second)
		})
		b.want("target_missing 1")
	})
}

func TestThousandsOfEqualTimesAreAllSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTracked(t, canonical.Instant)
		_ = b.during(func() {
			time.Sleep(5 * time.Second)
			at := b.source.now()
			for id := 1; id <= 3000; id++ {
				b.source.writeAt(order(id, "x", id), at)
				if id%1000 != 0 {
					b.replica.put(order(id, "x", id))
				}
			}
			time.Sleep(10 * time.Second)
			if behind := time.Since(b.until().Until); behind > 3*time.Second {
				t.Errorf("verified until %v ago", behind)
			}
		})
		b.want("target_missing 1000", "target_missing 2000", "target_missing 3000")
	})
}

func TestHiddenTransactionsAreWaitedForByTheMarginAndItIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTracked(t, canonical.Instant)
		b.source.hidden = "grant the user PROCESS ON *.*"
		_ = b.during(func() {
			time.Sleep(60 * time.Second)
			commit := b.source.begin(7)
			time.Sleep(25 * time.Second) // less than the margin
			commit(order(1, "late", 1))
			time.Sleep(60 * time.Second)
			if behind := time.Since(b.until().Until); behind < 30*time.Second || behind > 33*time.Second {
				t.Errorf("verified until %v ago, want the margin", behind)
			}
		})
		b.want("target_missing 1")
		if !b.warned("grant the user PROCESS") {
			t.Errorf("not said: %q", b.warnings)
		}
	})
}

func TestAListOfTransactionsThatIsOldMovesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTracked(t, canonical.Instant)
		b.source.old.Store(true)
		_ = b.during(func() {
			time.Sleep(10 * time.Second)
			if until := b.until().Until; !until.IsZero() {
				t.Errorf("verified until %v before it was known what is open", until)
			}
			b.source.old.Store(false)
			time.Sleep(10 * time.Second)
			b.source.old.Store(true)
			commit := b.source.begin(1)
			time.Sleep(20 * time.Second)
			if got := b.until(); time.Since(got.Until) < 20*time.Second || !strings.Contains(got.Held, "made anew") {
				t.Errorf("verified until %v ago, %q", time.Since(got.Until), got.Held)
			}
			commit(order(1, "late", 1))
			b.source.old.Store(false)
			time.Sleep(10 * time.Second)
		})
		b.want("target_missing 1")
	})
}

func TestPreparedTransactionsHoldTheHorizon(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	before := now.Add(-time.Hour)
	open := schema.OpenTransactions{Now: now, AsOf: now, Prepared: 1}
	if h, held := horizonOf(open, before, time.Second, time.Minute); !h.Equal(before) || !strings.Contains(held, "prepared") {
		t.Errorf("%v, %q", h, held)
	}
	if h, _ := horizonOf(open, time.Time{}, time.Second, time.Minute); !h.Equal(now.Add(-time.Minute)) {
		t.Errorf("%v", h)
	}
}

func TestARestartGoesOnFromWhatWasVerified(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTracked(t, canonical.Instant)
		_ = b.during(func() { time.Sleep(10 * time.Second) })
		first := b.until()
		b.source.write(order(1, "while away", 1))
		time.Sleep(time.Hour)
		_ = b.during(func() { time.Sleep(10 * time.Second) })
		b.want("target_missing 1")
		if again := b.until(); !again.Since.Equal(first.Since) {
			t.Errorf("since %v, was %v", again.Since, first.Since)
		}
	})
}

func TestAFindingNobodyTookIsPublishedByTheNextRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTracked(t, canonical.Instant)
		refused := errors.New("no broker")
		b.published.before = func(int) error { return refused }
		err := b.during(func() {
			time.Sleep(5 * time.Second)
			b.source.write(order(1, "x", 1))
			time.Sleep(20 * time.Second)
		})
		if !errors.Is(err, refused) && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		b.published.before = nil
		_ = b.during(func() { time.Sleep(10 * time.Second) })
		b.want("target_missing 1")
	})
}

func TestAReadThatFailsEndsTheRunAndTheNextOneSeesTheRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTracked(t, canonical.Instant)
		away := errors.New("connection reset")
		var broken atomic.Bool
		b.replica.before = func(op string, _ int) error {
			if broken.Load() && op == "lookup" {
				return away
			}
			return nil
		}
		err := b.during(func() {
			time.Sleep(5 * time.Second)
			broken.Store(true)
			b.source.write(order(1, "x", 1))
			b.replica.put(order(1, "y", 1))
			time.Sleep(20 * time.Second)
		})
		if !errors.Is(err, away) {
			t.Fatalf("ended with %v", err)
		}
		b.want()
		broken.Store(false)
		_ = b.during(func() { time.Sleep(10 * time.Second) })
		b.want("neq 1")
	})
}

func TestARowThatKeepsChangingHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTracked(t, canonical.Instant)
		b.run.Confirm = time.Second
		_ = b.during(func() {
			for n := range 1000 { // every 70 ms, for 70 s; the copy follows late
				b.source.write(order(1, "hot", n))
				time.Sleep(60 * time.Millisecond)
				b.replica.put(order(1, "hot", n-1))
				time.Sleep(10 * time.Millisecond)
			}
			if behind := time.Since(b.until().Until); behind > 5*time.Second {
				t.Errorf("verified until %v ago", behind)
			}
			b.want()
			time.Sleep(10 * time.Second)
		})
		b.want("neq 1") // the last version never arrived
	})
}

func TestAClockSetBackHidesNoChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, back := range []time.Duration{5 * time.Second, time.Hour} {
			b := newTracked(t, canonical.Instant)
			b.by.Next = func(now time.Time) time.Time { return now.Add(10 * time.Second) }
			_ = b.during(func() {
				time.Sleep(65 * time.Second)
				b.source.skew.Store(int64(-back))
				b.source.write(order(1, "x", 1))
				time.Sleep(30 * time.Second)
			})
			b.want("target_missing 1")
			if !b.warned("went back") {
				t.Errorf("set back by %v and not said", back)
			}
		}
	})
}

func TestTimesWithoutAZoneAreRefusedWhereTheServerIsElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTracked(t, canonical.Timestamp)
		b.source.zone = "America/New_York"
		err := b.during(func() { time.Sleep(time.Second) })
		if err == nil || !strings.Contains(err.Error(), "updated_at_zone") {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestLocalTimesOfAZoneAreFollowedThroughTheHourThatComesTwice(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	c := schema.Changes{Zone: zone, Resolution: time.Microsecond}
	begin := time.Date(2026, 10, 24, 22, 0, 0, 0, time.UTC) // clocks go back at 01:00 UTC on the 25th
	last := time.Time{}
	for at := begin; at.Before(begin.Add(8 * time.Hour)); at = at.Add(7 * time.Minute) {
		local := c.Local(at)
		if local.Before(last) {
			t.Fatalf("at %v the horizon goes back from %v to %v", at, last, local)
		}
		last = local
		for later := at; later.Before(at.Add(3 * time.Hour)); later = later.Add(5 * time.Minute) {
			l := later.In(zone)
			written := time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), l.Second(), 0, time.UTC)
			if written.Before(local) {
				t.Fatalf("at %v the horizon is %v, and at %v rows get %v", at, local, later, written)
			}
		}
	}
}

func TestAColumnWithoutIndexIsReadRarelyAndItIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTracked(t, canonical.Instant)
		b.by.Indexed = false
		slow := b.by.Reader
		b.by.Reader = slowReader{slow, 2 * time.Second}
		_ = b.during(func() { time.Sleep(10 * time.Minute) })
		if b.source.asked > 20 {
			t.Errorf("%d scans of 2s in 10 minutes", b.source.asked)
		}
		if !b.warned("no index") {
			t.Errorf("not said: %q", b.warnings)
		}
	})
}

type slowReader struct {
	ChangeReader
	takes time.Duration
}

func (s slowReader) Changes(ctx context.Context, v *schema.View, after row.Key, from, until time.Time, n int) ([]row.Row, error) {
	time.Sleep(s.takes)
	return s.ChangeReader.Changes(ctx, v, after, from, until, n)
}

func TestAnotherComparisonFollowsChangesAnewAndSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTracked(t, canonical.Instant)
		_ = b.during(func() { time.Sleep(5 * time.Second) })
		b.run.Epoch++
		_ = b.during(func() { time.Sleep(5 * time.Second) })
		if !b.warned("belongs to another comparison: the epoch changed") {
			t.Errorf("not said: %q", b.warnings)
		}
	})
}

func TestAnIdleRunAsksOncePerInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTracked(t, canonical.Instant)
		_ = b.during(func() { time.Sleep(time.Minute) })
		if b.source.asked > 61 {
			t.Errorf("%d looks in 60 intervals", b.source.asked)
		}
	})
}
