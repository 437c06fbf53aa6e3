package assembly

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// orders are the pauses of all governors that were ordered, by who gives them:
// one giver's end does not end another's.
type orders struct {
	mu    sync.Mutex
	given map[giver]pauseOrder
}

type giver uint8

const (
	byFile giver = iota
	byHand
)

type pauseOrder struct {
	reason string
	until  time.Time
}

// Pause has no governor admit anything until a moment, which must come within a
// week, or until Resume. It is forgotten when the process ends.
func (g *Governors) Pause(reason string, until time.Time) error {
	switch d := time.Until(until); {
	case reason == "":
		return errors.New("a pause needs a reason, for those who find it")
	case d <= 0 || d > maxPauseFor:
		return fmt.Errorf("a pause of %v is outside 1s to %v", d.Round(time.Second), maxPauseFor)
	}
	g.order(byHand, reason, until)
	return nil
}

// Resume ends a pause by Pause. One by the pause file goes on, and signals may
// keep a governor from admitting anything.
func (g *Governors) Resume() { g.order(byHand, "", time.Time{}) }

func (g *Governors) orderByFile(reason string, until time.Time) { g.order(byFile, reason, until) }

// order keeps what a giver asks for, a pause that has no reason or has passed
// being none, and has all governors obey the one that lasts longest.
func (g *Governors) order(by giver, reason string, until time.Time) {
	g.orders.mu.Lock()
	defer g.orders.mu.Unlock()
	if g.orders.given == nil {
		g.orders.given = map[giver]pauseOrder{}
	}
	g.orders.given[by] = pauseOrder{reason, until}
	var longest pauseOrder
	for _, o := range g.orders.given {
		if o.reason != "" && o.until.After(time.Now()) && o.until.After(longest.until) {
			longest = o
		}
	}
	for _, one := range g.list {
		if longest.reason == "" {
			one.Resume()
		} else if err := one.Pause(longest.reason, longest.until); err != nil {
			g.log.Warn().Err(err).Msg("a pause is not obeyed")
		}
	}
}
