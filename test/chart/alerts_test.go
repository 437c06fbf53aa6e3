package chart

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	keda "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/promqltest"
)

// on is a series of one fixer or validator in the namespace the tests speak of.
func on(name, labels, values string) string {
	return "  " + name + `{namespace="shop",pod="p"` + labels + "} " + values + "\n"
}

const (
	findings = `,topic="trueup.findings"`
	backlog  = `,group="trueup.fixer",topic="trueup.findings",partition="3"`
	neq      = `,pair="a",kind="neq"`
)

// Every alert fires when it should, and is quiet in the case beside it. The values
// are those of Prometheus' test language, one a minute: 0+5x30 begins with 0 and
// grows by 5, 30 times.
func TestAlertsFireWhenTheyShould(t *testing.T) {
	cases := []struct {
		name, alert string
		series      string
		at          time.Duration
		fires       bool
	}{
		{"nothing is handled", "TrueupFixerStalled", on("trueup_kafka_lag", findings, "7x60") + on("trueup_kafka_handled_total", findings, "9x60"), time.Hour, true},
		{"a fixer that has handled nothing yet", "TrueupFixerStalled", on("trueup_kafka_lag", findings, "7x60"), time.Hour, true},
		{"slow, but not still", "TrueupFixerStalled", on("trueup_kafka_lag", findings, "7x60") + on("trueup_kafka_handled_total", findings, "0+1x60"), time.Hour, false},
		{"a database is away", "TrueupFixerStalled", on("trueup_kafka_lag", findings, "7x60") + on("trueup_fixer_waiting", `,pair="a"`, "1x60"), time.Hour, false},
		{"nothing to do", "TrueupFixerStalled", on("trueup_kafka_lag", findings, "0x60") + on("trueup_kafka_handled_total", findings, "9x60"), time.Hour, false},
		{"just now", "TrueupFixerStalled", on("trueup_kafka_lag", findings, "7x5"), 5 * time.Minute, false},
		{"a database away for an hour", "TrueupFixerWaiting", on("trueup_fixer_waiting", `,pair="a"`, "1x60"), time.Hour, true},
		{"now and then", "TrueupFixerWaiting", on("trueup_fixer_waiting", `,pair="a"`, "1 1 1 0 1 1 1 0 1 1 1 0 1 1 1 0 1 1 1 0 1 1 1 0 1 1 1 0 1 1 1 0 1 1 1 0 1 1 1 0 1 1 1 0 1 1 1 0"), 40 * time.Minute, false},
		{"dead", "TrueupFindingsDead", on("trueup_fixer_outcomes_total", `,pair="a",result="dead",action="none"`, "0x10 3x10"), 15 * time.Minute, true},
		{"dead yesterday", "TrueupFindingsDead", on("trueup_fixer_outcomes_total", `,pair="a",result="dead",action="none"`, "3x60"), time.Hour, false},
		{"held", "TrueupRepairsHeld", on("trueup_fixer_breaker_tripped", `,pair="a"`, "0x10 1x10"), 15 * time.Minute, true},
		{"released", "TrueupRepairsHeld", on("trueup_fixer_breaker_tripped", `,pair="a"`, "1x10 0x10"), 15 * time.Minute, false},
		{"the copy is busy", "TrueupFixerStalled", on("trueup_kafka_lag", findings, "7x60") + on("trueup_governor_paused", `,side="target",use="writes"`, "1x60"), time.Hour, false},
		{
			"the authority is busy", "TrueupFixerStalled",
			on("trueup_kafka_lag", findings, "7x60") + on("trueup_governor_paused", `,side="source",use="reads"`, "1x60") + on("trueup_governor_paused", `,side="target",use="writes"`, "0x60"),
			time.Hour, false,
		},
		{"a validator waits", "TrueupFixerStalled", on("trueup_kafka_lag", findings, "7x60") + on("trueup_governor_paused", `,side="source",use="reads"`, "1x60"), time.Hour, true},
		{"busy for an hour", "TrueupPaused", on("trueup_governor_paused", `,side="target",use="writes"`, "1x60"), time.Hour, true},
		{"busy for a moment", "TrueupPaused", on("trueup_governor_paused", `,side="target",use="writes"`, "0x55 1x5"), time.Hour, false},
		{"lost", "TrueupSignalStale", on("trueup_governor_signal_stale", `,side="target",use="reads",signal="latency"`, "1x60"), time.Hour, true},
		{"found", "TrueupSignalStale", on("trueup_governor_signal_stale", `,side="target",use="reads",signal="latency"`, "1x50 0x10"), time.Hour, false},
		{"two hours old", "TrueupFindingsOld", ages("0+10x120", "0+100x120"), 2 * time.Hour, true},
		{"minutes old", "TrueupFindingsOld", ages("0+100x120", "0+100x120"), 2 * time.Hour, false},
		{"no fixer", "TrueupFixerAbsent", on("trueup_kafka_group_lag", backlog, "5x30"), 30 * time.Minute, true},
		{"a fixer", "TrueupFixerAbsent", on("trueup_kafka_group_lag", backlog, "5x30") + on("trueup_build_info", `,program="fixer"`, "1x30"), 30 * time.Minute, false},
		{"no fixer and nothing to do", "TrueupFixerAbsent", on("trueup_kafka_group_lag", backlog, "0x30"), 30 * time.Minute, false},
		{"never repaired", "TrueupCanaryMissed", on("trueup_canary_last_proven", neq, "0x120") + on("trueup_canary_last_proven_timestamp_seconds", neq, "0x120"), 2 * time.Hour, true},
		{"not repaired for an hour", "TrueupCanaryMissed", on("trueup_canary_last_proven", neq, "1x10 0x110") + on("trueup_canary_last_proven_timestamp_seconds", neq, "600x120"), 2 * time.Hour, true},
		{"missed once", "TrueupCanaryMissed", on("trueup_canary_last_proven", neq, "1x100 0x20") + on("trueup_canary_last_proven_timestamp_seconds", neq, "5400x120"), 2 * time.Hour, false},
		{"proven long ago, and none since", "TrueupCanaryMissed", on("trueup_canary_last_proven", neq, "1x120") + on("trueup_canary_last_proven_timestamp_seconds", neq, "0x120"), 2 * time.Hour, false},
		{"none for two days", "TrueupCanaryStale", on("trueup_canary_last_timestamp_seconds", neq, "60x2880"), 48 * time.Hour, true},
		{"one a day", "TrueupCanaryStale", on("trueup_canary_last_timestamp_seconds", neq, "86400x2880"), 48 * time.Hour, false},
		{"none has partitions", "TrueupFixerWithoutPartitions", on("trueup_kafka_claims", findings, "0x30"), 30 * time.Minute, true},
		{"one has", "TrueupFixerWithoutPartitions", on("trueup_kafka_claims", findings, "0x30") + `  trueup_kafka_claims{namespace="shop",pod="q",topic="trueup.findings"} 12x30` + "\n", 30 * time.Minute, false},
		{"Kafka is away", "TrueupPublisherUnhealthy", on("trueup_kafka_publisher_healthy", "", "0x30"), 30 * time.Minute, true},
		{"Kafka was away", "TrueupPublisherUnhealthy", on("trueup_kafka_publisher_healthy", "", "0x25 1x5"), 30 * time.Minute, false},
		{"not a member", "TrueupGroupUnhealthy", on("trueup_kafka_group_healthy", "", "0x30"), 30 * time.Minute, true},
		{"a member", "TrueupGroupUnhealthy", on("trueup_kafka_group_healthy", "", "1x30"), 30 * time.Minute, false},
		{"every minute", "TrueupRebalancing", on("trueup_kafka_rebalances_total", findings, "0+1x60") + on("trueup_build_info", `,program="fixer"`, "1x60"), time.Hour, true},
		{"every five minutes", "TrueupRebalancing", on("trueup_kafka_rebalances_total", findings, "0+0.2x60") + on("trueup_build_info", `,program="fixer"`, "1x60"), time.Hour, false},
		{"incomplete", "TrueupRunIncomplete", on("trueup_runs_total", `,pair="a",mode="full",result="incomplete"`, "0x10 1x10"), 15 * time.Minute, true},
		{"different", "TrueupRunIncomplete", on("trueup_runs_total", `,pair="a",mode="full",result="different"`, "0x10 1x10"), 15 * time.Minute, false},
		{"stands still", "TrueupWatermarkStalled", on("trueup_watermark_stalled", `,pair="a"`, "0x10 1x20"), 30 * time.Minute, true},
		{"stood still", "TrueupWatermarkStalled", on("trueup_watermark_stalled", `,pair="a"`, "1x20 0x10"), 30 * time.Minute, false},
		{"open since morning", "TrueupRowsOpen", on("trueup_open_row_oldest_seconds", `,pair="a"`, "0+60x600"), 10 * time.Hour, true},
		{"others open each hour", "TrueupRowsOpen", on("trueup_open_row_oldest_seconds", `,pair="a"`, "3600x600"), 10 * time.Hour, false},
		{"none of two leads", "TrueupNobodyLeads", on("trueup_validator_leads", "", "0x60") + `  trueup_validator_leads{namespace="shop",pod="q"} 0x60` + "\n", 10 * time.Minute, true},
		{"the other leads", "TrueupNobodyLeads", on("trueup_validator_leads", "", "0x60") + `  trueup_validator_leads{namespace="shop",pod="q"} 1x60` + "\n", time.Hour, false},
		{"nobody knows", "TrueupStandingUnknown", on("trueup_standing_age_seconds", "", "0+60x60"), time.Hour, true},
		{"another validator knows", "TrueupStandingUnknown", on("trueup_standing_age_seconds", "", "0+60x60") + `  trueup_standing_age_seconds{namespace="shop",pod="q"} 1x60` + "\n", time.Hour, false},
		{"not clean for two days", "TrueupNotClean", on("trueup_run_last_clean", `,pair="a",mode="full"`, "0x2880"), 48 * time.Hour, true},
		{"clean in between", "TrueupNotClean", on("trueup_run_last_clean", `,pair="a",mode="full"`, "0x2000 1x10 0x870"), 48 * time.Hour, false},
		{"the last run nine days ago", "TrueupNoRun", on("trueup_run_last_end_timestamp_seconds", `,pair="a",mode="full"`, "0x13000"), 9 * 24 * time.Hour, true},
		{"it runs", "TrueupNoRun", on("trueup_run_last_end_timestamp_seconds", `,pair="a",mode="full"`, "0x13000") + on("trueup_run_active", `,pair="a",mode="full"`, "1x13000"), 9 * 24 * time.Hour, false},
	}
	byName, told := map[string]rule{}, map[string]map[bool]bool{}
	for _, r := range rules(t) {
		if r.Alert != "" {
			byName[r.Alert], told[r.Alert] = r, map[bool]bool{}
		}
	}
	for _, c := range cases {
		t.Run(c.alert+": "+c.name, func(t *testing.T) {
			r, known := byName[c.alert]
			if !known {
				t.Fatal("no such alert")
			}
			told[c.alert][c.fires] = true
			fired := fires(t, r, c.series, c.at)
			if len(fired) > 0 != c.fires {
				t.Errorf("fires: %v, want %t\n%s\n%s", fired, c.fires, r.Expr, c.series)
			}
			for _, one := range fired {
				speaks(t, r, one)
			}
		})
	}
	for name, which := range told {
		if len(which) != 2 {
			t.Errorf("%s is not shown to fire and to be quiet", name)
		}
	}
}

