package schema

import (
	"slices"
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
)

func refersTo(parent string, onDelete, onUpdate Action, parentColumns ...string) ForeignKey {
	return ForeignKey{Name: "child_fk", Child: Name{Table: "child"}, Columns: []string{"p"}, Parent: Name{Table: parent}, ParentColumns: parentColumns, OnDelete: onDelete, OnUpdate: onUpdate}
}

func TestARepairThatWouldReachOtherRowsIsRefused(t *testing.T) {
	for _, c := range []struct {
		key  ForeignKey
		says string
	}{
		{refersTo("orders", NoAction, Restrict, "id"), ""},
		{refersTo("orders", Cascade, NoAction, "id"), "child_fk of child (ON DELETE CASCADE)"},
		{refersTo("orders", SetNull, NoAction, "id"), "ON DELETE SET NULL"},
		{refersTo("orders", SetDefault, NoAction, "id"), "ON DELETE SET DEFAULT"},
		{refersTo("orders", "", "", "id"), "ON DELETE not to be seen by this user"},
		{refersTo("orders", NoAction, Cascade, "id"), ""}, // a repair does not change the key
		{refersTo("orders", NoAction, Cascade, "a"), "ON UPDATE CASCADE"},
		{refersTo("orders", NoAction, Cascade, "other"), ""}, // not compared, so not written
	} {
		source, target := table("mysql", id(), column("a", "int", canonical.Int)), table("mysql", id(), column("a", "int", canonical.Int), column("other", "int", canonical.Int))
		target.ReferencedBy, target.AllReferences = []ForeignKey{c.key}, true
		p := mustResolve(t, Mapping{}, source, target)
		err := p.CheckCascades(&p.Target)
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "allow_cascades")) {
			t.Errorf("%+v: %v, want %q", c.key, err, c.says)
		}
	}
	p := mustResolve(t, Mapping{}, table("mysql", id()), table("mysql", id()))
	if err := p.CheckCascades(&p.Target); err == nil || !strings.Contains(err.Error(), "may not see which tables refer") {
		t.Errorf("tables that cannot be seen: %v", err)
	}
}

func TestParentsComeFirst(t *testing.T) {
	graph := func(edges string) []*Table { // "a>b" is a refers to b
		at := map[string]*Table{}
		var tables []*Table
		for _, edge := range strings.Fields(edges) {
			child, parent, _ := strings.Cut(edge, ">")
			for _, name := range []string{child, parent} {
				if name != "" && at[name] == nil {
					at[name] = &Table{Name: Name{Table: name}}
					tables = append(tables, at[name])
				}
			}
			if parent != "" {
				at[child].References = append(at[child].References, ForeignKey{Parent: Name{Table: parent}})
			}
		}
		return tables
	}
	for _, c := range []struct{ edges, order, circles string }{
		{"a b c", "a b c", ""},
		{"a>b b>c", "c b a", ""},
		{"a>b a>c b>d c>d", "d b c a", ""},
		{"a>a", "a", ""},
		{"a>b b>a c>a", "a b c", "a b"},
		{"x>a a>b b>c c>a", "a b c x", "a b c"},
		{"a>b b>a c>d d>c a>c", "c d a b", "c d; a b"},
	} {
		tables := graph(c.edges)
		names := func(positions []int) string {
			var out []string
			for _, i := range positions {
				out = append(out, tables[i].Name.Table)
			}
			return strings.Join(out, " ")
		}
		order, circles := ParentsFirst(tables)
		var found []string
		for _, circle := range circles {
			found = append(found, names(circle))
		}
		if names(order) != c.order || strings.Join(found, "; ") != c.circles {
			t.Errorf("%s: order %q, circles %q; want %q, %q", c.edges, names(order), found, c.order, c.circles)
		}
	}
	shared := &Table{Name: Name{Table: "t"}, References: []ForeignKey{{Parent: Name{Table: "t"}}}}
	if order, circles := ParentsFirst([]*Table{shared, shared}); !slices.Equal(order, []int{0, 1}) || circles != nil {
		t.Errorf("two pairs of one table: %v, %v", order, circles)
	}
	if order, _ := ParentsFirst([]*Table{{References: []ForeignKey{{Parent: Name{Table: "elsewhere"}}}}}); len(order) != 1 {
		t.Errorf("a parent that is no pair: %v", order)
	}
}
