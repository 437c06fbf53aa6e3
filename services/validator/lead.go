package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/leader"
	"github.com/trueup/trueup/services/assembly"
)

// leadProtocol names what validators say to each other about who leads; it
// changes with what they say.
const leadProtocol = "trueup-validator-1"

// newElection is that among the validators of one Kafka prefix: one runs the
// pairs, the others stand by.
func newElection(file assembly.File) (*leader.Election, error) {
	session := file.Validator.Takeover
	circle, err := kafka.NewCircle(file.Kafka, kafka.CircleConfig{
		Group: validatorGroup(file.Kafka), Protocol: leadProtocol, SessionTimeout: session, RoundTimeout: session,
	})
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("ask for this machine's name: %w", err)
	}
	return leader.New(circle, fmt.Sprintf("%s (process %d)", host, os.Getpid()), session), nil
}

func validatorGroup(c kafka.Config) string { return c.WithDefaults().Prefix + ".validator" }

// leads says how the process stands among the validators. One that stands by is
// ready: it does what it is there for.
func (v *validator) leads() (ready bool, detail string, since time.Time) {
	err := v.election.Leads()
	switch {
	case err == nil:
		return true, "", time.Time{}
	case v.election.StandsBy():
		return true, "this validator stands by: " + err.Error(), time.Time{}
	default:
		return false, fmt.Sprintf("no run is begun while it is not known who leads the validators (Kafka group %s): %v", validatorGroup(v.file.Kafka), err), time.Time{}
	}
}

// lead runs the pairs for as long as this process leads, from where those before
// it have come.
func (v *validator) lead(ctx context.Context, ready *readied) error {
	v.service.Log.Info().Msg("this validator leads")
	err := v.takeOver(ctx, ready)
	if err == nil {
		defer assembly.Background(ctx, func(ctx context.Context) { v.fence.hold(ctx, ready.states) })()
		v.serve(ctx, ready)
	}
	if lost := context.Cause(ctx); lost != nil && !errors.Is(lost, context.Canceled) {
		v.service.Log.Warn().Err(lost).Msg("this validator does not lead any more; its runs go on where they were, wherever they are begun again")
	}
	return err
}

// takeOver reads where runs stopped, and makes it known that whoever wrote that
// writes no more: from here on this process's records outrank all of before.
func (v *validator) takeOver(ctx context.Context, ready *readied) error {
	return v.attempt(ctx, "state", func(ctx context.Context) error {
		known, decisions, err := v.admin.ReadState(ctx)
		if err != nil {
			return err
		}
		if v.choice.once {
			ready.states = onceStates(v.led(), known)
		} else {
			ready.states = newStates(v.led(), known)
			if err := v.claim(ctx, ready.states); err != nil {
				return err
			}
		}
		v.conduct(ready)
		if err := v.announce(ctx, decisions); err != nil {
			return err
		}
		return v.equip(ready)
	})
}

// otherLeads says which other validator leads; empty for none.
func (v *validator) otherLeads() string {
	if v.election == nil || !v.election.StandsBy() {
		return ""
	}
	return v.election.Leads().Error()
}

// claim writes a record for every key that this process will write to. What an
// earlier one still has to send has a lower number, or the same and stood there
// before.
func (v *validator) claim(ctx context.Context, s *states) error {
	for i := range v.pairs {
		if err := s.claim(ctx, v.pairs[i]); err != nil {
			return err
		}
	}
	return nil
}

// led are the parts of the publisher that only the leading process may use. One
// that stood still may be at any point when it goes on, so they ask right before.
func (v *validator) led() led {
	if v.election == nil { // with --once, which waits for nobody
		return led{v.publisher, func() error { return nil }}
	}
	return led{v.publisher, v.election.Leads}
}

// led publishes what runs find and where they stand, while this process leads.
type led struct {
	publisher interface {
		statePublisher
		PublishFindings(ctx context.Context, found []event.Finding) error
	}
	leads func() error
}

// Publish implements validate.Publisher.
func (l led) Publish(ctx context.Context, found []event.Finding) error {
	if err := l.leads(); err != nil {
		return err
	}
	return l.publisher.PublishFindings(ctx, found)
}

// PublishState implements statePublisher.
func (l led) PublishState(ctx context.Context, state event.PairState) error {
	if err := l.leads(); err != nil {
		return err
	}
	return l.publisher.PublishState(ctx, state)
}
