package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"connectrpc.com/connect"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/standing"
	"github.com/trueup/trueup/pkg/validate"
	controlv1 "github.com/trueup/trueup/proto/trueup/control/v1"
)

// Promote implements the service. All of a name's pairs may be promoted before any
// is, so that shards stay together.
func (c *control) Promote(ctx context.Context, r *connect.Request[controlv1.PromoteRequest]) (*connect.Response[controlv1.PromoteResponse], error) {
	m := r.Msg
	to, err := sideOf(m.GetTo())
	if err != nil {
		return nil, err
	}
	named, err := c.named(m.GetPair())
	if err != nil {
		return nil, err
	}
	if !m.GetForce() {
		if err := c.promotable(named); err != nil {
			return nil, err
		}
	}
	out := &controlv1.PromoteResponse{}
	_, err = c.order(ctx, "promote "+to.String(), m.GetPair(), m, nil, func(ctx context.Context, one *conductor, _ event.Order) error {
		d, err := c.promote(ctx, one, to)
		if err == nil {
			out.Decisions = append(out.Decisions, &controlv1.Decision{Pair: d.Pair, Epoch: d.Epoch, Authority: d.Authority.String()})
		}
		return err
	})
	return connect.NewResponse(out), err
}

func sideOf(name string) (event.Side, error) {
	for _, side := range []event.Side{event.Source, event.Target} {
		if side.String() == name {
			return side, nil
		}
	}
	return event.SideUnknown, refused(connect.CodeInvalidArgument, "%q is no side; say source or target", name)
}

// promotable is an error that says what is not known to be equal.
func (c *control) promotable(named []*conductor) error {
	stands := map[string]standing.Pair{}
	for _, s := range c.history.Snapshot() {
		stands[s.Pair] = s
	}
	var against []string
	for _, one := range named {
		reasons := notEqual(one.pair.Decision(), stands[one.pair.Name], c.history.Verdicts(one.pair.Name), time.Now())
		if len(reasons) > 0 {
			against = append(against, one.pair.Name+": "+strings.Join(reasons, ", "))
		}
	}
	if len(against) == 0 {
		return nil
	}
	return refused(connect.CodeFailedPrecondition, "the sides are not known to be equal (%s); repair and run again, or promote by force", strings.Join(against, "; "))
}

const (
	// maxWhole is how long ago a clean run may have begun where nothing follows
	// changes since: a nightly run's age, and the time that one takes.
	maxWhole = 26 * time.Hour
	// maxBehind is how far those that follow changes may be behind.
	maxBehind = time.Minute
)

// notEqual are the reasons why a pair is not known to be equal now; none when it is.
func notEqual(now event.Decision, s standing.Pair, verdicts []event.Verdict, at time.Time) []string {
	var reasons []string
	var last *event.Verdict
	for i, v := range verdicts {
		// One under another configuration looked at other tables, or in another way.
		if v.Mode == validate.Full.String() && v.Epoch == now.Epoch && v.Config == s.Config {
			last = &verdicts[i]
		}
	}
	switch {
	case last == nil:
		reasons = append(reasons, fmt.Sprintf("no full run of epoch %d has ended under this configuration", now.Epoch))
	case !last.Clean:
		reasons = append(reasons, "the last full run was not clean")
	}
	switch {
	case !s.Known:
		reasons = append(reasons, "which rows are open is not known")
	case s.Open > 0:
		reasons = append(reasons, fmt.Sprintf("%d rows are open", s.Open))
	}
	behind, followed := time.Duration(-1), false
	for _, w := range s.Verified {
		if w.Mode != validate.Incremental.String() {
			continue // it moves with events, and there may be none
		}
		followed = last != nil && !w.Since.IsZero() && !w.Since.After(last.Began)
		if d := time.Duration(w.BehindSeconds * float64(time.Second)); behind < 0 || d < behind {
			behind = d
		}
	}
	switch {
	case behind > maxBehind:
		reasons = append(reasons, fmt.Sprintf("what changed in the last %v is not verified", behind.Round(time.Second)))
	case !followed && last != nil && at.Sub(last.Began) > maxWhole:
		reasons = append(reasons, "the last full run began at "+last.Began.UTC().Format(time.RFC3339)+", and nothing follows changes since")
	}
	return reasons
}

// promoted makes the next decision about a pair durable. This process was
// configured for the one before, and does nothing more for the pair.
func (v *validator) promoted(ctx context.Context, one *conductor, to event.Side) (event.Decision, error) {
	mine := one.pair.Decision()
	if mine.Authority == to {
		return mine, refused(connect.CodeFailedPrecondition, "the %s of %s is right already, in epoch %d", to, mine.Pair, mine.Epoch)
	}
	_, decisions, err := v.admin.ReadState(ctx)
	if err != nil {
		return mine, err
	}
	if _, err := decisions.Check(mine); err != nil {
		return mine, connect.NewError(connect.CodeFailedPrecondition, err)
	}
	next := event.Decision{Pair: mine.Pair, Epoch: mine.Epoch + 1, Authority: to, At: time.Now()}
	if err := v.publisher.PublishDecision(ctx, next); err != nil {
		return mine, fmt.Errorf("announce epoch %d of pair %s: %w", next.Epoch, next.Pair, err)
	}
	superseded := &event.SupersededError{Mine: mine, Present: next}
	v.stopped(mine.Pair, superseded)
	if run := one.running(); run != nil {
		run.stop(superseded)
	}
	return next, nil
}
