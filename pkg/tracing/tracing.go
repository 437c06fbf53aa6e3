// Package tracing follows a finding through spans, from the range it was found
// in to its repair, across processes: whatever travels through Kafka carries the
// W3C trace context of the span that sent it. It is the only package that knows
// OpenTelemetry. The other packages declare tracers, which the types here are,
// and do without one where tracing is off.
//
//	settings.go  what the environment says, refused where it is wrong
//	client.go    spans on their way to the receiver
//	runs.go      validate.Tracer: a run, its ranges, second looks
//	messages.go  kafka.Tracer: a message on its way into a topic
//	repairs.go   fix.Tracer and a fix.Fixer around another: what became of a finding
//
// A span tells of rows by numbers, and of a row by the ID of its finding. It
// holds neither values nor keys, and no text of a server, which may quote them.
package tracing

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/validate"
)

// Tracing makes spans and sends them. A nil one is off: its methods return
// tracers that are nil, and what they were given.
type Tracing struct {
	endpoint string
	client   *client
	ended    *atomic.Int64
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	log      zerolog.Logger
}

// Start reads the standard environment variables of OpenTelemetry (OTEL_…) and
// returns nil where they name no receiver or say off. An error names the
// variable that is wrong. Spans wait in a bounded queue, and are dropped rather
// than waited for; Run sends what is left.
func Start(service, version string, log zerolog.Logger) (*Tracing, error) {
	s, err := readSettings()
	if err != nil || s.endpoint == nil {
		return nil, err
	}
	about, err := describe(service, version)
	if err != nil {
		return nil, err
	}
	// Asks nobody: the client connects when it has something to send.
	c := newClient(s, log)
	exporter, err := otlptrace.New(context.Background(), c)
	if err != nil {
		return nil, fmt.Errorf("start tracing: %w", err)
	}
	// What the SDK has to say is that spans were not delivered, batch by batch, and
	// the client has told of that once.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {}))
	t := assemble(s.sampler, about, sdk.NewBatchSpanProcessor(exporter))
	t.endpoint, t.client, t.log = s.endpoint.Redacted(), c, log
	return t, nil
}

func assemble(sampler sdk.Sampler, about *resource.Resource, processor sdk.SpanProcessor) *Tracing {
	counted := counting{processor, &atomic.Int64{}}
	provider := sdk.NewTracerProvider(sdk.WithSampler(sampler), sdk.WithResource(about), sdk.WithSpanProcessor(counted))
	return &Tracing{provider: provider, tracer: provider.Tracer("github.com/trueup/trueup"), ended: counted.ended}
}

// counting counts the spans that the queue is given, whether they find room or not.
type counting struct {
	sdk.SpanProcessor
	ended *atomic.Int64
}

// OnEnd implements sdk.SpanProcessor.
func (c counting) OnEnd(s sdk.ReadOnlySpan) {
	c.ended.Add(1)
	c.SpanProcessor.OnEnd(s)
}

// Counts says how many spans ended, and how many the receiver took. The others wait,
// or were dropped.
func (t *Tracing) Counts() (ended, delivered int64) { return t.ended.Load(), t.client.delivered.Load() }

// describe says which process the spans come from. The environment has the last word.
func describe(service, version string) (*resource.Resource, error) {
	about, err := resource.New(context.Background(),
		resource.WithTelemetrySDK(),
		resource.WithAttributes(semconv.ServiceName(service), semconv.ServiceVersion(version), semconv.ServiceInstanceID(uuid.NewString())),
		resource.WithFromEnv(),
	)
	if err != nil {
		return nil, fmt.Errorf("describe this process to the receiver of traces: %w", err)
	}
	return about, nil
}

// Endpoint is where spans are sent, without a password.
func (t *Tracing) Endpoint() string { return t.endpoint }

// flushTime is how long what waits may take to be sent at the end. It is short:
// the whole process has lifecycle.DefaultStopTimeout, and most of that is the fixer's.
const flushTime = 2 * time.Second

// Run waits for ctx to end and sends the spans that still wait. A receiver that
// does not take them is no error of the service.
func (t *Tracing) Run(ctx context.Context) error {
	<-ctx.Done()
	flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTime)
	defer cancel()
	if err := t.provider.Shutdown(flush); err != nil {
		t.log.Warn().Err(err).Msg("the last traces were not delivered")
	}
	return nil
}

// Runs is the Tracer of package validate.
func (t *Tracing) Runs() validate.Tracer {
	if t == nil {
		return nil
	}
	return runs{t.tracer}
}

// Messages is the Tracer of package kafka.
func (t *Tracing) Messages() kafka.Tracer {
	if t == nil {
		return nil
	}
	return messages{t.tracer}
}

// Steps is the Tracer of package fix. It tells of batches that come by Fixer.
func (t *Tracing) Steps() fix.Tracer {
	if t == nil {
		return nil
	}
	return steps{t.tracer}
}

// Fixer traces what becomes of the findings that inner is given.
func (t *Tracing) Fixer(inner fix.Fixer) fix.Fixer {
	if t == nil {
		return inner
	}
	return &fixer{tracer: t.tracer, inner: inner}
}
