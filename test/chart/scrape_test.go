package chart

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/util/teststorage"
)

// every is how far apart scrapes are told to be: further than they were, so that
// rates over some minutes have values.
const every = 15 * time.Second

// TestDashboardAndRulesHoldOfWhatTheServicesExport runs the services under load, and
// asks of their scrapes what Grafana and Prometheus would.
func TestDashboardAndRulesHoldOfWhatTheServicesExport(t *testing.T) {
	l := loaded(t)
	exported := l.exported()
	t.Run("names and labels", func(t *testing.T) {
		for _, p := range panels(t) {
			for _, query := range p.Targets {
				for _, problem := range problems(query.Expr, exported) {
					t.Errorf("panel %s: %s", p.Title, problem)
				}
			}
		}
		for _, r := range rules(t) {
			for _, problem := range problems(r.Expr, withRecords(t, exported)) {
				t.Errorf("%s%s: %s", r.Alert, r.Record, problem)
			}
		}
	})
	t.Run("the code declares what is exported", func(t *testing.T) {
		declared := series(t)
		for name, has := range exported {
			if !strings.HasPrefix(name, "trueup_") {
				continue
			}
			known, there := declared[name]
			if !there {
				t.Errorf("%s is exported, and package telemetry is not seen to declare it", name)
			}
			for _, label := range has {
				if known != nil && !slices.Contains(known, label) {
					t.Errorf("%s has the label %s, and is declared with %v", name, label, known)
				}
			}
		}
	})
	history := l.history()
	t.Run("every panel shows something", func(t *testing.T) {
		for _, p := range panels(t) {
			for _, query := range p.Targets {
				shows(t, history, p.Title, query)
			}
		}
	})
	t.Run("what happened is told", func(t *testing.T) {
		for _, r := range rules(t) {
			got := history.ask(t, inFull(t, r.Expr), history.until.Add(-2*time.Minute), history.until)
			if slices.Contains([]string{"TrueupRepairsHeld", "TrueupFindingsDead"}, r.Alert) && len(got) == 0 {
				t.Errorf("%s tells nothing", r.Alert)
			}
			if r.Record != "" && len(got) == 0 {
				t.Errorf("%s records nothing", r.Record)
			}
		}
	})
}

// exported are the metrics of all scrapes with their labels.
func (l *live) exported() map[string][]string {
	has := map[string]map[string]bool{}
	for _, scrape := range l.scrapes {
		for _, s := range scrape {
			name := string(s.Metric["__name__"])
			if has[name] == nil {
				has[name] = map[string]bool{}
			}
			for label := range s.Metric {
				if label != "__name__" {
					has[name][string(label)] = true
				}
			}
		}
	}
	out := map[string][]string{}
	for name, all := range has {
		out[name] = slices.Sorted(maps.Keys(all))
	}
	return out
}

// withRecords are metrics with those that rules record.
func withRecords(t *testing.T, exported map[string][]string) map[string][]string {
	t.Helper()
	out := maps.Clone(exported)
	for _, r := range rules(t) {
		if r.Record != "" {
			out[r.Record] = nil
		}
	}
	return out
}

// history is what a Prometheus would know of the scrapes.
type history struct {
	storage      *teststorage.TestStorage
	since, until time.Time
}

// history ends now: some queries ask for the time.
func (l *live) history() history {
	l.t.Helper()
	h := history{storage: teststorage.New(l.t), until: time.Now().Truncate(time.Second)}
	l.t.Cleanup(func() { _ = h.storage.Close() }) // nothing is left to be written
	h.since = h.until.Add(-time.Duration(len(l.scrapes)-1) * every)
	for i, scrape := range l.scrapes {
		at := h.since.Add(time.Duration(i) * every).UnixMilli()
		appender := h.storage.Appender(l.t.Context())
		for _, s := range scrape {
			named := map[string]string{}
			for label, value := range s.Metric {
				named[string(label)] = string(value)
			}
			if _, err := appender.Append(0, labels.FromMap(named), at, float64(s.Value)); err != nil {
				l.t.Fatalf("%s: %v", s.Metric, err)
			}
		}
		if err := appender.Commit(); err != nil {
			l.t.Fatal(err)
		}
	}
	return h
}

func (h history) ask(t *testing.T, expr string, from, to time.Time) promql.Matrix {
	t.Helper()
	engine := promqltest.NewTestEngine(t, false, 0, 1_000_000)
	query, err := engine.NewRangeQuery(context.WithoutCancel(t.Context()), h.storage, nil, expr, from, to, every)
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	defer query.Close()
	matrix, err := query.Exec(t.Context()).Matrix()
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	out := make(promql.Matrix, len(matrix)) // the query's own is taken back by Close
	for i, one := range matrix {
		out[i] = promql.Series{Metric: one.Metric.Copy(), Floats: slices.Clone(one.Floats)}
	}
	return out
}

var legendLabel = regexp.MustCompile(`{{\s*(\w+)\s*}}`)

// shows fails unless a query of a panel has a series, and each has the labels that
// its legend names.
func shows(t *testing.T, h history, panel string, query target) {
	t.Helper()
	from := h.since
	if query.Instant {
		from = h.until
	}
	got := h.ask(t, query.Expr, from, h.until)
	if len(got) == 0 {
		t.Errorf("%s shows nothing: %s", panel, query.Expr)
	}
	for _, one := range got {
		for _, match := range legendLabel.FindAllStringSubmatch(query.LegendFormat, -1) {
			if one.Metric.Get(match[1]) == "" {
				t.Errorf("%s: the legend %q names a label that %s lacks", panel, query.LegendFormat, one.Metric)
			}
		}
	}
}
