package assembly

import (
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/schema"
)

func TestWhatIsWrongWithACanaryIsNamed(t *testing.T) {
	for text, want := range map[string]string{
		"canary: {key: {id: 9}, extra: {id: 10}, column: note}": "",
		"canary: {}":                                                         "pairs[0].canary.key: a canary needs a row",
		"canary: {key: {id: ~}}":                                             "pairs[0].canary: column id is given NULL",
		"canary: {key: {id: 9}, extra: {id: 9}}":                             "pairs[0].canary.extra: ",
		"canary: {key: {id: 9}, shadow: {target: x}}":                        "pairs[0].canary.shadow.source: ",
		"canary: {key: {id: 9}, colum: x}":                                   "unknown key",
		"canary: {key: {id: 9}, shadow: {source: s}}, shards: [{source: a}]": "pairs[0].canary.shadow: ",
	} {
		_, err := Load(write(t, "source: {dsn: a}\ntarget: {dsn: b}\npairs: [{name: x, "+text+"}]\n"))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestAShadowIsAPairOfItsOwnThatIsComparedAsThePair(t *testing.T) {
	f, err := Load(write(t, `
source: {dsn: a}
target: {dsn: b}
pairs:
  - name: orders
    source: shop.orders
    exclude: [private]
    rules: {note: {trim: right}}
    authority: target
    epoch: 4
    updated_at: at
    schedule: {full: "@daily", incremental: "@every 1s"}
    changes: {source: t}
    canary: {key: {id: 9}, shadow: {source: ops.canary, target: canary}}
  - {name: plain}
`))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Pairs) != 3 {
		t.Fatalf("%d pairs", len(f.Pairs))
	}
	s := f.Pairs[1]
	if s.Name != "orders.canary" || s.Source != "ops.canary" || s.Target != "canary" || s.Epoch != 4 || s.Authority != "target" ||
		len(s.Exclude) != 1 || len(s.Rules) != 1 || s.Schedule != (Schedule{}) || s.Changes != (Changes{}) || s.UpdatedAt != "" || s.Canary.Shadow != nil {
		t.Errorf("%+v", s)
	}
	for name, want := range map[string]string{"orders": "orders.canary", "orders.canary": "orders.canary"} {
		if p, err := f.CanaryPair(name); err != nil || p.Name != want {
			t.Errorf("the canary of %s: %v, %v", name, p, err)
		}
	}
	for name, want := range map[string]string{"plain": "pair plain has no canary", "nothing": "those with a canary are orders.canary"} {
		if _, err := f.CanaryPair(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the canary of %s: %v", name, err)
		}
	}
}

func TestAReservedKeyHasAValueForEachColumnInTheOrderOfTheKey(t *testing.T) {
	text := func(s string) *string { return &s }
	column := func(name string) schema.ViewColumn {
		return schema.ViewColumn{Column: schema.Column{Name: name}, As: canonical.Type{Kind: canonical.Int}}
	}
	pair := &schema.Pair{Name: "lines", Names: []string{"line", "note", "order"}}
	pair.Source = schema.View{Columns: []schema.ViewColumn{column("line"), column("note"), column("order")}, Key: []int{2, 0}}
	c := Canary{Key: map[string]*string{"line": text("2"), "order": text("1")}}
	if key, extra, err := c.Row(pair); err != nil || key.String() != "1,2" || extra != nil {
		t.Errorf("%v, %v, %v", key, extra, err)
	}
	for _, extra := range []map[string]*string{{"line": text("2")}, {"line": text("2"), "note": text("1")}, {"line": text("2"), "order": text("1"), "x": text("1")}, {}} {
		c.Extra = extra
		if _, _, err := c.Row(pair); err == nil || !strings.Contains(err.Error(), "canary.extra") || !strings.Contains(err.Error(), "order, line") {
			t.Errorf("%v: %v", extra, err)
		}
	}
}
