package tracing

import (
	"context"
	"errors"
	"iter"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
)

// fixer is a fix.Fixer that gives each finding a span below the one it came
// with. The transactions that repair many findings at once stand below the first
// of them that is sampled, and the others link there.
type fixer struct {
	tracer trace.Tracer
	inner  fix.Fixer
}

// Repair implements fix.Fixer.
func (f *fixer) Repair(ctx context.Context, findings []event.Finding) ([]event.Outcome, error) {
	b, findings := f.begin(findings)
	if b.span != nil {
		ctx = context.WithValue(ctx, batchKey{}, b)
	}
	outcomes, err := f.inner.Repair(ctx, findings)
	b.end(outcomes, err)
	return outcomes, err
}

// batch is what is repaired by one call.
type batch struct {
	span trace.Span // nil when no finding is sampled
	// repairs are the findings by the context that theirs has now, which is their
	// outcome's as well.
	repairs map[string]repair
}

type batchKey struct{}

type repair struct {
	span    trace.Span
	finding string
}

// begin returns the findings with the contexts of their spans.
func (f *fixer) begin(findings []event.Finding) (*batch, []event.Finding) {
	b := &batch{repairs: make(map[string]repair, len(findings))}
	findings = slices.Clone(findings)
	for i := range findings {
		finding := &findings[i]
		ctx, span := f.tracer.Start(under(finding.TraceParent), "repair",
			trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
				attrPair.String(finding.Pair), attrRun.String(finding.Run), attrFinding.String(finding.ID), attrKind.String(finding.Kind.String()),
				semconv.MessagingSystemKafka, semconv.MessagingOperationTypeProcess, semconv.MessagingOperationName("repair"),
			))
		finding.TraceParent = carried(span)
		b.repairs[finding.TraceParent] = repair{span, finding.ID}
		switch {
		case !span.IsRecording():
		case b.span == nil:
			_, b.span = f.tracer.Start(ctx, "repair batch", trace.WithAttributes(attrPair.String(finding.Pair), attrKeys.Int(len(findings))))
		default:
			span.AddLink(trace.Link{SpanContext: b.span.SpanContext()})
		}
	}
	return b, findings
}

// end says what became of each finding.
func (b *batch) end(outcomes []event.Outcome, err error) {
	if b.span == nil {
		return
	}
	for _, o := range outcomes {
		b.settle(o)
	}
	later, waits := errors.AsType[*fix.Later](err)
	if waits {
		err = nil
		for _, w := range later.Findings {
			r := b.repairs[w.Outcome.TraceParent]
			delete(b.repairs, w.Outcome.TraceParent)
			r.finish(w.Outcome, "put_off")
		}
	}
	for _, r := range b.repairs { // those that come again
		fail(r.span, err)
		r.span.End()
	}
	fail(b.span, err)
	b.span.End()
}

// settle ends the span of an outcome's finding. The outcome of a row that stood
// in its way has the same context.
func (b *batch) settle(o event.Outcome) {
	r, ok := b.repairs[o.TraceParent]
	switch {
	case !ok:
	case r.finding != o.FindingID:
		r.span.AddEvent("row in the way repaired", trace.WithTimestamp(o.At), trace.WithAttributes(attrAction.String(o.Action.String())))
	default:
		delete(b.repairs, o.TraceParent)
		r.finish(o, o.Result.String())
	}
}

func (r repair) finish(o event.Outcome, result string) {
	r.span.SetAttributes(attrResult.String(result), attrTries.Int(o.Attempts))
	for key, value := range map[attribute.Key]string{attrAction: o.Action.String(), attrClass: o.Class} {
		if value != "" && value != event.NoAction.String() {
			r.span.SetAttributes(key.String(value))
		}
	}
	if o.DryRun {
		r.span.SetAttributes(attrDryRun.Bool(true))
	}
	if result == event.Dead.String() {
		r.span.SetStatus(codes.Error, o.Class)
	}
	r.span.End(trace.WithTimestamp(o.At))
}

// steps is the Tracer of package fix.
type steps struct{ tracer trace.Tracer }

// Step implements fix.Tracer.
func (t steps) Step(ctx context.Context, step string, of iter.Seq[string]) func(error) {
	b, ok := ctx.Value(batchKey{}).(*batch)
	if !ok {
		return func(error) {}
	}
	_, span := t.tracer.Start(trace.ContextWithSpan(context.Background(), b.span), step)
	return func(err error) {
		keys := 0
		for parent := range of {
			keys++
			if r, ok := b.repairs[parent]; ok && err == nil {
				r.span.AddEvent(step)
			}
		}
		span.SetAttributes(attrKeys.Int(keys))
		fail(span, err)
		span.End()
	}
}

// fail says of what kind an error is; its text may quote a row.
func fail(span trace.Span, err error) {
	if err == nil {
		return
	}
	class := classOf(err)
	span.SetAttributes(semconv.ErrorTypeKey.String(class))
	span.SetStatus(codes.Error, class)
}

// classes are the words for what an error means for a repair.
var classes = map[fix.Fault]string{
	fix.Permanent: "permanent", fix.Transient: "transient", fix.Contention: "contention", fix.Locked: "locked",
	fix.RowRefused: fix.ClassRefused, fix.Duplicate: fix.ClassDuplicate, fix.Reference: fix.ClassReference, fix.Limit: "limit",
}

func classOf(err error) string {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return "stopped"
	}
	return classes[fix.FaultOf(err)]
}
