// Package leader has one of several processes do what only one may do at a time,
// and another go on with it when that one is gone.
//
// Who lives is for a circle to say: Kafka's group coordinator, which takes a
// process for dead that was silent for a session. The one that leads gives up by
// its own clock when a session, less a moment, has passed since it asked for the last
// sign of life that was answered, which is before the coordinator can have given its
// place away; so two never lead at once, and nothing is compared between the clocks
// of two machines.
//
// What a process had sent before it stood still may arrive later nevertheless.
// Whoever takes over must write under a number of its own that outranks it.
package leader

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/trueup/trueup/pkg/circle"
)

const (
	// beat is the time between two signs of life: short against the shortest
	// session that brokers allow (6 s), since what happened in the circle is
	// learned with the next one.
	beat = time.Second
	// leaveTimeout bounds the farewell, without which the next one waits for the
	// session to end.
	leaveTimeout = 2 * time.Second
)

// errSilent, errEvicted and errOther end a term.
var (
	errSilent  = errors.New("the Kafka group was not reached for so long that another may lead by now")
	errEvicted = errors.New("the Kafka group took this process for dead; another may lead by now")
	errOther   = errors.New("another process leads")
)

// Election is one process's part in choosing who leads.
type Election struct {
	circle  circle.Circle
	name    string
	session time.Duration
	terms   chan context.Context // holds the newest that nobody has begun

	mu      sync.Mutex
	parent  context.Context //nolint:containedctx // of all terms
	elected bool            // in the last round
	until   time.Time       // when the term ends unless there is a sign of life
	expiry  *time.Timer
	end     context.CancelCauseFunc // of the present term; nil for none
	leading string                  // the name of who leads; empty when nobody knows
	why     error                   // what went wrong last, nil for nothing since
}

// New returns an election that this process has no part in yet. The circle must
// take a process for dead after session of silence, and wait for as long in a
// round for those that were there before. name tells people which process leads.
func New(c circle.Circle, name string, session time.Duration) *Election {
	return &Election{circle: c, name: name, session: session, terms: make(chan context.Context, 1)}
}

