package validate

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trueup/trueup/pkg/schema"
)

// traces is a Tracer that remembers: each context names what it stands below.
type traces struct {
	mu    sync.Mutex
	begun []string
	ended map[string]string
}

func (t *traces) begin(context string) (string, func(string)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.begun = append(t.begun, context)
	return context, func(how string) {
		t.mu.Lock()
		defer t.mu.Unlock()
		if before, twice := t.ended[context]; twice {
			how = before + " and " + how
		}
		t.ended[context] = how
	}
}

func (t *traces) Run(spec Run) (string, func(Verdict, error)) {
	context, end := t.begin(spec.ID)
	return context, func(v Verdict, err error) {
		end(fmt.Sprintf("complete %t, %d findings, %v", v.Complete, v.Findings(), err))
	}
}

func (t *traces) Range(run string, _ Run, place Place) (string, func(RangeReport, bool)) {
	context, end := t.begin(fmt.Sprintf("%s/%d.%d", run, place.Pass, place.Number))
	return context, func(r RangeReport, finished bool) {
		end(fmt.Sprintf("%d rows, %d differ, finished %t", r.Scanned, r.Differences, finished))
	}
}

func (t *traces) Confirm(of string, suspects int) (string, func(error)) {
	context, end := t.begin(fmt.Sprintf("%s/%d suspects", of, suspects))
	return context, func(err error) { end(fmt.Sprint(err)) }
}

func TestAFindingContinuesTheTraceOfTheLookThatFoundIt(t *testing.T) {
	for confirm, want := range map[time.Duration]string{0: "run/0.1", time.Second: "run/0.1/2 suspects"} {
		synctest.Test(t, func(t *testing.T) {
			followed := &traces{ended: map[string]string{}}
			a, c := newTable(orders(1, 30)...), newTable(orders(1, 30)...)
			c.remove(15)
			c.remove(16)
			b := newBench(t, a, c, schema.Merge).rangesOf(10)
			b.run.Confirm, b.ports.Tracer = confirm, followed
			if v := b.verdict(); v.TargetMissing != 2 {
				t.Fatalf("%+v", v)
			}
			for _, f := range b.published.findings {
				if f.TraceParent != want {
					t.Errorf("confirm %s: a finding of the trace %q, want %q", confirm, f.TraceParent, want)
				}
			}
			for context, how := range map[string]string{
				"run": "complete true, 2 findings, <nil>", "run/0.0": "10 rows, 0 differ, finished true", "run/0.1": "10 rows, 2 differ, finished true",
			} {
				if got := followed.ended[context]; got != how {
					t.Errorf("confirm %s: %s ended with %q, want %q", confirm, context, got, how)
				}
			}
			if len(followed.ended) != len(followed.begun) {
				t.Errorf("begun %q, ended %q", followed.begun, followed.ended)
			}
		})
	}
}

// TestWhatARunLeavesIsNotTracedAsDone: a span that never ends is never seen.
func TestWhatARunLeavesIsNotTracedAsDone(t *testing.T) {
	followed := &traces{ended: map[string]string{}}
	a := newTable(orders(1, 30)...)
	a.before = func(op string, _ int) error {
		if op == "rows" {
			return deniedError{errReset}
		}
		return nil
	}
	b := newBench(t, a, newTable(orders(1, 30)...), schema.Merge).rangesOf(10)
	b.config.Threads, b.ports.Tracer = 1, followed
	if _, err := b.validator().Run(t.Context(), b.run); err == nil {
		t.Fatal("the run ends well")
	}
	if len(followed.ended) != len(followed.begun) || followed.ended["run/0.0"] != "0 rows, 0 differ, finished false" {
		t.Errorf("begun %q, ended %q", followed.begun, followed.ended)
	}
}

func TestWithoutATracerNothingIsSpentOnTraces(t *testing.T) {
	r := &run{Validator: &Validator{}}
	followed := &task{}
	batch := []suspect{{task: followed}, {task: followed}}
	if n := testing.AllocsPerRun(100, func() {
		r.traceRange(followed)(RangeReport{}, true)
		_, end := r.traceLook(batch)
		end(nil)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
