package tracing

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/trueup/trueup/pkg/validate"
)

// Attributes of this project's own.
const (
	attrPair    = attribute.Key("trueup.pair")
	attrRun     = attribute.Key("trueup.run")
	attrMode    = attribute.Key("trueup.mode")
	attrMethod  = attribute.Key("trueup.method")
	attrEpoch   = attribute.Key("trueup.epoch")
	attrPass    = attribute.Key("trueup.range.pass")
	attrNumber  = attribute.Key("trueup.range.number")
	attrRows    = attribute.Key("trueup.rows")
	attrSource  = attribute.Key("trueup.rows.source")
	attrTarget  = attribute.Key("trueup.rows.target")
	attrDiffers = attribute.Key("trueup.differences")
	attrFound   = attribute.Key("trueup.findings")
	attrOpen    = attribute.Key("trueup.open")
	attrDone    = attribute.Key("trueup.complete")
	attrClean   = attribute.Key("trueup.clean")
	attrWait    = attribute.Key("trueup.suspects")
	attrFinding = attribute.Key("trueup.finding")
	attrKind    = attribute.Key("trueup.kind")
	attrKeys    = attribute.Key("trueup.keys")
	attrResult  = attribute.Key("trueup.result")
	attrAction  = attribute.Key("trueup.action")
	attrClass   = attribute.Key("trueup.class")
	attrTries   = attribute.Key("trueup.attempts")
	attrDryRun  = attribute.Key("trueup.dry_run")
)

// runs is the Tracer of package validate. A run has a span, and so has each
// range a trace of its own, which links to it: a run of hours with a million
// ranges in one trace could neither be shown nor sampled.
type runs struct{ tracer trace.Tracer }

// Run implements validate.Tracer.
func (t runs) Run(spec validate.Run) (string, func(validate.Verdict, error)) {
	_, span := t.tracer.Start(context.Background(), "compare pair", trace.WithAttributes(about(spec)...))
	return carried(span), func(v validate.Verdict, err error) {
		span.SetAttributes(
			attrSource.Int64(v.SourceRows), attrTarget.Int64(v.TargetRows), attrFound.Int64(v.Findings()), attrOpen.Int64(v.Open),
			attrDone.Bool(v.Complete), attrClean.Bool(v.Clean),
		)
		switch {
		case err != nil:
			span.SetStatus(codes.Error, "stopped by an error")
		case !v.Complete:
			span.SetStatus(codes.Error, "incomplete")
		}
		span.End()
	}
}

func about(spec validate.Run) []attribute.KeyValue {
	return []attribute.KeyValue{
		attrPair.String(spec.Pair.Name), attrRun.String(spec.ID), attrMode.String(spec.Mode.String()),
		attrMethod.String(spec.Pair.Method.String()), attrEpoch.Int64(int64(spec.Epoch)), //nolint:gosec // decisions are few
	}
}

// Range implements validate.Tracer.
func (t runs) Range(run string, spec validate.Run, place validate.Place) (string, func(validate.RangeReport, bool)) {
	_, span := t.tracer.Start(context.Background(), "compare range", trace.WithNewRoot(), trace.WithLinks(linkTo(run)...),
		trace.WithAttributes(about(spec)...), trace.WithAttributes(attrPass.Int(place.Pass), attrNumber.Int(place.Number)))
	return carried(span), func(r validate.RangeReport, finished bool) {
		span.SetAttributes(attrRows.Int64(r.Scanned), attrDiffers.Int(r.Differences))
		switch {
		case r.Unreadable != nil:
			span.SetStatus(codes.Error, "unreadable")
		case !finished:
			span.SetStatus(codes.Error, "the run ended")
		}
		span.End()
	}
}

// Confirm implements validate.Tracer.
func (t runs) Confirm(of string, suspects int) (string, func(error)) {
	_, span := t.tracer.Start(under(of), "confirm", trace.WithAttributes(attrWait.Int(suspects)))
	return carried(span), func(err error) {
		if err != nil {
			span.SetStatus(codes.Error, "unreadable")
		}
		span.End()
	}
}
