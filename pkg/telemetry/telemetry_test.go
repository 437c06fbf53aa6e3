package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/governor"
)

func get(t *testing.T, handler http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return w
}

// everything registers and moves every metric there is.
func everything() *Metrics {
	m := NewMetrics("test", "v1", "0123abc")
	p, g, f, v := NewPublisher(m), NewGroup(m), NewFixer(m), NewValidator(m)
	p.Published("t.findings", 3)
	p.PublishRetried("t.findings", 1)
	p.PublisherHealthy(true)
	g.Rebalanced("t.findings", 2)
	WatchClaims(m, func() []Lag { return []Lag{{Topic: "t.findings", Left: map[int32]int64{1: 17}}} })
	WatchGroups(m, func() []Lag { return []Lag{{Group: "g", Topic: "t.findings", Left: map[int32]int64{0: 0, 1: 18}}} })
	g.Handled("t.findings", 1, 5, time.Second)
	g.HandleRetried("t.findings", 1, 5)
	g.GroupHealthy(true)
	f.Batch("orders", 10, time.Millisecond)
	f.Waiting("orders", errors.New("held"), time.Second)
	at := time.Now()
	f.Settled(event.Outcome{Pair: "orders", Result: event.Repaired, Action: event.Update, DetectedAt: at.Add(-time.Minute), At: at})
	f.Settled(event.Outcome{Pair: "made up", Result: event.Dead, Class: "unknown_pair", At: at})
	f.Settled(event.Outcome{Pair: "orders", Result: event.Repaired, Action: event.Delete, DryRun: true, At: at})
	f.Breaker(event.BreakerState{Pair: "orders", Tripped: true})
	v.RunStarted("orders", "full", 100, 20)
	v.RangeDone("orders", 30, time.Second, true)
	v.RangeDone("orders", 10, time.Second, false)
	v.Suspects("orders", "seen", 4)
	v.ReadFailed("orders")
	v.RunEnded(Run{Pair: "orders", Mode: "full", Complete: true, Took: time.Minute, Findings: map[string]int64{"neq": 2}})
	WatchGovernors(m, []Governed{{Side: "source", Use: "reads", Ask: func() governor.Status {
		return governor.Status{State: governor.Paused, Workers: 4, Running: 1, Share: 1, PausedFor: 3 * time.Second, Signals: []governor.Reading{
			{Signal: governor.Signal{Name: "canary", Limit: 25}, Value: 41, Utilisation: 1.64, Smoothed: 0.5},
		}}
	}}})
	return m
}

func TestMetricsSayWhatHappened(t *testing.T) {
	body := get(t, Handler(everything(), NewReadiness()), "/metrics").Body.String()
	for _, want := range []string{
		`trueup_build_info{program="test",revision="0123abc",version="v1"} 1`,
		`trueup_kafka_published_total{topic="t.findings"} 3`,
		`trueup_kafka_publisher_healthy 1`,
		`trueup_kafka_lag{partition="1",topic="t.findings"} 17`,
		`trueup_kafka_group_lag{group="g",partition="0",topic="t.findings"} 0`,
		`trueup_kafka_group_lag{group="g",partition="1",topic="t.findings"} 18`,
		`trueup_kafka_handled_total{topic="t.findings"} 5`,
		`trueup_fixer_outcomes_total{action="update",pair="orders",result="repaired"} 1`,
		`trueup_fixer_outcomes_total{action="none",pair="unknown",result="dead"} 1`,
		`trueup_fixer_finding_age_seconds_bucket{pair="orders",le="60"} 1`,
		`trueup_fixer_outcomes_total{action="delete",pair="orders",result="would_be_repaired"} 1`,
		`trueup_fixer_waiting{pair="orders"} 1`,
		`trueup_fixer_breaker_tripped{pair="orders"} 1`,
		`trueup_run_rows_scanned{pair="orders"} 60`,
		`trueup_rows_scanned_total{pair="orders"} 40`,
		`trueup_unreadable_ranges_total{pair="orders"} 1`,
		`trueup_runs_total{mode="full",pair="orders",result="different"} 1`,
		`trueup_findings_total{kind="neq",pair="orders"} 2`,
		`trueup_run_last_clean{mode="full",pair="orders"} 0`,
		`trueup_run_active{mode="full",pair="orders"} 0`,
		`trueup_governor_statements{side="source",state="running",use="reads"} 1`,
		`trueup_governor_paused{side="source",use="reads"} 1`,
		`trueup_governor_paused_seconds_total{side="source",use="reads"} 3`,
		`trueup_governor_signal_value{side="source",signal="canary",use="reads"} 41`,
		`trueup_governor_signal_limit{side="source",signal="canary",use="reads"} 25`,
		`trueup_governor_signal_utilisation{side="source",signal="canary",use="reads"} 0.5`,
		`trueup_governor_signal_stale{side="source",signal="canary",use="reads"} 0`,
	} {
		if !strings.Contains(body, want+"\n") {
			t.Errorf("missing %s", want)
		}
	}
	if strings.Contains(body, "made up") {
		t.Error("a pair's name from outside became a label")
	}
}

func TestMetricsFollowPrometheusConventions(t *testing.T) {
	families, err := everything().registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	for _, f := range families {
		name := f.GetName()
		if !strings.HasPrefix(name, "trueup_") && !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") {
			t.Errorf("metric %s is not named trueup_…", name)
		}
	}
}

