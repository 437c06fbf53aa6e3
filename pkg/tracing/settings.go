package tracing

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// settings are what the environment says of traces. Names, forms and defaults are
// those of OpenTelemetry's specification ("Environment Variable Specification" and
// "OTLP Exporter Configuration"); what it would have an SDK ignore with a warning
// is an error here.
type settings struct {
	// endpoint is nil where tracing is off.
	endpoint *url.URL
	headers  map[string]string
	timeout  time.Duration
	gzip     bool
	tls      *tls.Config
	sampler  sdk.Sampler
}

// defaultTimeout bounds one request, by the specification.
const defaultTimeout = 10 * time.Second

func readSettings() (settings, error) {
	var e environment
	if e.off() {
		return settings{}, e.err
	}
	s := settings{endpoint: e.endpoint()}
	if s.endpoint == nil || e.err != nil {
		return settings{}, e.err
	}
	e.protocol()
	s.headers = e.headers()
	s.timeout = e.timeout()
	s.gzip = e.gzip()
	s.tls = e.tls()
	s.sampler = e.sampler()
	e.resource()
	e.limits()
	return s, e.err
}

// environment reads variables and keeps the first error.
type environment struct{ err error }

// wrong notes what is wrong with a variable. Its value is not told: it may hold a secret.
func (e *environment) wrong(name string, err error) {
	if e.err == nil {
		e.err = fmt.Errorf("environment variable %s: %w", name, err)
	}
}

func get(name string) string { return strings.TrimSpace(os.Getenv(name)) }

// exporter is the variable of the exporter for traces, or else of all exporters.
func exporter(name string) (variable, value string) {
	variable = "OTEL_EXPORTER_OTLP_TRACES_" + name
	if value = get(variable); value == "" {
		variable = "OTEL_EXPORTER_OTLP_" + name
		value = get(variable)
	}
	return variable, value
}

func (e *environment) off() bool {
	off := false
	if value := get("OTEL_SDK_DISABLED"); value != "" {
		if !strings.EqualFold(value, "true") && !strings.EqualFold(value, "false") {
			e.wrong("OTEL_SDK_DISABLED", errors.New("it must be true or false"))
		}
		off = strings.EqualFold(value, "true")
	}
	switch get("OTEL_TRACES_EXPORTER") {
	case "", "otlp":
	case "none":
		off = true
	default:
		e.wrong("OTEL_TRACES_EXPORTER", errors.New("traces are sent by otlp alone; use otlp, or none"))
	}
	return off || e.err != nil
}

// endpoint is nil when nobody names one: the specification's default, a receiver
// on the same machine, would have every process without one fail to reach it.
func (e *environment) endpoint() *url.URL {
	name, value := exporter("ENDPOINT")
	if value == "" {
		return nil
	}
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		e.wrong(name, errors.New("it must be the URL of a receiver of OTLP over HTTP, such as http://collector:4318"))
		return nil
	}
	if name == "OTEL_EXPORTER_OTLP_ENDPOINT" { // that of all signals
		u = u.JoinPath("v1", "traces")
	}
	return u
}

func (e *environment) protocol() {
	if name, value := exporter("PROTOCOL"); value != "" && value != "http/protobuf" {
		e.wrong(name, errors.New("traces are sent by http/protobuf alone; use that, and the port of the receiver that speaks it, mostly 4318"))
	}
}

func (e *environment) headers() map[string]string {
	name, value := exporter("HEADERS")
	headers, err := pairs(value)
	if err != nil {
		e.wrong(name, err)
	}
	return headers
}

// pairs reads name=value,name=value with values as in a URL.
func pairs(text string) (map[string]string, error) {
	out := map[string]string{}
	if text == "" {
		return out, nil
	}
	for i, pair := range strings.Split(text, ",") {
		key, escaped, ok := strings.Cut(pair, "=")
		value, err := url.PathUnescape(strings.TrimSpace(escaped))
		key = strings.TrimSpace(key)
		if !ok || key == "" || strings.ContainsAny(key, " \t") || err != nil {
			return nil, fmt.Errorf("part %d of the list is not name=value, with %%2C for a comma in the value", i+1)
		}
		out[key] = value
	}
	return out, nil
}