// ages are the buckets of findings' ages up to half an hour and in all.
func ages(young, all string) string {
	const name = "trueup_fixer_finding_age_seconds_bucket"
	return on(name, `,pair="a",le="1800"`, young) + on(name, `,pair="a",le="21600"`, all) + on(name, `,pair="a",le="+Inf"`, all)
}

// labelOf is a label that an annotation names.
var labelOf = regexp.MustCompile(`\$labels\.(\w+)`)

// speaks fails when an annotation of an alert names a label that it does not have, and
// would leave a gap in what people are paged with.
func speaks(t *testing.T, r rule, fired labels.Labels) {
	t.Helper()
	for name, text := range r.Annotations {
		for _, match := range labelOf.FindAllStringSubmatch(text, -1) {
			if fired.Get(match[1]) == "" {
				t.Errorf("%s: %s names the label %s, which the alert lacks: %s", r.Alert, name, match[1], fired)
			}
		}
	}
}

// fires are the labels under which the alert fires at the time: those under which its
// expression gives something at every minute of its "for".
func fires(t *testing.T, r rule, series string, at time.Duration) []labels.Labels {
	t.Helper()
	var wait model.Duration
	if r.For != "" {
		var err error
		if wait, err = model.ParseDuration(r.For); err != nil {
			t.Fatal(err)
		}
	}
	end := time.Unix(0, 0).Add(at)
	matrix := ask(t, inFull(t, r.Expr), series, end.Add(-time.Duration(wait)), end)
	var fired []labels.Labels
	for _, one := range matrix {
		if len(one.Floats) == int(time.Duration(wait)/time.Minute)+1 {
			fired = append(fired, one.Metric)
		}
	}
	return fired
}