// Run takes part until ctx ends, and calls lead whenever this process is to
// lead. The context lead gets ends with ctx, and when the place may be another's.
// When lead returns before that, Run returns its error. Lead may put things away
// after ctx has ended: the place is kept until it returns.
func (e *Election) Run(ctx context.Context, lead func(context.Context) error) error {
	e.mu.Lock()
	e.parent = ctx
	e.mu.Unlock()
	alive, rest := context.WithCancel(context.WithoutCancel(ctx))
	var part sync.WaitGroup
	part.Go(func() { e.takePart(alive) })
	defer part.Wait()
	defer rest()
	for {
		select {
		case term := <-e.terms:
			if term.Err() != nil {
				continue
			}
			if err := lead(term); term.Err() == nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// Leads is nil while this process leads, and otherwise says why it does not.
// What only the one that leads may do asks it right before.
func (e *Election) Leads() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.end != nil && time.Now().Before(e.until):
		return nil
	case e.end != nil: // the clock has run on and the timer has not fired yet
		return errSilent
	case e.leading != "" && !e.elected:
		return fmt.Errorf("%w: %s", errOther, e.leading)
	case e.why != nil:
		return e.why
	default:
		return errors.New("who leads is not known yet")
	}
}

// StandsBy says whether this process is well and waits for the one that leads.
func (e *Election) StandsBy() bool { return errors.Is(e.Leads(), errOther) }

// takePart enters rounds until ctx ends.
func (e *Election) takePart(ctx context.Context) {
	defer e.leave(ctx)
	for {
		err := e.round(ctx)
		if ctx.Err() != nil {
			return
		}
		wait := beat
		switch {
		case circle.Evicted(err):
			e.lose(errEvicted)
			wait = beat / 10 // who makes everybody begin again and again is not to be helped by haste
		case circle.Again(err):
			wait = 0
		default:
			e.trouble(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// round joins, learns who leads, and gives signs of life until something is to be
// learned anew.
func (e *Election) round(ctx context.Context) error {
	leader, sent, err := e.enter(ctx)
	if err != nil {
		return err
	}
	e.learn(leader, sent)
	pulse := time.NewTicker(beat)
	defer pulse.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-pulse.C:
		}
		sent := time.Now()
		bounded, cancel := context.WithTimeout(ctx, 2*beat)
		err := e.circle.Beat(bounded)
		cancel()
		if err != nil {
			return err
		}
		e.renew(sent)
	}
}

// told is what a process says of itself, and what everybody is told: who leads.
type told struct {
	Name  string `json:"name"`
	Leads bool   `json:"leads"`
}

// enter is one round up to who leads, and when that was asked for.
func (e *Election) enter(ctx context.Context) (leader told, sent time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, e.session+2*beat)
	defer cancel()
	said, err := json.Marshal(told{Name: e.name, Leads: e.Leads() == nil})
	if err != nil {
		return leader, sent, err
	}
	everyone, err := e.circle.Join(ctx, said)
	if err != nil {
		return leader, sent, err
	}
	var parts map[string][]byte
	if everyone != nil {
		if parts, err = choose(everyone); err != nil {
			return leader, sent, err
		}
	}
	sent = time.Now()
	mine, err := e.circle.Sync(ctx, parts)
	if err != nil {
		return leader, sent, err
	}
	if err := json.Unmarshal(mine, &leader); err != nil {
		return leader, sent, fmt.Errorf("understand who leads: %w", err)
	}
	return leader, sent, nil
}

// choose tells each process who leads: the one that does already, else any. Only
// the chosen one is told that it is the one, since names may be alike.
func choose(everyone map[string][]byte) (map[string][]byte, error) {
	var leader told
	chosen := ""
	for _, process := range slices.Sorted(maps.Keys(everyone)) {
		var said told
		if json.Unmarshal(everyone[process], &said) == nil && (chosen == "" || said.Leads && !leader.Leads) {
			chosen, leader = process, said
		}
	}
	parts := map[string][]byte{}
	for process := range everyone {
		var err error
		if parts[process], err = json.Marshal(told{Name: leader.Name, Leads: process == chosen}); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// learn takes in who leads, as was asked at a moment.
func (e *Election) learn(leader told, sent time.Time) {
	if !leader.Leads {
		e.lose(errOther)
	}
	e.mu.Lock()
	e.elected, e.leading = leader.Leads, leader.Name
	e.mu.Unlock()
	e.renew(sent)
}

// renew takes in that a sign of life was answered that was given at a moment.
func (e *Election) renew(sent time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.why = nil
	until := sent.Add(e.session - beat) // so that it is over when the next one begins
	left := time.Until(until)
	if !e.elected || left <= 0 {
		return
	}
	e.until = until
	if e.end != nil {
		e.expiry.Reset(left)
		return
	}
	var term context.Context
	term, e.end = context.WithCancelCause(e.parent)
	e.expiry = time.AfterFunc(left, e.expire)
	select {
	case <-e.terms: // it is over, and nobody has begun it
	default:
	}
	e.terms <- term
}

// expire ends the term unless there was a sign of life since the timer was set.
func (e *Election) expire() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if time.Now().Before(e.until) {
		return
	}
	e.over(errSilent)
}

// lose ends the term: the place is another's.
func (e *Election) lose(why error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.elected, e.leading, e.why = false, "", why
	e.over(why)
}

// over ends the term. The lock is held.
func (e *Election) over(why error) {
	if e.end == nil {
		return
	}
	e.end(why)
	e.expiry.Stop()
	e.end, e.why = nil, why
}

// trouble notes what went wrong.
func (e *Election) trouble(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.why = err
	if e.end == nil {
		e.leading = "" // as far as is known
	}
}

func (e *Election) leave(ctx context.Context) {
	e.lose(context.Cause(ctx))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
	defer cancel()
	_ = e.circle.Leave(ctx) // or the others wait for the session to end
}
