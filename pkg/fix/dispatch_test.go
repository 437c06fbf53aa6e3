package fix_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
)

// shelf keeps what a Dispatcher made durable.
type shelf struct {
	outcomes    []event.Outcome
	letters     []fix.DeadLetter
	failPublish error
	failBury    error
}

func (s *shelf) Publish(_ context.Context, o []event.Outcome) error {
	if s.failPublish == nil {
		s.outcomes = append(s.outcomes, o...)
	}
	return s.failPublish
}

func (s *shelf) Bury(_ context.Context, l []fix.DeadLetter) error {
	if s.failBury == nil {
		s.letters = append(s.letters, l...)
	}
	return s.failBury
}

// fixer settles everything in the same way, and fails after that many findings.
type fixer struct {
	result event.Result
	after  int
	err    error
}

func (f fixer) Repair(_ context.Context, findings []event.Finding) ([]event.Outcome, error) {
	var out []event.Outcome
	for i, finding := range findings {
		if f.err != nil && i == f.after {
			return out, f.err
		}
		out = append(out, event.Outcome{FindingID: finding.ID, Pair: finding.Pair, Run: finding.Run, Key: finding.Key, Result: f.result})
	}
	return out, nil
}

func of(pair string, id int) event.Finding {
	f := finding(id)
	f.Pair = pair
	return f
}

func TestEveryFindingOfEveryPairGetsADurableOutcome(t *testing.T) {
	s, w := &shelf{}, &watcher{}
	d := &fix.Dispatcher{Outcomes: s, Dead: s, Observer: w, Pairs: map[string]fix.Fixer{
		"a": fixer{result: event.Repaired}, "b": fixer{result: event.Dead},
	}}
	findings := []event.Finding{of("a", 1), of("b", 1), of("nobody", 1), of("a", 2), of("b", 1)}
	if err := d.Dispatch(t.Context(), findings); err != nil {
		t.Fatal(err)
	}
	if len(s.outcomes) != len(findings) {
		t.Errorf("%d outcomes for %d findings", len(s.outcomes), len(findings))
	}
	if len(w.settled) != 1 || w.settled[0].Pair != "nobody" {
		t.Errorf("the observer heard of %v", w.settled)
	}
	if len(s.letters) != 2 { // b's, once, and nobody's
		t.Errorf("%d dead letters: %v", len(s.letters), s.letters)
	}
	for _, l := range s.letters {
		if l.Finding.Pair != l.Outcome.Pair || l.Outcome.Result != event.Dead {
			t.Errorf("finding of %s with an outcome of %s, %s", l.Finding.Pair, l.Outcome.Pair, l.Outcome.Result)
		}
	}
}

func TestAnErrorOfOnePairIsReturnedAndTheOthersOutcomesArePublished(t *testing.T) {
	s := &shelf{}
	denied := errors.New("denied")
	d := &fix.Dispatcher{Outcomes: s, Dead: s, Pairs: map[string]fix.Fixer{
		"a": fixer{result: event.Repaired, after: 1, err: denied}, "b": fixer{result: event.Repaired},
	}}
	err := d.Dispatch(t.Context(), []event.Finding{of("a", 1), of("a", 2), of("b", 1)})
	if !errors.Is(err, denied) || len(s.outcomes) != 2 {
		t.Errorf("%v, %d outcomes", err, len(s.outcomes))
	}
}

func TestWhatIsNotDurableIsAnError(t *testing.T) {
	away := errors.New("broker away")
	pairs := map[string]fix.Fixer{"a": fixer{result: event.Dead}}
	for name, s := range map[string]*shelf{"outcomes": {failPublish: away}, "dead letters": {failBury: away}} {
		d := &fix.Dispatcher{Outcomes: s, Dead: s, Pairs: pairs}
		if err := d.Dispatch(t.Context(), []event.Finding{of("a", 1)}); !errors.Is(err, away) {
			t.Errorf("%s not published: %v", name, err)
		}
		if name == "dead letters" && len(s.outcomes) != 0 {
			t.Error("an outcome points to a dead letter that is not there")
		}
	}
}

func TestNoFindingsAreNoWork(t *testing.T) {
	if err := (&fix.Dispatcher{}).Dispatch(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

// meeting lets Repair calls go on when as many as expected are in it.
type meeting struct {
	all   sync.WaitGroup
	mu    sync.Mutex
	calls []map[string]bool // the keys of each call
}

func (m *meeting) Repair(_ context.Context, findings []event.Finding) ([]event.Outcome, error) {
	keys := map[string]bool{}
	for _, f := range findings {
		keys[f.Key.Values().ID()] = true
	}
	m.mu.Lock()
	m.calls = append(m.calls, keys)
	m.mu.Unlock()
	m.all.Done()
	m.all.Wait()
	return nil, nil
}

func TestFindingsOfOnePairAreRepairedInStripesAndThoseOfOneKeyTogether(t *testing.T) {
	for stripes, want := range map[int]int{0: 1, 1: 1, 3: 3, 1000: 8} { // 200 findings are worth 8
		m := &meeting{}
		m.all.Add(want)
		var findings []event.Finding
		for i := range 200 {
			f := of("a", i%100)
			f.ID = fmt.Sprint("finding ", i) // two of each key
			findings = append(findings, f)
		}
		d := &fix.Dispatcher{Outcomes: &shelf{}, Stripes: stripes, Pairs: map[string]fix.Fixer{"a": m}}
		if err := d.Dispatch(t.Context(), findings); err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, keys := range m.calls {
			for key := range keys {
				if seen[key] {
					t.Errorf("%d stripes: key %s is in two", stripes, key)
				}
				seen[key] = true
			}
		}
		if len(m.calls) != want || len(seen) != 100 {
			t.Errorf("%d stripes: %d calls about %d keys", stripes, len(m.calls), len(seen))
		}
	}
}