// inFull is an expression that asks for what it wants recorded.
func inFull(t *testing.T, expr string) string {
	t.Helper()
	for _, other := range rules(t) {
		if other.Record != "" {
			expr = strings.ReplaceAll(expr, other.Record, "("+other.Expr+")")
		}
	}
	return expr
}

func ask(t *testing.T, expr, series string, from, to time.Time) promql.Matrix {
	t.Helper()
	storage := promqltest.LoadedStorage(t, "load 1m\n"+series)
	t.Cleanup(func() { _ = storage.Close() })
	engine := promqltest.NewTestEngine(t, false, 0, 1_000_000)
	query, err := engine.NewRangeQuery(context.WithoutCancel(t.Context()), storage, nil, expr, from, to, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer query.Close()
	matrix, err := query.Exec(t.Context()).Matrix()
	if err != nil {
		t.Fatal(err)
	}
	return matrix
}

func kedaQuery(t *testing.T) string {
	t.Helper()
	return the[*keda.ScaledObject](t, mustRender(t, matrix(t)["keda-prometheus"])).Spec.Triggers[0].Metadata["query"]
}

// More fixers would not help while every one of them waits for a database, or the
// governor spares it.
func TestKedaSeesNoLagThatMoreFixersWouldNotLower(t *testing.T) {
	const lag = `  trueup_kafka_lag{namespace="migration",topic="trueup.findings",partition="0"} 500x10` + "\n" +
		`  trueup_kafka_lag{namespace="migration",topic="trueup.findings",partition="1"} 700x10` + "\n"
	for series, want := range map[string]float64{
		lag: 1200,
		"":  0,
		lag + `  trueup_fixer_waiting{namespace="migration",pod="a"} 1x10` + "\n" + `  trueup_fixer_waiting{namespace="migration",pod="b"} 0x10` + "\n": 1200,
		lag + `  trueup_fixer_waiting{namespace="migration",pod="a"} 1x10` + "\n" + `  trueup_fixer_waiting{namespace="migration",pod="b"} 1x10` + "\n": 0,
		lag + `  trueup_governor_paused{namespace="migration",pod="a",side="target",use="writes"} 1x10` + "\n":                                          0,
		lag + `  trueup_governor_paused{namespace="migration",pod="v",side="target",use="reads"} 1x10` + "\n":                                           1200,
		lag + `  trueup_governor_paused{namespace="migration",pod="a",side="source",use="reads"} 1x10` + "\n" +
			`  trueup_governor_paused{namespace="migration",pod="a",side="target",use="writes"} 0x10` + "\n": 0,
	} {
		at := time.Unix(300, 0)
		got := ask(t, kedaQuery(t), series, at, at)
		if len(got) != 1 || len(got[0].Floats) != 1 || got[0].Floats[0].F != want {
			t.Errorf("%v, want %v of\n%s", got, want, series)
		}
	}
}
