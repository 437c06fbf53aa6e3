package chart

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"sigs.k8s.io/yaml"
)

type ruleFile struct {
	Groups []struct {
		Name  string `json:"name"`
		Rules []rule `json:"rules"`
	} `json:"groups"`
}

type rule struct {
	Alert       string            `json:"alert"`
	Record      string            `json:"record"`
	Expr        string            `json:"expr"`
	For         string            `json:"for"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

func rules(t *testing.T) []rule {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(directory, "files/rules.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var file ruleFile
	if err := yaml.UnmarshalStrict(content, &file); err != nil {
		t.Fatal(err)
	}
	var all []rule
	for _, group := range file.Groups {
		all = append(all, group.Rules...)
	}
	if len(all) == 0 {
		t.Fatal("no rules")
	}
	return all
}

// Prometheus itself would refuse a wrong expression, duration or template.
func TestPrometheusTakesTheRules(t *testing.T) {
	_, errs := rulefmt.ParseFile(filepath.Join(directory, "files/rules.yaml"), false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	for _, err := range errs {
		t.Error(err)
	}
}

func TestRulesUseMetricsAndLabelsThatExist(t *testing.T) {
	known := series(t)
	for _, r := range rules(t) {
		if r.Record != "" {
			known[r.Record] = nil
		}
	}
	for _, r := range rules(t) {
		for _, problem := range problems(r.Expr, known) {
			t.Errorf("%s%s: %s", r.Alert, r.Record, problem)
		}
	}
}

func TestAlertsSayWhatAndHowBad(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rules(t) {
		if r.Alert == "" {
			continue
		}
		if seen[r.Alert] || !strings.HasPrefix(r.Alert, "Trueup") {
			t.Errorf("%s: the name is taken, or not of this project", r.Alert)
		}
		seen[r.Alert] = true
		if !slices.Contains([]string{"critical", "warning", "info"}, r.Labels["severity"]) || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("%s: severity %q, annotations %v", r.Alert, r.Labels["severity"], r.Annotations)
		}
	}
}

func TestTheDashboardUsesMetricsAndLabelsThatExist(t *testing.T) {
	known := series(t)
	for _, p := range panels(t) {
		for _, query := range p.Targets {
			for _, problem := range problems(query.Expr, known) {
				t.Errorf("%s: %s", query.Expr, problem)
			}
		}
	}
}

func TestKedaAsksPrometheusForMetricsThatExist(t *testing.T) {
	query := kedaQuery(t)
	for _, problem := range problems(query, series(t)) {
		t.Errorf("%s: %s", query, problem)
	}
}

// problems names what a query gets wrong: its syntax, a series nobody has, a label
// the series does not have.
func problems(query string, known map[string][]string) []string {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	if err != nil {
		return []string{err.Error()}
	}
	var found []string
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		switch node := node.(type) {
		case *parser.VectorSelector:
			labels, ok := known[node.Name]
			if !ok {
				found = append(found, fmt.Sprintf("there is no metric %q", node.Name))
			}
			for _, matcher := range node.LabelMatchers {
				if labels != nil && matcher.Name != "__name__" && !slices.Contains(labels, matcher.Name) {
					found = append(found, fmt.Sprintf("%s has no label %q", node.Name, matcher.Name))
				}
			}
		case *parser.AggregateExpr:
			found = append(found, unknownGroups(node, known)...)
		}
		return nil
	})
	return found
}

// unknownGroups are labels to aggregate by that no series below has.
func unknownGroups(aggregate *parser.AggregateExpr, known map[string][]string) []string {
	var found []string
	for _, label := range aggregate.Grouping {
		has := false
		parser.Inspect(aggregate.Expr, func(node parser.Node, _ []parser.Node) error {
			if selector, ok := node.(*parser.VectorSelector); ok {
				labels, there := known[selector.Name]
				has = has || there && (labels == nil || slices.Contains(labels, label))
			}
			return nil
		})
		if !has {
			found = append(found, fmt.Sprintf("nothing below %s has the label %q", aggregate, label))
		}
	}
	return found
}

func TestRulesCanBeLeftOutAndLabelled(t *testing.T) {
	made := the[*monitoring.PrometheusRule](t, mustRender(t, matrix(t)["monitoring-by-service"]))
	rendered := map[string]monitoring.Rule{}
	for _, group := range made.Spec.Groups {
		for _, r := range group.Rules {
			rendered[r.Alert+r.Record] = r
		}
	}
	for _, r := range rules(t) {
		got, there := rendered[r.Alert+r.Record]
		if r.Alert == "TrueupFixerAbsent" {
			if there {
				t.Error("TrueupFixerAbsent is disabled, and there")
			}
			continue
		}
		if got.Expr.StrVal != r.Expr {
			t.Errorf("%s%s asks %q, want %q", r.Alert, r.Record, got.Expr.StrVal, r.Expr)
		}
		if r.Alert != "" && (got.Labels["team"] != "payments" || got.Labels["severity"] != "page" || got.Annotations["summary"] != r.Annotations["summary"]) {
			t.Errorf("%s: %+v", r.Alert, got)
		}
	}
	if rendered["Mine"].Labels["severity"] != "info" {
		t.Error("the additional rule is not as given")
	}
}
