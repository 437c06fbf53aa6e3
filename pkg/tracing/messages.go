package tracing

import (
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// messages is the Tracer of package kafka.
type messages struct{ tracer trace.Tracer }

// Send implements kafka.Tracer.
func (t messages) Send(topic, id, parent string) (string, func(error)) {
	_, span := t.tracer.Start(under(parent), "send "+topic, trace.WithSpanKind(trace.SpanKindProducer),
		trace.WithAttributes(semconv.MessagingSystemKafka, semconv.MessagingOperationTypeSend, semconv.MessagingOperationName("send"),
			semconv.MessagingDestinationName(topic), semconv.MessagingMessageID(id)))
	return carried(span), func(err error) {
		if err != nil {
			span.SetStatus(codes.Error, "not acknowledged")
		}
		span.End()
	}
}
