package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/schema"
)

// altering is a pair whose tables the test alters.
type altering struct {
	*pairFixer
	changes  []string
	away     error // inspecting fails
	misfits  error // resolving fails
	next     fix.Fixer
	looks    int
	reported []event.Outcome
}

func newAltering(now fix.Fixer) *altering {
	a := &altering{}
	a.pairFixer = &pairFixer{
		fixer: now, looked: time.Now(), log: zerolog.Nop(),
		inspect: func(context.Context, *schema.Pair) ([]string, error) { a.looks++; return a.changes, a.away },
		open: func(context.Context) (*schema.Pair, fix.Fixer, error) {
			if a.misfits == nil {
				a.changes = nil
			}
			return nil, a.next, a.misfits
		},
		settled: func(o event.Outcome) { a.reported = append(a.reported, o) },
	}
	return a
}

// failing settles nothing.
type failing struct{}

func (failing) Repair(context.Context, []event.Finding) ([]event.Outcome, error) {
	return nil, errors.New("unknown column")
}

func (a *altering) repair(t *testing.T) ([]event.Outcome, error) {
	t.Helper()
	return a.Repair(t.Context(), []event.Finding{message("1", "orders", 1).Finding, message("2", "orders", 2).Finding})
}

func TestARefusalThatAnAlteredTableExplainsIsNotBelieved(t *testing.T) {
	for name, old := range map[string]*repairer{
		"a row is refused": {result: event.Dead}, "it fails": {result: event.Repaired, err: errors.New("unknown column")},
	} {
		a := newAltering(old)
		a.changes, a.next = []string{"column v is gone"}, &repairer{result: event.Repaired}
		outcomes, err := a.repair(t)
		if !errors.Is(err, errAltered) {
			t.Errorf("%s: %v", name, err)
		}
		for _, o := range outcomes {
			if o.Result == event.Dead {
				t.Errorf("%s: %+v is told all the same", name, o)
			}
		}
		if outcomes, err := a.repair(t); err != nil || len(outcomes) != 2 || outcomes[0].Result != event.Repaired {
			t.Errorf("%s: afterwards %v, %v", name, outcomes, err)
		}
	}
}

func TestARefusalIsBelievedWhenTheTablesAreAsTheyWere(t *testing.T) {
	a := newAltering(&repairer{result: event.Dead})
	if outcomes, err := a.repair(t); err != nil || len(outcomes) != 2 || a.looks != 1 {
		t.Errorf("%v, %v after %d looks", outcomes, err, a.looks)
	}
	denied := errors.New("denied")
	a.fixer = &repairer{err: denied}
	a.away = &database.Error{Class: dialect.ClassTransient, Err: errors.New("away")}
	if _, err := a.repair(t); !errors.Is(err, denied) {
		t.Errorf("got %v", err)
	}
}

func TestTablesAreLookedAtNowAndThenWithoutAReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAltering(&repairer{result: event.Repaired})
		for range 100 {
			if _, err := a.repair(t); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if a.looks < 8 || a.looks > 10 {
			t.Errorf("%d looks in 100 seconds", a.looks)
		}
	})
}

func TestFindingsOfTablesThatDoNotFitAreGivenUpAfterAWhileAndNotBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAltering(failing{})
		a.changes, a.misfits = []string{"column v is gone"}, errors.New("no column v")
		began := time.Now()
		for {
			outcomes, err := a.repair(t)
			if err == nil {
				if len(outcomes) != 2 || outcomes[0].Result != event.Dead || outcomes[0].Class != fix.ClassSchema || len(a.reported) != 2 {
					t.Errorf("outcomes %+v", outcomes)
				}
				break
			}
			if len(outcomes) != 0 {
				t.Errorf("outcomes %+v with %v", outcomes, err)
			}
			time.Sleep(time.Second)
		}
		if took := time.Since(began); took != alterationTime {
			t.Errorf("given up after %v", took)
		}
		// A table that is put right is used at once.
		a.changes, a.misfits, a.fixer = nil, nil, &repairer{result: event.Repaired}
		if outcomes, err := a.repair(t); err != nil || outcomes[0].Result != event.Repaired {
			t.Errorf("%v, %v", outcomes, err)
		}
	})
}

// TestNothingIsGivenUpForTablesThatCannotBeLookedAt: they did not fit when they were
// seen last, and may have been put right since.
func TestNothingIsGivenUpForTablesThatCannotBeLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAltering(failing{})
		a.changes, a.misfits = []string{"column v is gone"}, errors.New("no column v")
		if _, err := a.repair(t); err == nil {
			t.Fatal("tables that do not fit are repaired")
		}
		time.Sleep(time.Hour) // no finding comes
		a.away = &database.Error{Class: dialect.ClassTransient, Err: errors.New("connection refused")}
		if outcomes, err := a.repair(t); !errors.Is(err, a.away) || len(outcomes) > 0 {
			t.Errorf("%+v, %v", outcomes, err)
		}
		a.away, a.changes, a.misfits, a.fixer = nil, nil, nil, &repairer{result: event.Repaired}
		if outcomes, err := a.repair(t); err != nil || len(outcomes) != 2 || outcomes[0].Result != event.Repaired {
			t.Errorf("when they can: %+v, %v", outcomes, err)
		}
	})
}
