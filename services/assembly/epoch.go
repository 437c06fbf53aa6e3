package assembly

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/trueup/trueup/pkg/event"
)

// Decision is what the file says about the pair's authority.
func (p *Pair) Decision() event.Decision {
	return event.Decision{Pair: p.Name, Epoch: p.Epoch, Authority: p.Side()}
}

// Announcer writes decisions; *kafka.Publisher is one.
type Announcer interface {
	PublishDecision(ctx context.Context, d event.Decision) error
}

// Announce holds what the file says about each pair's authority against what was
// decided before, as check knows it, and makes new decisions known to everybody.
// It returns why this process may not act on some of the pairs, by name. An
// error says that a decision could not be written, or contradicts another and
// can be acted on by nobody.
func Announce(ctx context.Context, to Announcer, pairs []Pair, check func(event.Decision) (announced bool, err error)) (superseded map[string]error, err error) {
	superseded = map[string]error{}
	var fresh []event.Decision
	for i := range pairs {
		d := pairs[i].Decision()
		announced, err := check(d)
		if _, ok := errors.AsType[*event.SupersededError](err); ok {
			superseded[d.Pair] = err
			continue
		}
		if err != nil {
			return nil, err
		}
		if !announced {
			fresh = append(fresh, d)
		}
	}
	// None is announced before all were seen to contradict nothing.
	for _, d := range fresh {
		d.At = time.Now()
		if err := to.PublishDecision(ctx, d); err != nil {
			return nil, fmt.Errorf("announce epoch %d of pair %s: %w", d.Epoch, d.Pair, err)
		}
	}
	return superseded, nil
}
