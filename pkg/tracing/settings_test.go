package tracing

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// set gives the process these variables of OpenTelemetry alone.
func set(t *testing.T, variables map[string]string) {
	t.Helper()
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "OTEL_") {
			t.Setenv(name, "")
		}
	}
	for name, value := range variables {
		t.Setenv(name, value)
	}
}

func TestNothingIsTracedUntilAReceiverIsNamed(t *testing.T) {
	for name, variables := range map[string]map[string]string{
		"nothing said":    {},
		"no receiver":     {"OTEL_SERVICE_NAME": "shop", "OTEL_TRACES_SAMPLER": "always_on"},
		"disabled":        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_SDK_DISABLED": "TRUE"},
		"no exporter":     {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_TRACES_EXPORTER": "none"},
		"metrics' alone":  {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://collector:4318"},
		"an empty string": {"OTEL_EXPORTER_OTLP_ENDPOINT": " "},
	} {
		set(t, variables)
		traced, err := Start("trueup-test", "v1", zerolog.Nop())
		if traced != nil || err != nil {
			t.Errorf("%s: %v, %v", name, traced, err)
		}
	}
	var off *Tracing
	if off.Runs() != nil || off.Messages() != nil || off.Steps() != nil || off.Fixer(nil) != nil {
		t.Error("a tracer where nothing is traced")
	}
}

// TestWrongSettingsAreNamed: an SDK would start with something else than was asked
// for. What stands in a variable may be a secret and is not repeated.
func TestWrongSettingsAreNamed(t *testing.T) {
	const secret = "s3cret"
	notPEM := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(notPEM, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, value string }{
		{"OTEL_SDK_DISABLED", "yes"},
		{"OTEL_TRACES_EXPORTER", "zipkin"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"},
		{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "grpc://" + secret + "@collector:4317"},
		{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://"},
		{"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"},
		{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "authorization " + secret},
		{"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "authorization=" + secret + "%zz"},
		{"OTEL_EXPORTER_OTLP_TIMEOUT", "10s"},
		{"OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"},
		{"OTEL_EXPORTER_OTLP_CERTIFICATE", "/no/such/file"},
		{"OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", notPEM},
		{"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "/no/such/file"},
		{"OTEL_TRACES_SAMPLER", "jaeger_remote"},
		{"OTEL_TRACES_SAMPLER", "parentbased_"},
		{"OTEL_TRACES_SAMPLER_ARG", "10%"},
		{"OTEL_TRACES_SAMPLER_ARG", "1.5"},
		{"OTEL_TRACES_SAMPLER_ARG", "NaN"},
		{"OTEL_RESOURCE_ATTRIBUTES", "production"},
		{"OTEL_BSP_MAX_QUEUE_SIZE", "0"},
		{"OTEL_BSP_MAX_QUEUE_SIZE", "10000000"},
		{"OTEL_BSP_EXPORT_TIMEOUT", "-1"},
		{"OTEL_SPAN_EVENT_COUNT_LIMIT", "many"},
	} {
		variables := map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", c.name: c.value}
		if c.name == "OTEL_TRACES_SAMPLER_ARG" {
			variables["OTEL_TRACES_SAMPLER"] = "parentbased_traceidratio"
		}
		set(t, variables)
		traced, err := Start("trueup-test", "v1", zerolog.Nop())
		if err == nil || traced != nil {
			t.Errorf("%s=%s is taken", c.name, c.value)
			continue
		}
		if text := err.Error(); !strings.Contains(text, "environment variable "+c.name+":") || strings.Contains(text, secret) {
			t.Errorf("%s=%s: %v", c.name, c.value, err)
		}
	}
}

func TestSettingsAreReadAsSpecified(t *testing.T) {
	set(t, map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": "https://user:pass@collector/otlp/",
		"OTEL_EXPORTER_OTLP_HEADERS":  "authorization=Bearer%20a%2Cb, x-tenant = shop",
		"OTEL_EXPORTER_OTLP_TIMEOUT":  "2500", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
	})
	s, err := readSettings()
	if err != nil {
		t.Fatal(err)
	}
	if got := s.endpoint.String(); got != "https://user:pass@collector/otlp/v1/traces" {
		t.Errorf("endpoint %s", got)
	}
	if s.headers["authorization"] != "Bearer a,b" || s.headers["x-tenant"] != "shop" || len(s.headers) != 2 {
		t.Errorf("headers %q", s.headers)
	}
	if s.timeout != 2500*time.Millisecond || !s.gzip {
		t.Errorf("%+v", s)
	}
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://collector:4318/here")
	if s, err = readSettings(); err != nil || s.endpoint.String() != "http://collector:4318/here" {
		t.Errorf("the endpoint of traces is %v, %v", s.endpoint, err)
	}
}

func TestSamplersAreThoseAskedFor(t *testing.T) {
	for _, c := range []struct{ name, arg, want string }{
		{"", "", sdk.ParentBased(sdk.AlwaysSample()).Description()},
		{"always_on", "", sdk.AlwaysSample().Description()},
		{"Always_Off", "", sdk.NeverSample().Description()},
		{"traceidratio", "0.25", sdk.TraceIDRatioBased(0.25).Description()},
		{"parentbased_always_off", "", sdk.ParentBased(sdk.NeverSample()).Description()},
		{"parentbased_traceidratio", "", sdk.ParentBased(sdk.TraceIDRatioBased(1)).Description()},
		{"parentbased_traceidratio", "0.01", sdk.ParentBased(sdk.TraceIDRatioBased(0.01)).Description()},
	} {
		set(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_TRACES_SAMPLER": c.name, "OTEL_TRACES_SAMPLER_ARG": c.arg})
		s, err := readSettings()
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if got := s.sampler.Description(); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.name, c.arg, got, c.want)
		}
	}
}

func TestTheEnvironmentHasTheLastWordAboutTheService(t *testing.T) {
	set(t, map[string]string{"OTEL_RESOURCE_ATTRIBUTES": "service.version=mine,deployment.environment.name=pro%20duction"})
	r, err := describe("trueup-fixer", "v1")
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[attribute.Key]string{
		"service.name": "trueup-fixer", "service.version": "mine", "deployment.environment.name": "pro duction",
	} {
		if got, _ := r.Set().Value(key); got.AsString() != want {
			t.Errorf("%s is %q, want %q", key, got.AsString(), want)
		}
	}
	t.Setenv("OTEL_SERVICE_NAME", "shop")
	if r, err = describe("trueup-fixer", "v1"); err != nil {
		t.Fatal(err)
	}
	if got, _ := r.Set().Value("service.name"); got.AsString() != "shop" {
		t.Errorf("service.name is %q", got.AsString())
	}
}
