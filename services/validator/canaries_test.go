package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/telemetry"
	"github.com/trueup/trueup/services/assembly"
)

// told are the metrics of canaries after the reports, in their order.
func told(t *testing.T, pairs []assembly.Pair, reports ...event.CanaryReport) string {
	t.Helper()
	m := telemetry.NewMetrics("test", "v1", "0123abc")
	c := newCanaries(pairs, telemetry.NewCanaries(m), zerolog.Nop())
	for _, report := range reports {
		record, err := event.Encoder{ContentType: event.Protobuf}.CanaryReport(report)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.learn(record); err != nil {
			t.Fatal(err)
		}
	}
	return metricsOf(t, m)
}

func TestTheLastCanaryIsShownInWhateverOrderTheReportsCome(t *testing.T) {
	at := time.Unix(1_000_000, 0)
	pairs := []assembly.Pair{{Name: "orders", Canary: &assembly.Canary{}}, {Name: "others"}}
	proven := event.CanaryReport{Pair: "orders", Authority: event.Source, Kind: event.NotEqual, At: at, Found: time.Second, Repaired: 2 * time.Second, Equal: 3 * time.Second}
	missed := event.CanaryReport{Pair: "orders", Authority: event.Source, Kind: event.NotEqual, At: at.Add(time.Hour), Found: 4 * time.Second, Missed: "repaired"}
	earlier := proven
	earlier.At = at.Add(-time.Hour)
	foreign := proven
	foreign.Pair = "others"
	for name, reports := range map[string][]event.CanaryReport{
		"as they came":       {earlier, proven, missed, foreign},
		"the other way":      {missed, proven, earlier},
		"again and mixed":    {proven, missed, proven, earlier, missed},
		"as compaction left": {proven, missed},
	} {
		body := told(t, pairs, reports...)
		for _, want := range []string{
			`trueup_canary_last_proven{kind="neq",pair="orders"} 0`,
			`trueup_canary_last_seconds{kind="neq",pair="orders",stage="found"} 4`,
			`trueup_canary_last_timestamp_seconds{kind="neq",pair="orders"} 1.0036e+06`,
			`trueup_canary_last_proven_timestamp_seconds{kind="neq",pair="orders"} 1e+06`,
		} {
			if !strings.Contains(body, want+"\n") {
				t.Errorf("%s: missing %s", name, want)
			}
		}
		if strings.Contains(body, `stage="equal"`) || strings.Contains(body, "others") {
			t.Errorf("%s: a stage of an earlier canary, or a pair without one, is shown:\n%s", name, body)
		}
	}
	if body := told(t, pairs, missed, proven, event.CanaryReport{Pair: "orders", Authority: event.Source, Kind: event.NotEqual, At: at.Add(2 * time.Hour), Equal: time.Second}); !strings.Contains(body, `trueup_canary_last_proven{kind="neq",pair="orders"} 1`) {
		t.Errorf("the canary that was proven again is not:\n%s", body)
	}
}

func TestAReportThatCannotBeReadForbidsNothing(t *testing.T) {
	m := telemetry.NewMetrics("test", "v1", "0123abc")
	c := newCanaries(nil, telemetry.NewCanaries(m), zerolog.Nop())
	for _, r := range []event.Record{
		{Key: event.StateKey(event.StateCanary, "proven/neq/orders"), Value: []byte("?")},
		{Key: event.StateKey(event.StateCanary, "proven/neq/orders")},
		{Key: event.StateKey(event.StatePosition, "orders"), Value: []byte("?")},
	} {
		if err := c.learn(r); err != nil {
			t.Error(err)
		}
	}
}

func metricsOf(t *testing.T, m *telemetry.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	telemetry.Handler(m, telemetry.NewReadiness()).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
	return w.Body.String()
}
