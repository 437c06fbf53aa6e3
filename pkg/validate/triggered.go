package validate

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/trueup/trueup/pkg/chunk"
	"github.com/trueup/trueup/pkg/row"
)

// Change is what a change event says.
type Change struct {
	// Keys are rows that may have changed; All says that every row may have.
	Keys []row.Key
	All  bool
	// At is when it was committed at the authority: everything committed there
	// before it is among the events up to this one. Zero where that is not known.
	At time.Time
	// Mark stands for everything up to this event, in the feed's own terms.
	Mark any
}

// Feed is where change events come from.
type Feed interface {
	// Next waits for the next event. An error ends the run.
	Next(ctx context.Context) (Change, error)
	// Done says that everything up to a mark was looked at, and of what differs
	// findings are durable. It must not block.
	Done(mark any)
}

// ByTrigger is what a triggered run needs beyond what every run does.
type ByTrigger struct {
	Feed Feed
	// Settle is how long after its event a row is looked at; events of the same
	// row meanwhile are one.
	Settle time.Duration
	// Pending bounds the keys that wait. When there are more, the range that
	// holds them is compared instead.
	Pending int
	// Told is told what was done; it must not block.
	Told func(TriggerReport)
}

// TriggerReport counts what became of events since the last report.
type TriggerReport struct {
	Pair string
	// Events were read; of them Keys different rows were looked at, and Spilled
	// times a range instead.
	Events, Keys, Spilled int
	// Verified is the newest commit at the authority with which all before it are
	// dealt with; zero for no news.
	Verified time.Time
}

// taken is how far a feed was taken, and the newest commit up to there.
type taken struct {
	mark any
	at   time.Time
}

// triggered is such a run at work.
type triggered struct {
	*stream
	ByTrigger

	verified time.Time // the newest commit that was told of

	mu      sync.Mutex
	current *pending
	failed  error
}

// Triggered runs until ctx ends or something has to be started anew; it never
// returns nil.
func (v *Validator) Triggered(ctx context.Context, spec Run, by ByTrigger) error {
	spec.Mode = Triggered
	t := &triggered{ByTrigger: by}
	s, err := v.newStream(ctx, spec, t.requeue)
	if err != nil {
		return err
	}
	t.stream = s
	t.current = t.fresh()
	return s.flow(ctx, t.produce, t.keep)
}

// generations are how many lots of pending keys there are at the same time: the
// one that gathers, and those that settle. More of them means that a key waits
// less for those gathered with it.
const generations = 8

func (t *triggered) fresh() *pending {
	return newPending(max(t.Pending/generations, 1), t.authority.view.KeyColumns())
}

// requeue has a row looked at once more that changed while it was looked at.
func (t *triggered) requeue(key row.Key) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.current.add(Change{Keys: []row.Key{key}}, time.Now())
}

// produce lets events gather for a part of the settling time, seals the lot,
// and hands it out once its youngest event has settled. A row that keeps
// changing is in every lot and looked at once for each.
func (t *triggered) produce(ctx context.Context) error {
	var reader sync.WaitGroup
	reading, stop := context.WithCancel(ctx)
	reader.Go(func() { t.readFeed(reading) })
	defer reader.Wait()
	defer stop() // or it would wait for the next event, and read on
	step := max(t.Settle/(generations-1), time.Millisecond)
	tick := time.NewTicker(step)
	defer tick.Stop()
	type lot struct {
		*pending
		sealed time.Time
	}
	var lots []lot
	for {
		var settled <-chan time.Time
		if len(lots) > 0 {
			settled = time.After(time.Until(lots[0].sealed.Add(t.Settle)))
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-settled:
			if err := t.handOut(ctx, lots[0].pending); err != nil {
				return err
			}
			lots = lots[1:]
		case <-tick.C:
			next, err := t.seal()
			if err != nil {
				return err
			}
			if next != nil {
				lots = append(lots, lot{next, time.Now()})
			}
		}
	}
}

// seal takes what has gathered; nil when nothing has.
func (t *triggered) seal() (*pending, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed != nil {
		return nil, t.failed
	}
	if t.current.empty() {
		return nil, nil
	}
	sealed := t.current
	t.current = t.fresh()
	return sealed, nil
}

func (t *triggered) readFeed(ctx context.Context) {
	for {
		change, err := t.Feed.Next(ctx)
		t.mu.Lock()
		if err != nil {
			t.failed = fmt.Errorf("read change events: %w", err)
			t.mu.Unlock()
			return
		}
		spilled := t.current.add(change, time.Now())
		t.mu.Unlock()
		if spilled {
			t.observer.Warn(t.spec.Pair.Name, fmt.Sprintf("more than %d rows changed within %s; the range that holds them is compared instead", t.Pending/generations, t.Settle/(generations-1)))
			t.tell(TriggerReport{Spilled: 1})
		}
	}
}

func (t *triggered) tell(r TriggerReport) {
	if t.Told != nil {
		r.Pair = t.spec.Pair.Name
		t.Told(r)
	}
}

// handOut looks at a lot.
func (t *triggered) handOut(ctx context.Context, p *pending) error {
	t.tell(TriggerReport{Events: p.events, Keys: len(p.keys)})
	if p.dirty != nil {
		if err := t.sweep(*p.dirty); err != nil {
			return err
		}
	}
	keys := make([]row.Key, 0, len(p.keys))
	for _, key := range p.keys {
		keys = append(keys, key)
	}
	for _, batch := range batches(keys, t.config.BatchRows) {
		if !t.check(batch, nil) {
			return context.Cause(ctx)
		}
	}
	if p.mark != nil && !t.check(nil, p.mark) {
		return context.Cause(ctx)
	}
	return nil
}

// sweep compares a range of keys as a full run does, piece by piece.
func (t *triggered) sweep(r row.Range) error {
	for number, pass := range t.passes {
		var boundaries []chunk.Boundary
		for _, s := range pass.cut {
			boundaries = append(boundaries, t.boundary(s))
		}
		splitter := chunk.NewSplitter(r.After, boundaries...)
		for last := false; !last; {
			next, err := t.cut(splitter.Next)
			if err != nil {
				return err
			}
			if !next.ok {
				break
			}
			if r.Through != nil && (next.bounds.Through == nil || !less(next.bounds.Through, r.Through)) {
				next.bounds.Through, last = r.Through, true
			}
			task, admitted := t.ledger.add(t.scan, chunk.Work{Pass: number, Range: next.bounds})
			if !admitted || !t.hand(t.tasks, task) {
				return context.Cause(t.scan)
			}
		}
	}
	return nil
}

// keep tells the feed how far it was dealt with.
func (t *triggered) keep(_ context.Context, mark any, _ bool) error {
	reached := mark.(*taken) //nolint:forcetypeassert // handOut hands out no other
	t.Feed.Done(reached.mark)
	if reached.at.After(t.verified) {
		t.verified = reached.at
		t.tell(TriggerReport{Verified: reached.at})
	}
	return nil
}
