package governor

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/trueup/trueup/pkg/circle"
)

// Times of a circle. What is held without a sign of life is given up about when
// others can get it: a round leaves out those that do not join within RoundTimeout.
// Who hears nothing learns late by grace that it has begun, and holds for that
// long what may be given away already; giving up sooner would have everybody pause
// in each round that waits for a dead member.
const (
	// RoundTimeout is how long a round waits for those that were there before.
	RoundTimeout = 4 * time.Second
	// SessionTimeout is how long a process may be silent before it is taken for
	// dead where no round begins; longer than lease.
	SessionTimeout = 10 * time.Second

	// beat is how late a process learns that a round has begun. It takes several
	// until all who begin together have their parts, and some of them wait for that; and
	// each takes the broker a millisecond of a core.
	beat = 500 * time.Millisecond
	// eager is the same in the time just after a round, eagerFor, when another one is
	// likely: somebody lets go, or comes together with others.
	eager    = 50 * time.Millisecond
	eagerFor = 2 * time.Second
	grace    = time.Second
	lease    = RoundTimeout + grace
	// answerTimeout is for how long a sign of life waits to be acknowledged.
	answerTimeout = 2 * time.Second
	// firstRound is when somebody should know that nothing was heard since the
	// start. A broker lets the first of a group wait for others, 3 s by default
	// (group.initial.rebalance.delay.ms).
	firstRound = 2 * lease
	// linger is for how long a governor keeps its part after its last work, so
	// that short gaps do not begin a round each.
	linger = 15 * time.Second
	// beforeJoining keeps processes that disturb each other from doing so all the time,
	// and beforeJoiningAgain those that only begin a round together.
	beforeJoining      = 100 * time.Millisecond
	beforeJoiningAgain = 20 * time.Millisecond
	// leaveTimeout bounds the farewell, without which the others wait for SessionTimeout.
	leaveTimeout = 2 * time.Second
)

// Sharing keeps the parts that a process has of the budgets it shares with
// others. Nothing is announced by clocks: who lives is for the circle to say, and
// how long ago something was is measured within one process.
type Sharing struct {
	// Machine tells the machine that this process runs on from others, and Neighbours is
	// told how many other processes that name it are at work. Both are set before Run, where
	// the machine's processors are to be divided.
	Machine    string
	Neighbours func(int)

	circle    circle.Circle
	wayOut    string
	governors []*Governor
	budgets   map[*Governor]string
	hurry     chan struct{}

	mu     sync.Mutex
	held   bool      // that the parts of the last round are not given up
	until  time.Time // when the parts are given up
	expiry *time.Timer
	why    error // what went wrong last
}

// NewSharing has governors admit no more than their part of what the processes of a
// circle may put on a database together, nothing before Run has been told a part.
// The governors come by database, and must not have been started. wayOut is added
// to the reason of a pause that comes of not being told.
func NewSharing(c circle.Circle, wayOut string, governors map[string][]*Governor) *Sharing {
	s := &Sharing{circle: c, wayOut: wayOut, budgets: map[*Governor]string{}, hurry: make(chan struct{}, 1)}
	for _, budget := range slices.Sorted(maps.Keys(governors)) {
		for _, g := range governors[budget] {
			g.share(s.wake)
			s.governors = append(s.governors, g)
			s.budgets[g] = budget
		}
	}
	return s
}

