package tracing

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/pkg/validate"
)

var orders = &schema.Pair{Name: "orders", Method: schema.Merge}

// recorded is tracing whose spans stay here.
func recorded(sampler sdk.Sampler) (*Tracing, *tracetest.SpanRecorder) {
	recorder := tracetest.NewSpanRecorder()
	return assemble(sampler, resource.Empty(), recorder), recorder
}

// the is the one span of that name that ended.
func the(t *testing.T, r *tracetest.SpanRecorder, name string) sdk.ReadOnlySpan {
	t.Helper()
	var found []sdk.ReadOnlySpan
	for _, s := range r.Ended() {
		if s.Name() == name {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d spans are named %q", len(found), name)
	}
	return found[0]
}

func attributeOf(s sdk.ReadOnlySpan, key attribute.Key) string {
	for _, a := range s.Attributes() {
		if a.Key == key {
			return a.Value.String()
		}
	}
	return ""
}

func contextOf(s sdk.ReadOnlySpan) string {
	return carried(trace.SpanFromContext(trace.ContextWithSpanContext(context.Background(), s.SpanContext())))
}

// TestARangeHasATraceOfItsOwn that leads to its run, and to which second looks and
// messages belong.
func TestARangeHasATraceOfItsOwn(t *testing.T) {
	traced, spans := recorded(sdk.ParentBased(sdk.AlwaysSample()))
	spec := validate.Run{ID: "run-1", Pair: orders, Epoch: 3}
	run, endRun := traced.Runs().Run(spec)
	first, endFirst := traced.Runs().Range(run, spec, validate.Place{Pass: 1, Number: 7})
	second, endSecond := traced.Runs().Range(run, spec, validate.Place{})
	look, endLook := traced.Runs().Confirm(first, 2)
	_, endSend := traced.Messages().Send("trueup.findings", "finding-1", look)
	endSend(nil)
	endLook(nil)
	endFirst(validate.RangeReport{Scanned: 100, Differences: 2}, true)
	endSecond(validate.RangeReport{Unreadable: errors.New("value 's3cret' is out of range")}, true)
	endRun(validate.Verdict{SourceRows: 100, Complete: false}, nil)

	whole := the(t, spans, "compare pair")
	var ranges []sdk.ReadOnlySpan
	for _, s := range spans.Ended() {
		if s.Name() == "compare range" {
			ranges = append(ranges, s)
			if l := s.Links(); len(l) != 1 || l[0].SpanContext.SpanID() != whole.SpanContext().SpanID() || s.Parent().IsValid() {
				t.Errorf("a range below %v links to %v", s.Parent(), l)
			}
		}
	}
	if contextOf(ranges[0]) != first || contextOf(ranges[1]) != second || ranges[0].SpanContext().TraceID() == ranges[1].SpanContext().TraceID() {
		t.Errorf("ranges %s and %s", first, second)
	}
	if got := attributeOf(ranges[0], attrNumber) + attributeOf(ranges[0], attrRows) + attributeOf(ranges[0], attrRun); got != "7100run-1" {
		t.Errorf("the range says %s", got)
	}
	if s := ranges[1].Status(); s.Code != codes.Error || s.Description != "unreadable" {
		t.Errorf("an unreadable range has the status %v", s)
	}
	if whole.Status().Code != codes.Error {
		t.Error("an incomplete run is well")
	}
	confirmed, sent := the(t, spans, "confirm"), the(t, spans, "send trueup.findings")
	if confirmed.Parent().SpanID() != ranges[0].SpanContext().SpanID() || sent.Parent().SpanID() != confirmed.SpanContext().SpanID() {
		t.Error("the parents are not range, look, message")
	}
	if sent.SpanKind() != trace.SpanKindProducer {
		t.Errorf("a message is sent by %v", sent.SpanKind())
	}
}

// TestASampleIsWholeOrNot: what a range was not sampled for, its findings are not.
func TestASampleIsWholeOrNot(t *testing.T) {
	traced, spans := recorded(sdk.ParentBased(sdk.NeverSample()))
	parent, end := traced.Runs().Range("", validate.Run{Pair: orders}, validate.Place{})
	sent, endSend := traced.Messages().Send("trueup.findings", "finding-1", parent)
	endSend(nil)
	end(validate.RangeReport{}, true)
	inner := &inner{}
	if _, err := traced.Fixer(inner).Repair(t.Context(), []event.Finding{{ID: "finding-1", TraceParent: sent}}); err != nil {
		t.Fatal(err)
	}
	if n := len(spans.Ended()); n != 0 {
		t.Errorf("%d spans of a trace that is not sampled", n)
	}
	if got, want := inner.given[0].TraceParent[:35], sent[:35]; got != want {
		t.Errorf("the trace %s goes on as %s", want, got)
	}
}

// inner is a Fixer that repairs whatever it is given, but for what it is told.
type inner struct {
	given []event.Finding
	steps fix.Tracer
	// becomes says what becomes of a finding by its ID; what it leaves out comes again.
	becomes map[string]event.Result
	err     error
}

func (f *inner) Repair(ctx context.Context, findings []event.Finding) (outcomes []event.Outcome, err error) {
	f.given = findings
	if f.steps != nil {
		f.steps.Step(ctx, fix.StepLock, func(yield func(string) bool) { _ = yield(findings[0].TraceParent) })(nil)
		f.steps.Step(ctx, fix.StepWrite, func(yield func(string) bool) { _ = yield(findings[0].TraceParent) })(
			&fix.Error{Fault: fix.Duplicate, Err: errors.New("duplicate entry 's3cret'")})
	}
	for _, one := range findings {
		if result := f.becomes[one.ID]; result != event.ResultUnknown {
			outcomes = append(outcomes, event.Outcome{FindingID: one.ID, Result: result, Class: "refused", Attempts: 2, At: time.Now(), TraceParent: one.TraceParent})
		}
	}
	return outcomes, f.err
}

// TestEachFindingGoesOnWithItsTrace, whatever came with it, and its span says what
// became of it.
func TestEachFindingGoesOnWithItsTrace(t *testing.T) {
	traced, spans := recorded(sdk.ParentBased(sdk.AlwaysSample()))
	const one, two = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	findings := []event.Finding{
		{ID: "unsampled", TraceParent: "00-80e1afed08e019fc1110464cfa66635c-7a085853722dc6d2-00"},
		{ID: "repaired", TraceParent: one},
		{ID: "dead", TraceParent: two},
		{ID: "broken", TraceParent: "00-zz"},
		{ID: "none"},
		{ID: "waits", TraceParent: one},
	}
	kept := slices.Clone(findings)
	waiting := event.Outcome{FindingID: "waits", Result: event.Dead, Class: fix.ClassBusy, At: time.Now()}
	worker := &inner{steps: traced.Steps(), becomes: map[string]event.Result{"unsampled": event.Repaired, "repaired": event.Repaired, "dead": event.Dead, "broken": event.AlreadyEqual}}
	fixer := traced.Fixer(fixerFunc(func(ctx context.Context, findings []event.Finding) ([]event.Outcome, error) {
		outcomes, _ := worker.Repair(ctx, findings)
		outcomes = append(outcomes, event.Outcome{FindingID: "in the way", Result: event.Repaired, Action: event.Update, At: time.Now(), TraceParent: findings[1].TraceParent})
		slices.Reverse(outcomes) // nobody promises an order
		waiting.TraceParent = findings[5].TraceParent
		return outcomes, &fix.Later{Findings: []fix.Waiting{{Finding: findings[5], Outcome: waiting}}}
	}))
	if _, err := fixer.Repair(t.Context(), findings); err == nil {
		t.Fatal("the error is lost")
	}
	if !slices.EqualFunc(findings, kept, func(a, b event.Finding) bool { return a.TraceParent == b.TraceParent }) {
		t.Error("the caller's findings were changed")
	}
	byID := map[string]sdk.ReadOnlySpan{}
	for _, s := range spans.Ended() {
		if s.Name() == "repair" {
			byID[attributeOf(s, attrFinding)] = s
		}
	}
	batch := the(t, spans, "repair batch")
	for id, want := range map[string]struct{ parent, result string }{
		"repaired": {one, "repaired"}, "dead": {two, "dead"}, "broken": {"", "already_equal"}, "none": {"", ""}, "waits": {one, "put_off"},
	} {
		s, ok := byID[id]
		if !ok {
			t.Errorf("%s has no span", id)
			continue
		}
		parent := ""
		if s.Parent().IsValid() {
			parent = "00-" + s.Parent().TraceID().String() + "-" + s.Parent().SpanID().String() + "-01"
		}
		if got := attributeOf(s, attrResult); parent != want.parent || got != want.result || s.SpanKind() != trace.SpanKindConsumer {
			t.Errorf("%s: below %q, result %q, kind %v", id, parent, got, s.SpanKind())
		}
		first := batch.Parent().SpanID() == s.SpanContext().SpanID()
		linked := len(s.Links()) == 1 && s.Links()[0].SpanContext.SpanID() == batch.SpanContext().SpanID()
		if first != (id == "repaired") || linked == first {
			t.Errorf("%s: the batch is below it: %v, it links there: %v", id, first, linked)
		}
		if failed := s.Status().Code == codes.Error; failed != (id == "dead") {
			t.Errorf("%s: status %v", id, s.Status())
		}
	}
	if len(byID) != 5 {
		t.Errorf("%d repairs are traced", len(byID))
	}
}

type fixerFunc func(context.Context, []event.Finding) ([]event.Outcome, error)

func (f fixerFunc) Repair(ctx context.Context, findings []event.Finding) ([]event.Outcome, error) {
	return f(ctx, findings)
}

// TestStepsStandBelowTheirBatch and are told to each row's span; why one failed is
// told by a word, since a server's text may quote the row.
func TestStepsStandBelowTheirBatch(t *testing.T) {
	traced, spans := recorded(sdk.AlwaysSample())
	worker := &inner{steps: traced.Steps(), err: &fix.Error{Fault: fix.Transient, Err: errors.New("connection to 's3cret' lost")}}
	if _, err := traced.Fixer(worker).Repair(t.Context(), []event.Finding{{ID: "a"}}); err == nil {
		t.Fatal("the error is lost")
	}
	batch, lock, write, repair := the(t, spans, "repair batch"), the(t, spans, fix.StepLock), the(t, spans, fix.StepWrite), the(t, spans, "repair")
	for _, step := range []sdk.ReadOnlySpan{lock, write} {
		if step.Parent().SpanID() != batch.SpanContext().SpanID() || attributeOf(step, attrKeys) != "1" {
			t.Errorf("%s is below %v, over %s keys", step.Name(), step.Parent(), attributeOf(step, attrKeys))
		}
	}
	if s := write.Status(); s.Code != codes.Error || s.Description != fix.ClassDuplicate {
		t.Errorf("the write ended with %v", s)
	}
	if events := repair.Events(); len(events) != 1 || events[0].Name != fix.StepLock {
		t.Errorf("the row was told of %v", events)
	}
	for _, s := range []sdk.ReadOnlySpan{batch, repair} {
		if got := s.Status(); got.Code != codes.Error || got.Description != "transient" {
			t.Errorf("%s ended with %v", s.Name(), got)
		}
	}
}
