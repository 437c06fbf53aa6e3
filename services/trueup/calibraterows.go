package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/governor"
	"github.com/trueup/trueup/pkg/validate"
	"github.com/trueup/trueup/services/assembly"
)

// readRanges compares the first pair over and over until ctx ends, with one worker
// that rests most of the time, and tells the governors what a row took, as a
// validator does.
func readRanges(ctx context.Context, file assembly.File, g *assembly.Governors) error {
	p := &file.Pairs[0]
	method, err := assembly.ParseMethod(p.Method)
	if err != nil {
		return err
	}
	// The search for the next range's end goes on beside the comparison.
	dbs, err := assembly.Open(ctx, file.Source, file.Target, assembly.Access{Conns: 2, Application: "trueup"})
	if err != nil {
		return err
	}
	defer dbs.Close()
	pair, err := dbs.Resolve(ctx, p.Mapping(), method)
	if err != nil {
		return err
	}
	settings := file.Validator.Config
	settings.Threads = 1
	v, err := validate.New(settings, validate.Ports{
		Source: dbs.Source, Target: dbs.Target, Publisher: nowhere{},
		Pacer:    validate.Paced(leisurely(g.Of(event.Source, governor.Reads)), leisurely(g.Of(event.Target, governor.Reads))),
		Observer: costs{validate.NopObserver{}, g},
	})
	if err != nil {
		return err
	}
	for {
		_, err := v.Run(ctx, validate.Run{ID: uuid.NewString(), Pair: pair, Authority: p.Side(), Epoch: p.Epoch, Mode: validate.Full})
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("compare %s: %w", p.Name, err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(betweenRuns): // the table may be empty
		}
	}
}

const (
	// betweenRuns is the rest after the whole table was compared.
	betweenRuns = time.Second
	// rests is how many times longer than a read the rest is that follows it.
	rests = 9
)

// leisure admits what a governor admits, and rests after each.
type leisure struct {
	*governor.Governor

	mu   sync.Mutex
	next time.Time
}

func leisurely(g *governor.Governor) *leisure { return &leisure{Governor: g} }

// Acquire implements validate.Gate.
func (l *leisure) Acquire(ctx context.Context) (func(), error) {
	l.mu.Lock()
	rest := time.NewTimer(time.Until(l.next))
	l.mu.Unlock()
	defer rest.Stop()
	select {
	case <-rest.C:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	release, err := l.Governor.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	return func() {
		release()
		l.mu.Lock()
		defer l.mu.Unlock()
		now := time.Now()
		l.next = now.Add(rests * now.Sub(began))
	}, nil
}

// nowhere takes findings of comparisons that nobody asked for.
type nowhere struct{}

// Publish implements validate.Publisher.
func (nowhere) Publish(context.Context, []event.Finding) error { return nil }

// costs tells the governors what reading costs.
type costs struct {
	validate.Observer
	governors *assembly.Governors
}

// RangeDone implements validate.Observer.
func (c costs) RangeDone(r validate.RangeReport) {
	c.Observer.RangeDone(r)
	c.governors.Observe(r.Cost.Rows, r.Cost.Took)
}
