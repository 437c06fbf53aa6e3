// Package circletest is a group coordinator for tests that behaves as Kafka's does,
// in the time of the test, and whose members can be cut off from it.
package circletest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Coordinator keeps a group as Kafka's does: a round begins when somebody joins,
// leaves or is silent for a session, and waits for the members that were there for
// as long as a round may last.
type Coordinator struct {
	session, most time.Duration

	mu        sync.Mutex
	members   map[string]*seat
	preparing time.Time // when the round that is being joined began; zero when none is
	round     int
	named     int
	lead      string
	synced    chan struct{} // closed when the parts of the round are there, or will not be
	parts     map[string][]byte
	rounds    int
}

// seat is a member as the coordinator knows it.
type seat struct {
	said   []byte
	heard  time.Time
	joined chan seated // not nil while the member waits for the round to end
}

type seated struct {
	round    int
	everyone map[string][]byte
}

// New returns a coordinator of a group without members. round is how long one
// waits for those that were there before.
func New(session, round time.Duration) *Coordinator {
	return &Coordinator{session: session, most: round, members: map[string]*seat{}, synced: make(chan struct{})}
}

// Rounds is how many there were.
func (c *Coordinator) Rounds() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rounds
}

// Run watches the clock until ctx ends.
func (c *Coordinator) Run(ctx context.Context) {
	pulse := time.NewTicker(50 * time.Millisecond)
	defer pulse.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-pulse.C:
			c.mu.Lock()
			c.look(time.Now())
			c.mu.Unlock()
		}
	}
}

// look takes the silent for dead and ends a round that everybody joined, or that
// has lasted too long.
func (c *Coordinator) look(now time.Time) {
	late := !c.preparing.IsZero() && now.Sub(c.preparing) >= c.most
	all := true
	for name, m := range c.members {
		switch {
		case m.joined != nil:
		case late || now.Sub(m.heard) >= c.session:
			delete(c.members, name)
			c.prepare(now)
		default:
			all = false
		}
	}
	if c.preparing.IsZero() || !all || len(c.members) == 0 {
		return
	}
	c.round++
	c.rounds++
	c.preparing, c.parts, c.synced = time.Time{}, nil, make(chan struct{})
	names := slices.Sorted(maps.Keys(c.members))
	c.lead = names[0]
	everyone := map[string][]byte{}
	for _, name := range names {
		everyone[name] = c.members[name].said
	}
	for _, name := range names {
		m := c.members[name]
		answer := seated{round: c.round}
		if name == c.lead {
			answer.everyone = everyone
		}
		m.joined <- answer
		m.joined, m.heard = nil, now
	}
}

// prepare begins a round, unless one is being joined.
func (c *Coordinator) prepare(now time.Time) {
	if c.preparing.IsZero() {
		c.preparing = now
		if c.parts == nil {
			close(c.synced) // nobody will get the parts of the round before
			c.parts = map[string][]byte{}
		}
	}
}

// Refusal is an error that a circle gives.
type Refusal struct{ again, evicted bool }

// Eviction says that the process was taken for dead.
var Eviction = Refusal{evicted: true}

func (Refusal) Error() string { return "the coordinator says so" }

// Again says that the members change.
func (r Refusal) Again() bool { return r.again }

// Evicted says that the process was taken for dead.
func (r Refusal) Evicted() bool { return r.evicted }

// Link is one process's way to the circle, over a network that can be cut.
type Link struct {
	coordinator *Coordinator
	member      string
	round       int

	mu   sync.Mutex
	cut  bool
	dead bool // the process was killed: it says no farewell
}

// Link is a new process's.
func (c *Coordinator) Link() *Link { return &Link{coordinator: c} }

// Kill has the process say no farewell.
func (l *Link) Kill() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead = true
}

// SetCut cuts the network, or puts it right.
func (l *Link) SetCut(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
}

// passes waits while the network is cut. What was sent meanwhile does not arrive
// later.
func (l *Link) passes(ctx context.Context) error {
	l.mu.Lock()
	cut := l.cut
	l.mu.Unlock()
	if cut {
		<-ctx.Done()
	}
	return ctx.Err()
}

// Join enters the circle or begins a round in it.
func (l *Link) Join(ctx context.Context, said []byte) (map[string][]byte, error) {
	if err := l.passes(ctx); err != nil {
		return nil, err
	}
	c := l.coordinator
	c.mu.Lock()
	if l.member == "" {
		c.named++
		l.member = strconv.Itoa(100 + c.named)
	}
	m := c.members[l.member]
	if m == nil {
		m = &seat{}
		c.members[l.member] = m
	}
	joined := make(chan seated, 1)
	m.said, m.heard, m.joined = said, time.Now(), joined
	c.prepare(time.Now())
	c.look(time.Now())
	c.mu.Unlock()
	select {
	case answer := <-joined:
		if err := l.passes(ctx); err != nil { // the answer is lost
			return nil, err
		}
		l.round = answer.round
		return answer.everyone, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// known says whether the coordinator knows the member in this round; its lock is held.
func (l *Link) known() error {
	m := l.coordinator.members[l.member]
	switch {
	case m == nil:
		l.member = ""
		return Eviction
	case l.round != l.coordinator.round:
		return Eviction
	}
	m.heard = time.Now()
	if !l.coordinator.preparing.IsZero() {
		return Refusal{again: true}
	}
	return nil
}

// Sync hands out parts and takes one.
func (l *Link) Sync(ctx context.Context, parts map[string][]byte) ([]byte, error) {
	if err := l.passes(ctx); err != nil {
		return nil, err
	}
	c := l.coordinator
	c.mu.Lock()
	err := l.known()
	if err == nil && parts != nil {
		c.parts = parts
		close(c.synced)
	}
	synced := c.synced
	c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	select {
	case <-synced:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := l.passes(ctx); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := l.known(); err != nil {
		return nil, err
	}
	return c.parts[l.member], nil
}

// Beat is a sign of life.
func (l *Link) Beat(ctx context.Context) error {
	if err := l.passes(ctx); err != nil {
		return err
	}
	l.coordinator.mu.Lock()
	defer l.coordinator.mu.Unlock()
	return l.known()
}

// Leave is a farewell.
func (l *Link) Leave(ctx context.Context) error {
	l.mu.Lock()
	dead := l.dead
	l.mu.Unlock()
	if dead {
		return errors.New("killed")
	}
	if err := l.passes(ctx); err != nil {
		return err
	}
	c := l.coordinator
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.members, l.member)
	c.prepare(time.Now())
	c.look(time.Now())
	return nil
}
