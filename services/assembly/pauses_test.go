package assembly

import (
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/governor"
)

func TestOneGiversPauseDoesNotEndAnothers(t *testing.T) {
	never := false
	file := File{Governor: Governor{Source: Budget{Concurrency: 2, Adapt: &never}, Target: Budget{Concurrency: 2, Adapt: &never}}}
	if err := file.Governor.validate(); err != nil {
		t.Fatal(err)
	}
	g, err := NewGovernors(file, zerolog.Nop(), nil, governor.Reads)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.begin(); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	paused := func(reason string) {
		t.Helper()
		for _, s := range g.Status() {
			if s.State != governor.Paused || !strings.Contains(s.Reason, reason) {
				t.Errorf("%s is %s: %q, want %q", s.Name, s.State, s.Reason, reason)
			}
		}
	}
	g.orderByFile("the file", now.Add(time.Hour))
	paused("the file")
	for range 10 { // whatever order they are looked at in
		if err := g.Pause("by ann", now.Add(2*time.Hour)); err != nil {
			t.Fatal(err)
		}
		paused("by ann")
	}
	g.Resume()
	paused("the file")
	if err := g.Pause("by ann", now.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	paused("the file")
	g.orderByFile("", time.Time{})
	paused("by ann")
	for _, until := range []time.Time{now.Add(-time.Second), now.Add(8 * 24 * time.Hour)} {
		if g.Pause("by ann", until) == nil {
			t.Errorf("paused until %v", until)
		}
	}
	if g.Pause("", now.Add(time.Hour)) == nil {
		t.Error("paused without a reason")
	}
}
