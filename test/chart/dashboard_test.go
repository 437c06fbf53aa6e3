package chart

import (
	"encoding/json"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
)

// panel is one of the dashboard, target one of its queries.
type panel struct {
	ID      int
	Type    string
	Title   string
	GridPos struct{ X, Y, W, H int }
	Targets []target
}

type target struct {
	Expr, LegendFormat string
	Instant            bool
}

// panels are those of the dashboard as it is rendered, with Grafana's variables
// filled in as for all namespaces.
func panels(t *testing.T) []panel {
	t.Helper()
	var dashboard struct{ Panels []panel }
	if err := json.Unmarshal([]byte(dashboardText(t)), &dashboard); err != nil {
		t.Fatal(err)
	}
	for i := range dashboard.Panels {
		for j := range dashboard.Panels[i].Targets {
			q := &dashboard.Panels[i].Targets[j]
			q.Expr = strings.NewReplacer("$__rate_interval", "5m", "$namespace", ".*").Replace(q.Expr)
		}
	}
	return dashboard.Panels
}

func dashboardText(t *testing.T) string {
	t.Helper()
	for _, m := range all[*core.ConfigMap](mustRender(t, base(t, `{monitoring: {dashboard: {enabled: true}}}`))) {
		if content := m.Data["trueup.json"]; content != "" {
			return content
		}
	}
	t.Fatal("no dashboard")
	return ""
}

// Grafana draws panels that overlap on top of each other, and leaves gaps where none is.
func TestThePanelsOfTheDashboardFillItsGrid(t *testing.T) {
	const width = 24
	taken, ids, bottom := map[[2]int]string{}, map[int]string{}, 0
	all := panels(t)
	for _, p := range all {
		if other := ids[p.ID]; other != "" {
			t.Errorf("%s and %s have the same number", p.Title, other)
		}
		ids[p.ID] = p.Title
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("%s asks nothing", p.Title)
		}
		for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				if other := taken[[2]int{x, y}]; other != "" {
					t.Fatalf("%s lies over %s", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		bottom = max(bottom, p.GridPos.Y+p.GridPos.H)
	}
	if len(taken) != width*bottom || len(all) < 20 {
		t.Errorf("%d panels cover %d of %d places", len(all), len(taken), width*bottom)
	}
}