func TestTheLagShownIsThatOfThePartitionsHeldNow(t *testing.T) {
	m, held := NewMetrics("test", "v1", "0123abc"), map[int32]int64{1: 17}
	WatchClaims(m, func() []Lag { return []Lag{{Topic: "t.findings", Left: held}} })
	const of = `trueup_kafka_lag{partition="1",topic="t.findings"} 17`
	if body := get(t, Handler(m, NewReadiness()), "/metrics").Body.String(); !strings.Contains(body, of) {
		t.Error("a partition of which nothing was handled has no lag")
	}
	held = nil
	if body := get(t, Handler(m, NewReadiness()), "/metrics").Body.String(); strings.Contains(body, "trueup_kafka_lag{") {
		t.Error("the lag of a partition that was given away is still shown")
	}
}

// An alert asks for the increase of a counter, which begins with the second value.
func TestCountersAreThereBeforeTheyCount(t *testing.T) {
	m := NewMetrics("test", "v1", "0123abc")
	NewFixer(m).Expect("orders")
	NewValidator(m).Expect("orders")
	NewGroup(m).Rebalanced("t.findings", 2)
	NewPublisher(m).Published("t.findings", 1)
	body := get(t, Handler(m, NewReadiness()), "/metrics").Body.String()
	for _, want := range []string{
		`trueup_fixer_outcomes_total{action="none",pair="orders",result="dead"} 0`,
		`trueup_fixer_outcomes_total{action="none",pair="unknown",result="dead"} 0`,
		`trueup_fixer_outcomes_total{action="delete",pair="orders",result="repaired"} 0`,
		`trueup_fixer_waits_total{pair="orders"} 0`,
		`trueup_fixer_waiting{pair="orders"} 0`,
		`trueup_fixer_breaker_tripped{pair="orders"} 0`,
		`trueup_fixer_finding_age_seconds_count{pair="orders"} 0`,
		`trueup_runs_total{mode="full",pair="orders",result="incomplete"} 0`,
		`trueup_runs_total{mode="count",pair="orders",result="clean"} 0`,
		`trueup_findings_total{kind="base_missing",pair="orders"} 0`,
		`trueup_suspects_total{pair="orders",state="hot"} 0`,
		`trueup_read_failures_total{pair="orders"} 0`,
		`trueup_unreadable_ranges_total{pair="orders"} 0`,
		`trueup_kafka_handled_total{topic="t.findings"} 0`,
		`trueup_kafka_publish_retries_total{topic="t.findings"} 0`,
	} {
		if !strings.Contains(body, want+"\n") {
			t.Errorf("missing %s", want)
		}
	}
}

type answer struct {
	Ready      bool
	Conditions []Condition
}

func readyz(t *testing.T, r *Readiness) (int, answer) {
	t.Helper()
	w := get(t, Handler(NewMetrics("test", "v1", "0123abc"), r), "/readyz")
	var a answer
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	return w.Code, a
}

func TestReadyOnlyWhenEveryConditionIsMet(t *testing.T) {
	r := NewReadiness()
	if code, a := readyz(t, r); code != http.StatusOK || !a.Ready {
		t.Errorf("without conditions: %d %+v", code, a)
	}
	healthy := false
	r.Set("databases", true, "")
	r.Watch("kafka", func() (bool, string, time.Time) { return healthy, "no broker answers", time.Time{} })
	code, a := readyz(t, r)
	if code != http.StatusServiceUnavailable || a.Ready || len(a.Conditions) != 2 || a.Conditions[1].Detail != "no broker answers" {
		t.Errorf("%d %+v", code, a)
	}
	healthy = true
	r.Set("clocks", true, "the clocks differ")
	code, a = readyz(t, r)
	if code != http.StatusOK || !a.Ready || a.Conditions[2].Detail != "the clocks differ" {
		t.Errorf("%d %+v", code, a)
	}
}

func TestAConditionKnowsSinceWhenItStandsAsItDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewReadiness()
		start := time.Now()
		r.Set("databases", false, "connection refused")
		time.Sleep(time.Minute)
		r.Set("databases", false, "access denied")
		if _, all := r.Conditions(); !all[0].Since.Equal(start) || all[0].Detail != "access denied" {
			t.Errorf("%+v", all)
		}
		time.Sleep(time.Minute)
		r.Set("databases", true, "")
		if _, all := r.Conditions(); all[0].Since.Sub(start) != 2*time.Minute {
			t.Errorf("%+v", all)
		}
	})
}

func TestAliveWhateverIsMissing(t *testing.T) {
	r := NewReadiness()
	r.Set("databases", false, "away")
	if w := get(t, Handler(NewMetrics("test", "v1", "0123abc"), r), "/healthz"); w.Code != http.StatusOK || w.Body.String() != "ok\n" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestAnswersCarrySecurityHeadersAndTakeNoWrites(t *testing.T) {
	handler := Handler(NewMetrics("test", "v1", "0123abc"), NewReadiness())
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/none"} {
		h := get(t, handler, path).Header()
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Security-Policy") == "" || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", path, h)
		}
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/readyz", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
}

func TestServeAnswersUntilItsContextEnds(t *testing.T) {
	listener, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- Serve(ctx, listener, Handler(NewMetrics("test", "v1", "0123abc"), NewReadiness())) }()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listener.Addr().String()+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(response.Body)
	response.Body.Close()
	if string(body) != "ok\n" {
		t.Errorf("got %q", body)
	}
	cancel()
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func TestAnAddressInUseIsASentence(t *testing.T) {
	listener, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, err = Listen(t.Context(), listener.Addr().String())
	if err == nil || !strings.Contains(err.Error(), "http.listen") || !strings.Contains(err.Error(), "choose another") {
		t.Errorf("got %v", err)
	}
}
