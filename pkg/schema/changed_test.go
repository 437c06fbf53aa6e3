package schema

import (
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
)

func watchedView() *View {
	column := func(name, native, base string, kind canonical.Kind) Column {
		return Column{Name: name, Native: native, Base: base, Type: canonical.Type{Kind: kind}}
	}
	text := column("name", "varchar(10)", "varchar", canonical.Text)
	text.Charset, text.Collation = "utf8mb4", "utf8mb4_bin"
	v := &View{Key: []int{0}, Table: &Table{
		Engine: "mysql", Identity: "2026-01-01 00:00:00",
		Columns: []Column{
			column("id", "int(11)", "int", canonical.Int), text, column("code", "char(3)", "char", canonical.Text),
			column("price", "decimal(10,2)", "decimal", canonical.Decimal), column("other", "date", "date", canonical.Date),
		},
		Keys: []UniqueKey{{Name: "PRIMARY", Columns: []string{"id"}, Primary: true}, {Name: "u", Columns: []string{"name"}}},
	}}
	for _, c := range v.Table.Columns[:4] {
		v.Columns = append(v.Columns, ViewColumn{Column: c, As: c.Type})
	}
	return v
}

func TestAChangeOfATableThatMattersIsNamed(t *testing.T) {
	set := func(i int, change func(*Column)) func(*Table) {
		return func(t *Table) { change(&t.Columns[i]) }
	}
	native := func(i int, native, base string, kind canonical.Kind) func(*Table) {
		return set(i, func(c *Column) { c.Native, c.Base, c.Type.Kind = native, base, kind })
	}
	cases := map[string]struct {
		change func(*Table)
		want   string // empty: nothing that matters
	}{
		"nothing":                     {func(*Table) {}, ""},
		"an integer widened":          {native(0, "bigint(20)", "bigint", canonical.Int), ""},
		"a text widened":              {native(1, "varchar(20)", "varchar", canonical.Text), ""},
		"a text without a limit":      {native(1, "longtext", "longtext", canonical.Text), ""},
		"a text that is a number":     {native(1, "int(11)", "int", canonical.Int), "column name was varchar(10)"},
		"a text that fills up":        {native(1, "char(10)", "char", canonical.Text), "column name was"},
		"a text of a list":            {native(1, "enum('a')", "enum", canonical.Text), "column name was"},
		"a filled text made longer":   {native(2, "char(5)", "char", canonical.Text), "column code was char(3) not null and is char(5) not null"},
		"digits after the point":      {native(3, "decimal(12,4)", "decimal", canonical.Decimal), "column price was"},
		"a collation":                 {set(1, func(c *Column) { c.Collation = "utf8mb4_general_ci" }), "utf8mb4_general_ci"},
		"NULL allowed":                {set(1, func(c *Column) { c.Nullable = true }), "null"},
		"a column renamed":            {set(1, func(c *Column) { c.Name = "title" }), "column name is gone"},
		"a column dropped":            {func(t *Table) { t.Columns = t.Columns[:3] }, "column price is gone"},
		"a column added":              {func(t *Table) { t.Columns = append(t.Columns, Column{Name: "more"}) }, ""},
		"a column not compared":       {native(4, "text", "text", canonical.Text), ""},
		"the key dropped":             {func(t *Table) { t.Keys = t.Keys[1:] }, "unique key over id is gone"},
		"another key dropped":         {func(t *Table) { t.Keys = t.Keys[:1] }, ""},
		"created anew":                {func(t *Table) { t.Identity = "2026-01-02 00:00:00" }, "created anew or rebuilt"},
		"rebuilt by a harmless ALTER": {func(t *Table) { t.Identity, t.Indexes = "2026-01-02 00:00:00", [][]string{{"name"}} }, ""},
		"an identity not known":       {func(t *Table) { t.Identity = "" }, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			now := watchedView().Table
			c.change(now)
			got := strings.Join(watchedView().Changed(now), "; ")
			if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("changed: %q, want %q in it", got, c.want)
			}
		})
	}
}

func TestATableCreatedAnewIsToldWhateverElseChangedWhereItsIdentityIsItsOwn(t *testing.T) {
	v := watchedView()
	v.Table.Engine = "postgres"
	now := watchedView().Table
	now.Engine, now.Identity, now.Indexes = "postgres", "4711", [][]string{{"name"}}
	if got := v.Changed(now); len(got) != 1 {
		t.Errorf("changed: %q", got)
	}
}
