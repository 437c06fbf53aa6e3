package tracing

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/trueup/trueup/pkg/event"
)

// carried is the span's context as it travels.
func carried(span trace.Span) string {
	header := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(trace.ContextWithSpan(context.Background(), span), header)
	return header[event.HeaderTraceParent]
}

// under is a context below the span with the given one. One that is empty or that
// cannot be read begins a new trace: whoever wrote it may have been anybody.
func under(parent string) context.Context {
	return propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{event.HeaderTraceParent: parent})
}

func linkTo(parent string) []trace.Link {
	to := trace.SpanContextFromContext(under(parent))
	if !to.IsValid() {
		return nil
	}
	return []trace.Link{{SpanContext: to}}
}
