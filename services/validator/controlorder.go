package main

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/trueup/trueup/pkg/event"
	controlv1 "github.com/trueup/trueup/proto/trueup/control/v1"
	"github.com/trueup/trueup/services/assembly"
)

// orderTime bounds how long making an order durable may take, so that whoever
// gave it is told that Kafka is away.
const orderTime = 15 * time.Second

// order does what is asked for to every pair that a name means.
func (c *control) order(ctx context.Context, action, name string, who whoAsks, lasts *durationpb.Duration,
	do func(context.Context, *conductor, event.Order) error,
) ([]*controlv1.Pair, error) {
	o, err := orderFrom(ctx, who, lasts)
	if err != nil {
		return nil, err
	}
	named, err := c.named(name)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, orderTime, errors.New("Kafka did not take the order in time; it may take effect yet, ask for the status"))
	defer cancel()
	var errs []error
	for _, one := range named {
		err := do(ctx, one, o)
		c.note(ctx, action, one.pair.Name, o, err)
		errs = append(errs, err)
	}
	return c.statusOf(named), joined(errs)
}

// joined is what all the pairs' errors come to. Where a name means several
// pairs, those for which the order makes no sense are passed over as long as
// there is one for which it does.
func joined(errs []error) error {
	var pointless error
	obeyed := false
	for _, err := range errs {
		e, ok := errors.AsType[*connect.Error](err)
		switch {
		case err == nil:
			obeyed = true
		case !ok:
			return connect.NewError(connect.CodeUnavailable, err)
		case pointless == nil:
			pointless = e
		}
	}
	if obeyed {
		return nil
	}
	return pointless
}

// whoAsks is a request that says who gives an order and why.
type whoAsks interface {
	GetWho() string
	GetWhy() string
}

// Bounds of what an order says, in bytes.
const (
	maxWho = 100
	maxWhy = 500
)

// orderFrom is the order of a request. Whoever does not say who he is, is called
// what he has proved to be.
func orderFrom(ctx context.Context, m whoAsks, lasts *durationpb.Duration) (event.Order, error) {
	now := time.Now()
	o := event.Order{Who: strings.TrimSpace(m.GetWho()), Why: strings.Join(strings.Fields(m.GetWhy()), " "), At: now}
	if o.Who == "" {
		o.Who = assembly.CallerOf(ctx).Name
	}
	switch {
	case len(o.Who) > maxWho || len(o.Why) > maxWhy || !utf8.ValidString(o.Who):
		return o, refused(connect.CodeInvalidArgument, "who may have %d bytes and why %d", maxWho, maxWhy)
	case lasts == nil:
		return o, nil
	case lasts.CheckValid() != nil || lasts.AsDuration() <= 0:
		return o, refused(connect.CodeInvalidArgument, "a pause lasts longer than nothing; leave its length out for one without an end")
	}
	o.Until = now.Add(lasts.AsDuration())
	return o, nil
}

// note logs who asked for what.
func (c *control) note(ctx context.Context, action, pair string, o event.Order, err error) {
	caller := assembly.CallerOf(ctx)
	line := c.log.Info()
	if err != nil {
		line = c.log.Warn().Err(err)
	}
	if !o.Until.IsZero() {
		line = line.Time("until", o.Until)
	}
	line.Str("action", action).Str("pair", pair).Str("who", o.Who).Str("why", o.Why).
		Str("proved", caller.Name).Str("from", caller.Address).Msg("order")
}
