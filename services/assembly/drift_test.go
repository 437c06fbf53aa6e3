package assembly

import (
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/schema"
)

// driftingPair has a target that holds less, and a table there that goes along
// with deleted rows.
func driftingPair(t *testing.T) *schema.Pair {
	t.Helper()
	table := func(native, base string) *schema.Table {
		whole := canonical.Type{Kind: canonical.Int}
		return &schema.Table{
			Name: schema.Name{Table: "orders"}, Engine: "mariadb", AllReferences: true,
			Columns: []schema.Column{{Name: "id", Native: "bigint(20)", Base: "bigint", Type: whole}, {Name: "n", Native: native, Base: base, Type: whole, Nullable: true}},
			Keys:    []schema.UniqueKey{{Name: "PRIMARY", Columns: []string{"id"}, Primary: true}},
		}
	}
	source, target := table("bigint(20)", "bigint"), table("int(11)", "int")
	target.ReferencedBy = []schema.ForeignKey{{Name: "of_order", Child: schema.Name{Table: "items"}, ParentColumns: []string{"id"}, OnDelete: schema.Cascade, OnUpdate: schema.NoAction}}
	pair, err := schema.Resolve(schema.Mapping{Name: "orders"}, source, target, schema.Merge, schema.DigestTexts{})
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

func TestASchemaThatDiffersIsWarnedOfRefusedOrIgnored(t *testing.T) {
	pair := driftingPair(t)
	for setting, want := range map[string]struct {
		warnings int
		refused  bool
	}{"": {1, false}, SchemaWarn: {1, false}, SchemaStrict: {0, true}, SchemaIgnore: {0, false}} {
		f := File{Pairs: []Pair{{Name: "orders", Schema: setting}}}
		if err := f.Validate(); err != nil {
			t.Fatal(err)
		}
		warnings, err := f.Pairs[0].CheckSchema(pair)
		if len(warnings) != want.warnings || (err != nil) != want.refused {
			t.Errorf("schema: %s: %q, %v", setting, warnings, err)
		}
		for _, text := range append(warnings, errorText(err)...) {
			if !strings.Contains(text, "column n (bigint(20) at the source, int(11) at the target): the target holds -2147483648 to 2147483647") {
				t.Errorf("schema: %s says %q", setting, text)
			}
		}
	}
	f := File{Pairs: []Pair{{Name: "orders", Schema: "lax"}}}
	if err := f.Validate(); err == nil || !strings.Contains(err.Error(), `"lax" is unknown; say strict, warn or ignore`) {
		t.Errorf("an unknown word: %v", err)
	}
}

func errorText(err error) []string {
	if err == nil {
		return nil
	}
	return []string{err.Error()}
}

func TestACopyWhoseDeletesCascadeIsRepairedOnlyWhereThatIsAllowed(t *testing.T) {
	pair := driftingPair(t)
	p := Pair{Name: "orders"}
	if err := p.CheckRepair(pair); err == nil || !strings.Contains(err.Error(), "foreign key of_order of items (ON DELETE CASCADE)") {
		t.Errorf("got %v", err)
	}
	p.AllowCascades = true
	if err := p.CheckRepair(pair); err != nil {
		t.Errorf("allowed: %v", err)
	}
	p = Pair{Name: "orders", Authority: "target"}
	if err := p.CheckRepair(pair); err != nil {
		t.Errorf("the source is the copy, and nothing refers to it: %v", err)
	}
}
