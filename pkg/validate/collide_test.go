package validate

import (
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

func named(key string) row.Row { return row.Row{row.Value(key), row.Value("n"), row.Value("1")} }

func TestAMissingRowSaysWhatItsKeyCollidesWith(t *testing.T) {
	b := newBench(t, newTable(named("a"), named("A"), named("b")), newTable(named("A")), schema.Lookup)
	for _, v := range []*schema.View{&b.run.Pair.Source, &b.run.Pair.Target} {
		v.Columns = append([]schema.ViewColumn{}, v.Columns...)
		v.Columns[0].Type = canonical.Type{Kind: canonical.Text}
		v.Columns[0].As = v.Columns[0].Type
	}
	v := b.verdict()
	if v.TargetMissing != 2 || v.Collisions != 1 || !strings.Contains(v.Reason, "the target's collation") {
		t.Errorf("verdict %+v", v)
	}
	for _, f := range b.published.findings {
		want := map[string]string{"a": "A", "b": ""}[string(f.Key[0].Value)]
		got := ""
		if f.CollidesWith != nil {
			got = string(f.CollidesWith[0].Value)
		}
		if got != want {
			t.Errorf("%s collides with %q, want %q", f.Key[0].Value, got, want)
		}
	}
}
