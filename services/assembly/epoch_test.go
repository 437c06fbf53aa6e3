package assembly

import (
	"context"
	"errors"
	"testing"

	"github.com/trueup/trueup/pkg/event"
)

// board notes what is announced.
type board struct {
	announced []event.Decision
	err       error
}

func (b *board) PublishDecision(_ context.Context, d event.Decision) error {
	if b.err == nil {
		b.announced = append(b.announced, d)
	}
	return b.err
}

var twoPairs = []Pair{{Name: "a", Authority: "source", Epoch: 1}, {Name: "b", Authority: "target", Epoch: 2}}

func TestOnlyWhatIsNewIsAnnouncedAndOnlyWhatHasPassedIsSuperseded(t *testing.T) {
	passed := &event.SupersededError{}
	for name, c := range map[string]struct {
		check     func(event.Decision) (bool, error)
		announced []string
		passed    []string
	}{
		"all new":   {func(event.Decision) (bool, error) { return false, nil }, []string{"a", "b"}, nil},
		"all known": {func(event.Decision) (bool, error) { return true, nil }, nil, nil},
		"one has passed": {func(d event.Decision) (bool, error) {
			if d.Pair == "a" {
				return false, passed
			}
			return false, nil
		}, []string{"b"}, []string{"a"}},
	} {
		var to board
		superseded, err := Announce(t.Context(), &to, twoPairs, c.check)
		if err != nil || len(superseded) != len(c.passed) || len(to.announced) != len(c.announced) {
			t.Errorf("%s: superseded %v, announced %v, %v", name, superseded, to.announced, err)
			continue
		}
		for i, d := range to.announced {
			if d.Pair != c.announced[i] || d.At.IsZero() || d.Pair == "b" && (d.Epoch != 2 || d.Authority != event.Target) {
				t.Errorf("%s: announced %+v", name, d)
			}
		}
	}
}

func TestAContradictionKeepsEverythingFromBeingAnnounced(t *testing.T) {
	var to board
	_, err := Announce(t.Context(), &to, twoPairs, func(d event.Decision) (bool, error) {
		if d.Pair == "b" {
			return false, &event.DisputedError{Mine: d}
		}
		return false, nil
	})
	if _, ok := errors.AsType[*event.DisputedError](err); !ok || len(to.announced) > 0 {
		t.Errorf("announced %v, %v", to.announced, err)
	}
	away := errors.New("kafka is away")
	if _, err := Announce(t.Context(), &board{err: away}, twoPairs, func(event.Decision) (bool, error) { return false, nil }); !errors.Is(err, away) {
		t.Errorf("got %v", err)
	}
}
