package tracing

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/trueup/trueup/pkg/validate"
)

// receiver takes spans by OTLP over HTTP.
type receiver struct {
	*httptest.Server
	// answer, where set, answers instead.
	answer atomic.Pointer[http.HandlerFunc]
	spans  chan *tracepb.Span
	header http.Header
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{spans: make(chan *tracepb.Span, 1000)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if answer := r.answer.Load(); answer != nil {
			(*answer)(w, req)
			return
		}
		body := io.Reader(req.Body)
		if req.Header.Get("Content-Encoding") == "gzip" {
			var err error
			if body, err = gzip.NewReader(body); err != nil {
				t.Error(err)
			}
		}
		content, err := io.ReadAll(body)
		var traces tracepb.TracesData
		if err == nil {
			err = proto.Unmarshal(content, &traces)
		}
		if err != nil || req.URL.Path != "/v1/traces" || req.Header.Get("Content-Type") != "application/x-protobuf" {
			t.Errorf("%s %s: %v", req.Method, req.URL, err)
		}
		r.header = req.Header
		for _, resource := range traces.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				for _, span := range scope.Spans {
					r.spans <- span
				}
			}
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// lines is a log that can be read while it is written.
type lines struct {
	mu      sync.Mutex
	content bytes.Buffer
	grown   chan struct{}
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.content.Write(p)
	select {
	case l.grown <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.content.String()
}

// await waits until the log holds the text.
func (l *lines) await(t *testing.T, text string) {
	t.Helper()
	patience := time.After(30 * time.Second)
	for !strings.Contains(l.String(), text) {
		select {
		case <-l.grown:
		case <-patience:
			t.Fatalf("%q was not logged:\n%s", text, l)
		}
	}
}

// started is tracing as a service starts it, to a receiver.
func started(t *testing.T, url string, variables map[string]string) (*Tracing, *lines) {
	t.Helper()
	all := map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_BSP_SCHEDULE_DELAY": "10"}
	for name, value := range variables {
		all[name] = value
	}
	set(t, all)
	log := &lines{grown: make(chan struct{}, 1)}
	traced, err := Start("trueup-test", "v1", zerolog.New(log))
	if err != nil {
		t.Fatal(err)
	}
	return traced, log
}

// look makes a span that ended.
func look(traced *Tracing) {
	_, end := traced.Runs().Confirm("", 1)
	end(nil)
}

func TestSpansReachTheReceiver(t *testing.T) {
	for _, compression := range []string{"none", "gzip"} {
		r := newReceiver(t)
		traced, _ := started(t, r.URL, map[string]string{"OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=shop", "OTEL_EXPORTER_OTLP_COMPRESSION": compression})
		look(traced)
		select {
		case span := <-r.spans:
			if span.Name != "confirm" || r.header.Get("X-Tenant") != "shop" {
				t.Errorf("%v with %v", span, r.header)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("nothing came")
		}
	}
}

func TestWhatWaitsIsSentAtTheEnd(t *testing.T) {
	r := newReceiver(t)
	traced, _ := started(t, r.URL, map[string]string{"OTEL_BSP_SCHEDULE_DELAY": "3600000"})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- traced.Run(ctx) }()
	for range 700 { // more than a batch
		look(traced)
	}
	stop()
	if err := <-ended; err != nil || len(r.spans) != 700 {
		t.Errorf("%v, and %d spans came", err, len(r.spans))
	}
	if made, delivered := traced.Counts(); made != 700 || delivered != 700 {
		t.Errorf("%d spans ended, %d were delivered", made, delivered)
	}
}

// TestAReceiverThatIsAwayIsToldOfOnce and disturbs nobody: spans are made without
// waiting, and the end comes in time.
func TestAReceiverThatIsAwayIsToldOfOnce(t *testing.T) {
	r := newReceiver(t)
	unavailable := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	r.answer.Store(&unavailable)
	traced, log := started(t, r.URL, map[string]string{"OTEL_BSP_MAX_QUEUE_SIZE": "10", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "5"})
	began := time.Now()
	for range 10_000 {
		look(traced)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("10000 spans took %v while nobody took them", took)
	}
	log.await(t, "503 Service Unavailable")
	r.answer.Store(nil)
	log.await(t, "traces are delivered again")
	if n := strings.Count(log.String(), "traces are not delivered"); n != 1 {
		t.Errorf("the log tells of it %d times:\n%s", n, log)
	}
	r.Close()
	look(traced)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	began = time.Now()
	if err := traced.Run(ctx); err != nil {
		t.Errorf("a receiver that is away is an error of the service: %v", err)
	}
	if took := time.Since(began); took > 2*flushTime {
		t.Errorf("the end took %v", took)
	}
	if made, delivered := traced.Counts(); made != 10_001 || delivered > 100 {
		t.Errorf("%d spans ended, %d were delivered by a queue of 10", made, delivered)
	}
}

// TestARefusalIsNotTriedAgain, and a token stays with the receiver it is for.
func TestARefusalIsNotTriedAgain(t *testing.T) {
	var asked, elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	for _, status := range []int{http.StatusUnauthorized, http.StatusTemporaryRedirect} {
		asked.Store(0)
		r := newReceiver(t)
		refuse := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			w.Header().Set("Location", other.URL)
			w.WriteHeader(status)
		})
		r.answer.Store(&refuse)
		traced, log := started(t, r.URL, map[string]string{"OTEL_EXPORTER_OTLP_HEADERS": "authorization=s3cret"})
		_, end := traced.Runs().Run(validate.Run{Pair: orders})
		end(validate.Verdict{}, nil)
		if err := traced.provider.ForceFlush(t.Context()); err == nil {
			t.Errorf("%d: a refusal is no error", status)
		}
		if n := asked.Load(); n != 1 || elsewhere.Load() != 0 {
			t.Errorf("%d: asked %d times, and another %d times", status, n, elsewhere.Load())
		}
		if text := log.String(); !strings.Contains(text, "not delivered") || strings.Contains(text, "s3cret") {
			t.Error(text)
		}
	}
}
