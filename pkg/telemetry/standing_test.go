package telemetry

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/trueup/trueup/pkg/standing"
)

// TestHowPairsStandIsShown: gauges go back to 0, and outcomes of before the start
// are not counted, since a restart would look like a flood of them.
func TestHowPairsStandIsShown(t *testing.T) {
	m := NewMetrics("test", "v1", "0123abc")
	s := NewStanding(m)
	now := time.Now()
	page := func() string { return get(t, Handler(m, NewReadiness()), "/metrics").Body.String() }
	wants := func(lines ...string) {
		t.Helper()
		for _, want := range lines {
			if body := page(); !strings.Contains(body, want+"\n") {
				t.Errorf("%s is missing in\n%s", want, body)
			}
		}
	}

	s.Show([]standing.Pair{{Pair: "orders", Outcomes: map[string]int64{"repaired": 500}}}, s.began.Add(90*time.Second))
	wants(`trueup_standing_age_seconds 90`)
	first := standing.Pair{
		Pair: "orders", Known: true, KnownAsOfSeconds: 2, Open: 3, AtLeast: true, OldestSeconds: 40, Kinds: map[string]int{"neq": 3}, Held: 2,
		Outcomes: map[string]int64{"repaired": 1000}, Verified: []standing.Watermark{{Mode: "incremental", Stalled: true}, {Mode: "triggered"}},
	}
	s.Show([]standing.Pair{first}, now)
	wants(`trueup_open_rows{kind="neq",pair="orders"} 3`, `trueup_open_rows_stuck{pair="orders",why="held"} 2`, `trueup_open_row_oldest_seconds{pair="orders"} 40`,
		`trueup_open_rows_overflown{pair="orders"} 1`, `trueup_watermark_stalled{pair="orders"} 1`, `trueup_standing_age_seconds 2`)
	if strings.Contains(page(), `trueup_outcomes_seen_total{`) {
		t.Errorf("outcomes of before the start are counted:\n%s", page())
	}
	s.Show([]standing.Pair{{
		Pair: "orders", Known: true, Outcomes: map[string]int64{"repaired": 1003, "held": 1}, Verified: []standing.Watermark{{Mode: "incremental"}},
	}}, now)
	wants(`trueup_open_rows{kind="neq",pair="orders"} 0`, `trueup_open_rows_stuck{pair="orders",why="held"} 0`, `trueup_open_row_oldest_seconds{pair="orders"} 0`,
		`trueup_open_rows_overflown{pair="orders"} 0`, `trueup_watermark_stalled{pair="orders"} 0`,
		`trueup_outcomes_seen_total{pair="orders",result="repaired"} 3`, `trueup_outcomes_seen_total{pair="orders",result="held"} 1`)
	problems, err := promlint.New(strings.NewReader(page())).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}
