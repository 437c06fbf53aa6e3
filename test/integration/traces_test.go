package integration

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/event"
)

// span is a span as the receiver got it.
type span struct {
	*tracepb.Span
	service string
}

func (s span) trace() string { return hex.EncodeToString(s.TraceId) }
func (s span) id() string    { return hex.EncodeToString(s.SpanId) }

func (s span) attribute(key string) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value.GetStringValue()
		}
	}
	return ""
}

// receiver takes spans by OTLP over HTTP.
type receiver struct {
	t    *testing.T
	mu   sync.Mutex
	byID map[string]span
	raw  bytes.Buffer
}

// receive starts a receiver, to which what the test starts from now on sends.
func receive(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{t: t, byID: map[string]span{}}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	setenv(t, "OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	setenv(t, "OTEL_BSP_SCHEDULE_DELAY", "100")
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	var traces tracepb.TracesData
	if err == nil {
		err = proto.Unmarshal(body, &traces)
	}
	if err != nil || request.URL.Path != "/v1/traces" {
		r.t.Errorf("%s %s: %v", request.Method, request.URL, err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.raw.Write(body)
	for _, from := range traces.ResourceSpans {
		service := span{Span: &tracepb.Span{Attributes: from.Resource.Attributes}}.attribute("service.name")
		for _, scope := range from.ScopeSpans {
			for _, s := range scope.Spans {
				one := span{s, service}
				r.byID[one.id()] = one
			}
		}
	}
}

// path is the span and those above it, "service: name", as far as they came, and
// what the topmost of them stands below.
func (r *receiver) path(of span) (names []string, below string) {
	for {
		names = append(names, of.service+": "+of.Name)
		above, ok := r.byID[hex.EncodeToString(of.ParentSpanId)]
		if !ok {
			return names, hex.EncodeToString(of.ParentSpanId)
		}
		if above.trace() != of.trace() {
			r.t.Errorf("%s and what is above it are of two traces", of.Name)
		}
		of = above
	}
}

// await waits for a span that is accepted.
func (r *receiver) await(what string, accept func(span) bool) span {
	r.t.Helper()
	var found span
	eventually(r.t, func() (bool, string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		var names []string
		for _, s := range r.byID {
			if accept(s) {
				found = s
				return true, ""
			}
			names = append(names, s.service+": "+s.Name)
		}
		return false, fmt.Sprintf("no %s among %q", what, names)
	})
	return found
}

// TestOneTraceHoldsAFindingFromItsRangeToItsOutcome across two processes and Kafka.
// Neither values nor keys are in it.
func TestOneTraceHoldsAFindingFromItsRangeToItsOutcome(t *testing.T) {
	t.Parallel()
	r := receive(t)
	w := newWorld(t, direction{maria, postgres}, "pairs: [{name: people}]\nvalidator: {confirm: 100ms}")
	for _, dsn := range []string{w.source, w.target} {
		testenv.Exec(t, dsn, "CREATE TABLE people (name VARCHAR(40) PRIMARY KEY, born VARCHAR(40) NOT NULL)",
			"INSERT INTO people VALUES ('Ada-the-key', '1815-the-value'), ('Grace-the-key', '1906-the-value'), ('Mary-the-key', '1780-the-value')")
	}
	testenv.Exec(t, w.target, "UPDATE people SET born = 'damaged-the-value' WHERE name = 'Grace-the-key'")
	w.must(1, "validator", "--config", w.config, "--once")
	fixer := start(t, "fixer", "--config", w.config)
	topics := w.kafka.Topics()
	outcome := r.await("outcome", func(s span) bool { return s.Name == "send "+topics.Outcomes })
	if status := fixer.stop(); status != 0 {
		t.Errorf("the fixer ended with %d", status)
	}

	r.mu.Lock()
	defer r.mu.Unlock()
	names, below := r.path(outcome)
	want := []string{
		"trueup-fixer: send " + topics.Outcomes, "trueup-fixer: repair", "trueup-validator: send " + topics.Findings,
		"trueup-validator: confirm", "trueup-validator: compare range",
	}
	if strings.Join(names, "\n") != strings.Join(want, "\n") || below != "" {
		t.Errorf("the outcome stands below\n%s\nand those below %q, want\n%s", strings.Join(names, "\n"), below, strings.Join(want, "\n"))
	}
	steps := map[string]int{}
	for _, s := range r.byID {
		switch s.Name {
		case "repair":
			if s.attribute("trueup.result") != "repaired" || s.attribute("trueup.action") != "update" || len(s.Events) != 5 {
				t.Errorf("the repair says %v, and went through %v", s.Attributes, s.Events)
			}
		case "compare range":
			if len(s.Links) != 1 || r.byID[hex.EncodeToString(s.Links[0].SpanId)].Name != "compare pair" {
				t.Errorf("the range links to %v", s.Links)
			}
		case "lock", "read authority", "write", "commit", "read authority again":
			steps[s.Name]++
			if names, _ := r.path(s); len(names) != 6 || s.trace() != outcome.trace() {
				t.Errorf("a step stands below %q", names)
			}
		}
	}
	if len(steps) != 5 {
		t.Errorf("steps of the repair: %v", steps)
	}
	if strings.Contains(r.raw.String(), "-the-") {
		t.Error("a key or a value is in a span")
	}
}

// TestATraceGoesOnThroughTheRetryTopic: each repair stands below the sending of the
// message that brought it.
func TestATraceGoesOnThroughTheRetryTopic(t *testing.T) {
	t.Parallel()
	r := receive(t)
	w := newWorld(t, direction{postgres, maria}, "pairs: [{name: parent}, {name: child}]\nfixer: {retry_delay: 300ms}")
	for _, dsn := range []string{w.source, w.target} {
		testenv.Exec(t, dsn, "CREATE TABLE parent (id INT PRIMARY KEY, v INT)",
			"CREATE TABLE child (id INT PRIMARY KEY, parent INT, CONSTRAINT kin FOREIGN KEY (parent) REFERENCES parent (id))")
	}
	testenv.Exec(t, w.source, "INSERT INTO parent VALUES (1, 1)", "INSERT INTO child VALUES (1, 1)")
	start(t, "fixer", "--config", w.config)
	const trace, above = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	child, broken := findingOf("child", 1), findingOf("child", 2)
	child.TraceParent, broken.TraceParent = "00-"+trace+"-"+above+"-01", "00-nonsense"
	w.publish([]event.Finding{child, broken})
	topics := w.kafka.Topics()
	r.await("finding that was put off", func(s span) bool { return s.Name == "send "+topics.Retry && s.trace() == trace })
	w.publish([]event.Finding{findingOf("parent", 1)})
	outcome := r.await("outcome", func(s span) bool { return s.Name == "send "+topics.Outcomes && s.trace() == trace })

	r.mu.Lock()
	defer r.mu.Unlock()
	names, below := r.path(outcome)
	text := strings.ReplaceAll(strings.Join(names, ", "), "trueup-fixer: ", "")
	round := "repair, send " + topics.Retry + ", "
	if rest := strings.ReplaceAll(text, round, ""); rest != "send "+topics.Outcomes+", repair" || !strings.Contains(text, round) || below != above {
		t.Errorf("the outcome stands below %s, and all that below %s", text, below)
	}
	vanished := false
	for _, s := range r.byID {
		if s.attribute("trueup.finding") == broken.ID {
			vanished = s.trace() != trace && len(s.ParentSpanId) == 0
		}
	}
	if !vanished {
		t.Error("a finding with a context that cannot be read has no trace of its own")
	}
}

// TestAReceiverOfTracesThatIsAwayDisturbsNobody.
func TestAReceiverOfTracesThatIsAwayDisturbsNobody(t *testing.T) {
	t.Parallel()
	setenv(t, "OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	setenv(t, "OTEL_BSP_SCHEDULE_DELAY", "100")
	w := newWorld(t, direction{maria, postgres}, "pairs: [{name: orders}]\nvalidator: {confirm: 100ms}")
	maria.fill(t, w.source, "orders", 1, 3000)
	postgres.fill(t, w.target, "orders", 11, 3000)
	w.must(1, "validator", "--config", w.config, "--once")
	fixer := start(t, "fixer", "--config", w.config)
	w.drained()
	fixer.logged("traces are not delivered")
	if _, metrics := fixer.get("/metrics"); !strings.Contains(metrics, `trueup_trace_spans_total{state="delivered"} 0`) || strings.Contains(metrics, `trueup_trace_spans_total{state="ended"} 0`) {
		t.Error("the metrics do not tell that spans ended and none was delivered")
	}
	if status := fixer.stop(); status != 0 {
		t.Errorf("the fixer ended with %d", status)
	}
	if n := strings.Count(strings.Join(fixer.lines(), "\n"), "traces are not delivered"); n != 1 {
		t.Errorf("the log tells of it %d times", n)
	}
	w.must(0, "validator", "--config", w.config, "--once")
}

func TestWrongSettingsOfTracesEndTheStart(t *testing.T) {
	t.Parallel()
	setenv(t, "OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	setenv(t, "OTEL_TRACES_SAMPLER", "sometimes")
	w := newWorldWithoutTopics(t, direction{maria, postgres}, "pairs: [{name: orders}]")
	for _, name := range []string{"validator", "fixer"} {
		if status, _, stderr := command(t, name, "--config", w.config); status != 2 || !strings.Contains(stderr, "environment variable OTEL_TRACES_SAMPLER: use always_on") {
			t.Errorf("%s: status %d\n%s", name, status, tail(stderr))
		}
	}
}
