package fix_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/row"
)

// decisions answer with what the test says; await may change it.
type decisions struct {
	err   error
	asked int
	check func(asked int) error
	await func()
}

func (d *decisions) Check(event.Decision) error {
	d.asked++
	if d.check != nil {
		return d.check(d.asked)
	}
	return d.err
}

func (d *decisions) Await(context.Context) error {
	if d.await != nil {
		d.await()
	}
	return nil
}

var superseded = &event.SupersededError{
	Mine:    event.Decision{Pair: "orders", Epoch: 1, Authority: event.Source},
	Present: event.Decision{Pair: "orders", Epoch: 2, Authority: event.Target},
}

// untouched fails the test when a database is asked.
func (b *bench) untouched(t *testing.T) {
	b.hook(func(_ context.Context, step string, _ []row.Key) error {
		t.Errorf("%s: a database was asked", step)
		return nil
	})
}

func TestAFixerWhoseAuthorityHasChangedWritesNothing(t *testing.T) {
	b := damaged(4)
	b.config.Epoch = 1
	b.config.Epochs = &decisions{err: superseded}
	b.untouched(t)
	old, fresh := finding(1), finding(2)
	old.Epoch, fresh.Epoch = 1, 2
	outcomes, err := b.repairer(t).Repair(t.Context(), []event.Finding{old, fresh})
	if len(outcomes) != 1 || outcomes[0].Result != event.Held || outcomes[0].Class != fix.ClassStaleEpoch || outcomes[0].FindingID != old.ID {
		t.Errorf("outcomes %+v: want that of the old epoch held and the other left for a fixer that knows", outcomes)
	}
	if _, ok := errors.AsType[*event.SupersededError](err); !ok || !strings.Contains(err.Error(), "start it again with the present configuration") {
		t.Errorf("got %v", err)
	}
	if outcomes, err := b.repairer(t).Repair(t.Context(), []event.Finding{old}); err != nil || len(outcomes) != 1 {
		t.Errorf("a batch of old findings: %v, %v", outcomes, err)
	}
}

func TestTheAuthorityIsMadeSureOfRightBeforeTheCommit(t *testing.T) {
	for name, reason := range map[string]error{"changed": superseded, "not known": errors.New("the state topic was not read")} {
		b := damaged(4)
		b.config.Epoch = 1
		asked := &decisions{check: func(n int) error {
			if n > 1 {
				return reason
			}
			return nil
		}}
		b.config.Epochs = asked
		ctx, stop := context.WithCancel(t.Context())
		b.config.Observer = stopper{stop}
		_, err := b.repairer(t).Repair(ctx, []event.Finding{finding(1)})
		stop()
		if err == nil || b.copy.writes != 0 {
			t.Errorf("%s: %v, %d writes", name, err, b.copy.writes)
		}
		if asked.asked < 2 {
			t.Errorf("%s: asked %d times", name, asked.asked)
		}
	}
}

// stopper ends a repair when it begins to wait.
type stopper struct{ stop context.CancelFunc }

func (s stopper) Batch(string, int, time.Duration)     {}
func (s stopper) Waiting(string, error, time.Duration) { s.stop() }
func (s stopper) Settled(event.Outcome)                {}

func TestAFindingWhoseEpochIsBeingAnnouncedIsNotHeld(t *testing.T) {
	b := damaged(4)
	b.config.Epoch = 1
	known := &decisions{}
	known.await = func() { known.err = superseded }
	b.config.Epochs = known
	b.untouched(t)
	f := finding(1)
	f.Epoch = 2
	outcomes, err := b.repairer(t).Repair(t.Context(), []event.Finding{f})
	if _, ok := errors.AsType[*event.SupersededError](err); !ok || len(outcomes) != 0 {
		t.Errorf("%+v, %v: want the finding left for a fixer that knows its epoch", outcomes, err)
	}
}
