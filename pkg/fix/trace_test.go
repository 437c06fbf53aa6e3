package fix

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/trueup/trueup/pkg/event"
)

func TestWithoutATracerStepsCostNothing(t *testing.T) {
	s := &session{r: &Repairer{}}
	jobs := []*job{{findings: []*event.Finding{{TraceParent: "a"}}}}
	writes := []write{{job: jobs[0]}}
	if n := testing.AllocsPerRun(100, func() {
		s.step(t.Context(), StepLock, jobs)(nil)
		s.writing(t.Context(), StepWrite, writes)(nil)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// contexts notes the trace contexts of the steps it is told of.
type contexts struct{ told []string }

func (c *contexts) Step(_ context.Context, step string, of iter.Seq[string]) func(error) {
	return func(err error) { c.told = append(c.told, fmt.Sprint(step, slices.Collect(of), err)) }
}

func TestAStepIsToldOfEveryFindingOfItsRows(t *testing.T) {
	told := &contexts{}
	s := &session{r: &Repairer{cfg: Config{Tracer: told}}}
	one := &job{findings: []*event.Finding{{TraceParent: "a"}, {TraceParent: "b"}}}
	inTheWay := &job{cause: &event.Finding{TraceParent: "a"}}
	s.writing(t.Context(), StepWrite, []write{{job: one}, {job: inTheWay}})(nil)
	if want := []string{"write[a b] <nil>"}; !slices.Equal(told.told, want) {
		t.Errorf("told of %q, want %q", told.told, want)
	}
}