// Run takes part until ctx ends. Without a part for longer than lease, governors
// pause: what they may use belongs to others by then.
func (s *Sharing) Run(ctx context.Context) error {
	s.mu.Lock()
	s.until = time.Now().Add(firstRound)
	s.expiry = time.AfterFunc(firstRound, s.expire)
	s.mu.Unlock()
	defer s.leave(ctx)
	for {
		err := s.round(ctx)
		if ctx.Err() != nil {
			return nil
		}
		wait := time.Duration(0)
		switch {
		case err == nil:
		case circle.Evicted(err):
			s.lose(err)
			wait = beforeJoining // who makes everybody begin again and again is not to be helped by haste
		case circle.Again(err):
			wait = beforeJoiningAgain
		default:
			s.note(err)
			wait = grace
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// round joins, learns this process's part and keeps it until there is reason for
// another round, which is nil, or something goes wrong.
func (s *Sharing) round(ctx context.Context) error {
	claims := s.claims()
	part, sent, err := s.enter(ctx, claims)
	if err != nil {
		return err
	}
	s.take(part, sent)
	taken := time.Now()
	pulse := time.NewTimer(eager)
	defer pulse.Stop()
	for !s.differs(claims, part) {
		select {
		case <-ctx.Done():
			return nil
		case <-s.hurry:
			continue
		case <-pulse.C:
		}
		sent := time.Now()
		if sent.Sub(taken) < eagerFor {
			pulse.Reset(eager)
		} else {
			pulse.Reset(beat)
		}
		bounded, cancel := context.WithTimeout(ctx, answerTimeout)
		err := s.circle.Beat(bounded)
		cancel()
		if err != nil {
			return err
		}
		if !s.renew(sent) {
			return nil // the process stood still, and what it held may be others' by now
		}
	}
	return nil
}

// enter is one round up to the part it gives, and when that was asked for.
func (s *Sharing) enter(ctx context.Context, claims []Claim) (part Part, sent time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, RoundTimeout+answerTimeout)
	defer cancel()
	said, err := json.Marshal(claims)
	if err != nil {
		return part, sent, err
	}
	everyone, err := s.circle.Join(ctx, said)
	if err != nil {
		return part, sent, err
	}
	var parts map[string][]byte
	if everyone != nil {
		if parts, err = divideSaid(everyone); err != nil {
			return part, sent, err
		}
	}
	sent = time.Now()
	mine, err := s.circle.Sync(ctx, parts)
	if err != nil {
		return part, sent, err
	}
	if err := json.Unmarshal(mine, &part); err != nil {
		return part, sent, fmt.Errorf("understand the part of the budget: %w", err)
	}
	return part, sent, nil
}

// divideSaid is divide between what processes say and what they are told. A
// process that cannot be understood gets nothing.
func divideSaid(everyone map[string][]byte) (map[string][]byte, error) {
	claims := map[string][]Claim{}
	for process, said := range everyone {
		var list []Claim
		if json.Unmarshal(said, &list) != nil {
			list = nil
		}
		claims[process] = list
	}
	told := map[string][]byte{}
	for process, part := range divide(claims) {
		var err error
		if told[process], err = json.Marshal(part); err != nil {
			return nil, err
		}
	}
	return told, nil
}

func (s *Sharing) claims() []Claim {
	now := time.Now()
	claims := make([]Claim, len(s.governors))
	for i, g := range s.governors {
		claims[i] = g.claim(now)
		claims[i].Budget, claims[i].Machine = s.budgets[g], s.Machine
	}
	return claims
}

// differs says whether another round is due.
func (s *Sharing) differs(said []Claim, part Part) bool {
	for i, now := range s.claims() {
		if said[i].outdated(now, part) {
			return true
		}
	}
	return false
}

// outdated says whether a claim of now would be answered otherwise than this one was:
// work came or went, others wait for something that was let go of since, or could use
// what is not used here any more, or the other way round.
func (c Claim) outdated(now Claim, part Part) bool {
	has := part.Statements[c.Governor]
	switch {
	case now.Wants != c.Wants, part.Wanted && now.Holds < c.Holds-rounding:
		return true
	case !now.Wants:
		return false
	default:
		return now.Rests && !c.Rests && len(part.Lacking) > 0 ||
			part.Lacking[c.Governor] && now.Uses < c.Uses && float64(now.Uses) < has ||
			now.Uses > c.Uses && float64(c.Uses) <= has && float64(now.Uses) > has
	}
}

// wake has Run look at the claims at once.
func (s *Sharing) wake() {
	select {
	case s.hurry <- struct{}{}:
	default:
	}
}