func (e *environment) timeout() time.Duration {
	name, value := exporter("TIMEOUT")
	if value == "" {
		return defaultTimeout
	}
	return time.Duration(e.whole(name, value, 1, maxMillis)) * time.Millisecond
}

func (e *environment) gzip() bool {
	name, value := exporter("COMPRESSION")
	if value != "" && value != "gzip" && value != "none" {
		e.wrong(name, errors.New("use gzip or none"))
	}
	return value == "gzip"
}

func (e *environment) tls() *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if name, file := exporter("CERTIFICATE"); file != "" {
		pem, err := os.ReadFile(file)
		c.RootCAs = x509.NewCertPool()
		if err == nil && !c.RootCAs.AppendCertsFromPEM(pem) {
			err = fmt.Errorf("%s holds no PEM certificate", file)
		}
		if err != nil {
			e.wrong(name, err)
		}
	}
	name, certificate := exporter("CLIENT_CERTIFICATE")
	_, key := exporter("CLIENT_KEY")
	switch {
	case (certificate == "") != (key == ""):
		e.wrong(name, errors.New("the certificate and OTEL_EXPORTER_OTLP_CLIENT_KEY belong together: give both or neither"))
	case certificate != "":
		pair, err := tls.LoadX509KeyPair(certificate, key)
		if err != nil {
			e.wrong(name, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c
}

func (e *environment) sampler() sdk.Sampler {
	name := strings.ToLower(get("OTEL_TRACES_SAMPLER"))
	if name == "" {
		return sdk.ParentBased(sdk.AlwaysSample())
	}
	base, parents := strings.CutPrefix(name, "parentbased_")
	var s sdk.Sampler
	switch base {
	case "always_on":
		s = sdk.AlwaysSample()
	case "always_off":
		s = sdk.NeverSample()
	case "traceidratio":
		s = sdk.TraceIDRatioBased(e.ratio())
	default:
		e.wrong("OTEL_TRACES_SAMPLER", errors.New("use always_on, always_off or traceidratio, or one of them with parentbased_ in front"))
		return nil
	}
	if parents {
		return sdk.ParentBased(s)
	}
	return s
}

func (e *environment) ratio() float64 {
	value := get("OTEL_TRACES_SAMPLER_ARG")
	if value == "" {
		return 1
	}
	ratio, err := strconv.ParseFloat(value, 64)
	if err != nil || !(ratio >= 0 && ratio <= 1) { // which NaN is not, either
		e.wrong("OTEL_TRACES_SAMPLER_ARG", errors.New("the share of traces that are kept must be a number from 0 to 1"))
	}
	return ratio
}

// resource checks what the SDK reads by itself.
func (e *environment) resource() {
	if _, err := pairs(get("OTEL_RESOURCE_ATTRIBUTES")); err != nil {
		e.wrong("OTEL_RESOURCE_ATTRIBUTES", err)
	}
}

// Bounds of numbers: a span that waits takes about a kilobyte, nobody waits for an
// hour, and no part of a span comes near its bound.
const (
	maxSpans  = 100_000
	maxMillis = 3_600_000
	maxPart   = 10_000
)

// limits checks the numbers that the SDK reads by itself.
func (e *environment) limits() {
	for _, limit := range []struct {
		name        string
		least, most int
	}{
		{"OTEL_BSP_MAX_QUEUE_SIZE", 1, maxSpans},
		{"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 1, maxSpans},
		{"OTEL_BSP_SCHEDULE_DELAY", 1, maxMillis},
		{"OTEL_BSP_EXPORT_TIMEOUT", 1, maxMillis},
		{"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", 0, maxPart},
		{"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", 0, maxPart},
		{"OTEL_SPAN_EVENT_COUNT_LIMIT", 0, maxPart},
		{"OTEL_SPAN_LINK_COUNT_LIMIT", 0, maxPart},
		{"OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", 0, maxPart},
		{"OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", 0, maxPart},
	} {
		if value := get(limit.name); value != "" {
			e.whole(limit.name, value, limit.least, limit.most)
		}
	}
}

func (e *environment) whole(name, value string, least, most int) int {
	n, err := strconv.Atoi(value)
	if err != nil || n < least || n > most {
		e.wrong(name, fmt.Errorf("it must be a whole number from %d to %d", least, most))
	}
	return n
}
