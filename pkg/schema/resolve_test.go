package schema

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/pkg/canonical"
)

// column describes a column in a few words: "id bigint!" is NOT NULL.
func column(name, native string, kind canonical.Kind) Column {
	base, _, _ := strings.Cut(strings.TrimSuffix(native, "!"), "(")
	c := Column{
		Name: name, Native: strings.TrimSuffix(native, "!"), Base: base, Precision: -1,
		Type: canonical.Type{Kind: kind}, Nullable: !strings.HasSuffix(native, "!"),
	}
	if kind == canonical.Text {
		c.Charset, c.Collation = "utf8mb4", "utf8mb4_general_ci"
	}
	return c
}

func ofLength(length int64, c Column) Column { c.Length = length; return c }

func collated(collation string, c Column) Column { c.Collation = collation; return c }

func table(engine string, columns ...Column) *Table {
	return &Table{
		Name: Name{Table: "orders"}, Engine: engine, Columns: columns,
		Keys: []UniqueKey{{Name: "PRIMARY", Columns: []string{columns[0].Name}, Primary: true}},
	}
}

func id() Column   { return column("id", "bigint!", canonical.Int) }
func note() Column { return column("note", "varchar(20)", canonical.Text) }

// digestsExactly is a dialect that can digest everything.
var digestsExactly = DigestTexts{Source: exactText, Target: exactText}

func exactText(c ViewColumn) (string, bool) { return c.Name, true }

// inexactText is a dialect whose text of JSON and floats is its own affair.
func inexactText(c ViewColumn) (string, bool) {
	return c.Name, c.As.Kind != canonical.JSON && c.As.Kind != canonical.Float64
}

func mustResolve(t *testing.T, m Mapping, source, target *Table) *Pair {
	t.Helper()
	p, err := Resolve(m, source, target, Auto, digestsExactly)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func refuses(t *testing.T, m Mapping, source, target *Table, method Method, d DigestTexts, says ...string) {
	t.Helper()
	p, err := Resolve(m, source, target, method, d)
	if err == nil {
		t.Errorf("resolved to %+v; want an error that says %q", p, says)
		return
	}
	for _, text := range says {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q does not say %q", err, text)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("error is no sentence: %q", err)
	}
}

func warns(p *Pair, text string) bool {
	return slices.ContainsFunc(p.Warnings, func(w string) bool { return strings.Contains(w, text) })
}

func viewNames(v *View) []string {
	var out []string
	for _, c := range v.Columns {
		out = append(out, c.Name)
	}
	return out
}

func TestCommonColumnsAreComparedByDefault(t *testing.T) {
	source := table("mysql", id(), note(), column("old", "int", canonical.Int))
	target := table("postgres", column("new", "integer", canonical.Int), note(), id())
	target.Keys[0].Columns = []string{"id"}
	p := mustResolve(t, Mapping{TargetWhere: "true"}, source, target)
	if got := viewNames(&p.Target); !slices.Equal(got, []string{"id", "note"}) {
		t.Errorf("target columns: %v", got)
	}
	if p.Name != "orders" || !slices.Equal(p.KeyNames(), []string{"id"}) || p.Target.Where != "true" {
		t.Errorf("got %+v", p)
	}
	for _, want := range []string{"column old is only in the source", "column new is only in the target", "only one side has a row filter"} {
		if !warns(p, want) {
			t.Errorf("no warning says %q: %q", want, p.Warnings)
		}
	}
	p = mustResolve(t, Mapping{Exclude: []string{"old", "new"}}, source, target)
	if len(p.Warnings) != 0 {
		t.Errorf("excluded columns still warn: %q", p.Warnings)
	}
}

func TestColumnsAreRenamedAndChosen(t *testing.T) {
	source := table("mysql", id(), note(), column("State", "int", canonical.Int))
	target := table("mysql", id(), note(), column("status", "int", canonical.Int))
	p := mustResolve(t, Mapping{
		Name: "o", Columns: []string{"state"}, Rename: map[string]string{"STATE": "status"},
		Rules: map[string]canonical.Rule{"state": {Tolerance: 1}},
	}, source, target)
	if !slices.Equal(p.Names, []string{"id", "State"}) || !slices.Equal(viewNames(&p.Target), []string{"id", "status"}) {
		t.Errorf("names %v, target %v", p.Names, viewNames(&p.Target))
	}
	if p.Rules[1].Tolerance != 1 || !p.Rules[0].IsZero() {
		t.Errorf("rules: %+v", p.Rules)
	}
	if !strings.Contains(p.Why, "rules of State apply") {
		t.Errorf("why does not tell of the rule: %s", p.Why)
	}
}

func TestWrongMappingsSayWhatToDo(t *testing.T) {
	source := table("mysql", id(), note(), column("state", "int", canonical.Int))
	target := table("mysql", id(), note(), column("status", "int", canonical.Int))
	for _, c := range []struct {
		m    Mapping
		says []string
	}{
		{Mapping{Key: []string{"nr"}}, []string{"pair orders: key: orders has no column nr; it has id, note, state"}},
		{Mapping{Key: []string{"id", "ID"}}, []string{"id is named twice"}},
		{Mapping{Columns: []string{"nope"}}, []string{"columns: ", "nope"}},
		{Mapping{Exclude: []string{"nope"}}, []string{"exclude: ", "nope"}},
		{Mapping{Rename: map[string]string{"nope": "note"}}, []string{"map: ", "nope"}},
		{Mapping{Rename: map[string]string{"note": "nope"}}, []string{"map: ", "nope", "it has id, note, status"}},
		{Mapping{Rules: map[string]canonical.Rule{"nope": {JSON: true}}}, []string{"rules: ", "nope"}},
		{Mapping{Rules: map[string]canonical.Rule{"state": {Tolerance: 1}}}, []string{"rules: column state", "not compared"}},
		{Mapping{Rules: map[string]canonical.Rule{"note": {Tolerance: 1}}}, []string{"column note", "rule tolerance"}},
		{Mapping{Columns: []string{"state"}}, []string{"column state", "map it", "it has id, note, status"}},
		{Mapping{Rename: map[string]string{"state": "note"}}, []string{"note and state are both held against note"}},
		{Mapping{Columns: []string{"note"}, Exclude: []string{"note"}}, []string{"both in columns and in exclude"}},
		{Mapping{Exclude: []string{"id"}}, []string{"belongs to the key"}},
	} {
		refuses(t, c.m, source, target, Auto, digestsExactly, c.says...)
	}
}

func TestTypesThatCannotBeComparedAreRefusedByName(t *testing.T) {
	geo := column("geo", "geometry", canonical.Unsupported)
	geo.Reason = "spatial types are not supported"
	refuses(t, Mapping{}, table("mysql", id(), geo), table("mysql", id(), geo), Auto, digestsExactly,
		"column geo of orders has type geometry", "spatial types are not supported", "`exclude: [geo]`")
	mustResolve(t, Mapping{Exclude: []string{"geo"}}, table("mysql", id(), geo), table("mysql", id(), geo))

	refuses(t, Mapping{}, table("mysql", id(), column("x", "double", canonical.Float64)), table("postgres", id(), column("x", "numeric", canonical.Decimal)),
		Auto, digestsExactly, "column x (double in mysql, numeric in postgres)", "tolerance")

	uuid := column("u", "uuid", canonical.UUID)
	for _, c := range []struct {
		column Column
		says   string
	}{
		{ofLength(32, column("u", "char(32)", canonical.Text)), "too short"},
		{ofLength(36, column("u", "char(36)", canonical.Text)), ""},
		{ofLength(16, column("u", "binary(16)", canonical.Bytes)), ""},
		{ofLength(16, column("u", "varbinary(16)", canonical.Bytes)), "only binary(16)"},
		{ofLength(20, column("u", "binary(20)", canonical.Bytes)), "only binary(16)"},
	} {
		source, target := table("mysql", id(), c.column), table("postgres", id(), uuid)
		if c.says != "" {
			refuses(t, Mapping{}, source, target, Auto, digestsExactly, c.says)
			refuses(t, Mapping{}, target, source, Auto, digestsExactly, c.says)
		} else if p := mustResolve(t, Mapping{}, source, target); p.Source.Columns[1].As.Kind != canonical.UUID || p.Target.Columns[1].As.Kind != canonical.UUID {
			t.Errorf("%s against uuid: compared as %s", c.column.Native, p.Source.Columns[1].As)
		}
	}
}

func TestKeyMustIdentifyRowsOnBothSides(t *testing.T) {
	email := column("email", "varchar(99)!", canonical.Text)
	plain := func() *Table { return table("mysql", id(), email, column("f", "double!", canonical.Float64), note()) }

	none := plain()
	none.Keys = nil
	refuses(t, Mapping{}, none, plain(), Auto, digestsExactly, "no primary key", "unique index")
	none.Keys = []UniqueKey{{Name: "u", Columns: []string{"email"}}, {Name: "n", Columns: []string{"note"}}}
	refuses(t, Mapping{}, none, plain(), Auto, digestsExactly, "no primary key", "`key: [email]`")
	refuses(t, Mapping{Key: []string{"email"}}, none, plain(), Auto, digestsExactly, "key (email) is not a unique key of orders", "create that unique index")
	refuses(t, Mapping{Key: []string{"email"}}, plain(), none, Auto, digestsExactly, "key (email) is not a unique key of orders")
	refuses(t, Mapping{Key: []string{"note"}}, none, none, Auto, digestsExactly, "note of orders allows NULL", "NOT NULL")
	refuses(t, Mapping{Key: []string{"id", "email"}}, plain(), plain(), Auto, digestsExactly, "key (id, email)")
	refuses(t, Mapping{Rules: map[string]canonical.Rule{"id": {Tolerance: 1}}}, plain(), plain(), Auto, digestsExactly, "a key is compared exactly")

	float := plain()
	float.Keys = []UniqueKey{{Name: "u", Columns: []string{"f"}}}
	refuses(t, Mapping{Key: []string{"f"}}, float, float, Auto, digestsExactly, "f of orders is double and cannot be a key")

	enum := column("id", "enum('a')!", canonical.Text)
	refuses(t, Mapping{}, table("mysql", enum), table("mysql", enum), Auto, digestsExactly, "order of its declaration")
	mood := collated("", column("id", "mood!", canonical.Text))
	refuses(t, Mapping{}, table("postgres", mood), table("postgres", mood), Auto, digestsExactly, "order of its declaration")

	p := mustResolve(t, Mapping{Key: []string{"email"}}, func() *Table { n := plain(); n.Keys = none.Keys; return n }(), none)
	if !slices.Equal(p.KeyNames(), []string{"email"}) {
		t.Errorf("key: %v", p.KeyNames())
	}
}

func TestCompositeKeyTakesAnOrderBothSidesIndex(t *testing.T) {
	two := func(keys ...UniqueKey) *Table {
		tab := table("mysql", column("a", "int!", canonical.Int), column("b", "int!", canonical.Int))
		tab.Keys = keys
		return tab
	}
	ab := UniqueKey{Name: "PRIMARY", Columns: []string{"a", "b"}, Primary: true}
	ba := UniqueKey{Name: "other", Columns: []string{"b", "a"}}

	p := mustResolve(t, Mapping{Key: []string{"b", "a"}}, two(ab), two(ab))
	if !slices.Equal(p.KeyNames(), []string{"a", "b"}) || p.Method != Checksum {
		t.Errorf("the index's order: key %v by %s", p.KeyNames(), p.Method)
	}
	p = mustResolve(t, Mapping{}, two(ab, ba), two(ba))
	if !slices.Equal(p.KeyNames(), []string{"b", "a"}) || p.Method != Checksum {
		t.Errorf("the order both have: key %v by %s", p.KeyNames(), p.Method)
	}
	p = mustResolve(t, Mapping{}, two(ab), two(ba))
	if !slices.Equal(p.KeyNames(), []string{"a", "b"}) || p.Method != Lookup || !warns(p, "scans sort the table") {
		t.Errorf("no common order: key %v by %s, warnings %q", p.KeyNames(), p.Method, p.Warnings)
	}
	refuses(t, Mapping{}, two(ab), two(ba), Merge, digestsExactly, "no index over the key in the order (a, b)", "lookup")
}

func TestKeysThatSortDifferentlyAreLookedUp(t *testing.T) {
	text := func(collation string) Column {
		return collated(collation, column("k", "varchar(36)!", canonical.Text))
	}
	uuid := column("k", "uuid!", canonical.UUID)
	japanese := text("C")
	japanese.Charset = "euc_jp"
	citext := collated("en_US.utf8", column("k", "citext!", canonical.Text))
	for _, c := range []struct {
		engineA string
		a       Column
		engineB string
		b       Column
		alike   bool
	}{
		{"mysql", text("utf8mb4_general_ci"), "mysql", text("utf8mb4_general_ci"), true},
		{"mysql", text("utf8mb4_general_ci"), "mysql", text("utf8mb4_unicode_ci"), false},
		{"mysql", text("utf8mb4_general_ci"), "mariadb", text("utf8mb4_general_ci"), false},
		{"mysql", text("utf8mb4_general_ci"), "postgres", text("en_US.utf8"), false},
		{"mysql", text("utf8mb4_0900_bin"), "postgres", text("C"), true},
		// It pads: "a\x01" sorts before "a".
		{"mysql", text("utf8mb4_bin"), "postgres", text("C"), false},
		{"mysql", text("utf8mb4_bin"), "mariadb", text("utf8mb4_bin"), true},
		{"mysql", text("utf8mb4_0900_bin"), "mariadb", text("utf8mb4_nopad_bin"), true},
		{"mysql", text("latin1_bin"), "postgres", text("C"), false},
		{"postgres", text("en_US.utf8"), "postgres", text("en_US.utf8"), true},
		{"postgres", text("en_US.utf8"), "postgres", citext, false},
		{"postgres", japanese, "postgres", japanese, true},
		{"postgres", japanese, "postgres", text("C"), false},
		{"postgres", citext, "postgres", citext, true},
		{"mysql", ofLength(36, text("utf8mb4_general_ci")), "postgres", uuid, true},
		{"mysql", ofLength(40, text("utf8mb4_general_ci")), "postgres", uuid, false},
		{"mysql", ofLength(16, column("k", "binary(16)!", canonical.Bytes)), "postgres", uuid, true},
		{"mariadb", uuid, "postgres", uuid, false},
		{"mariadb", uuid, "mariadb", uuid, true},
		{"mysql", column("k", "varbinary(9)!", canonical.Bytes), "postgres", column("k", "bytea!", canonical.Bytes), true},
		{"mysql", column("k", "datetime(6)!", canonical.Timestamp), "postgres", column("k", "timestamp!", canonical.Timestamp), true},
		{"mysql", column("k", "decimal(10,2)!", canonical.Decimal), "postgres", column("k", "bigint!", canonical.Int), true},
		{"postgres", column("k", "inet!", canonical.Inet), "postgres", column("k", "inet!", canonical.Inet), true},
		{"mariadb", column("k", "inet6!", canonical.Inet), "postgres", column("k", "inet!", canonical.Inet), false},
	} {
		source, target := table(c.engineA, c.a), table(c.engineB, c.b)
		p := mustResolve(t, Mapping{}, source, target)
		if (p.Method == Checksum) != c.alike || (p.Method == Lookup) == c.alike {
			t.Errorf("%s %s %s against %s %s %s: %s", c.engineA, c.a.Native, c.a.Collation, c.engineB, c.b.Native, c.b.Collation, p.Why)
		}
		if !c.alike {
			refuses(t, Mapping{}, source, target, Merge, digestsExactly, "sorts differently")
			refuses(t, Mapping{}, source, target, Checksum, digestsExactly, "sorts differently")
		}
	}
}

func TestMethodFollowsWhatServersCanDigest(t *testing.T) {
	doc := column("doc", "json", canonical.JSON)
	jsonb := column("doc", "jsonb", canonical.JSON)
	inexact := DigestTexts{Source: inexactText, Target: inexactText}
	none := DigestTexts{Source: exactText}
	resolve := func(source, target *Table, method Method, d DigestTexts) *Pair {
		t.Helper()
		p, err := Resolve(Mapping{}, source, target, method, d)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	mysqlTable, postgresTable := table("mysql", id(), doc), table("postgres", id(), doc)
	if p := resolve(mysqlTable, mysqlTable, Auto, inexact); p.Method != Checksum {
		t.Errorf("the same type on the same engine: %s", p.Why)
	}
	if p := resolve(mysqlTable, postgresTable, Auto, inexact); p.Method != Merge || !strings.Contains(p.Why, "column doc (json in mysql, json in postgres)") {
		t.Errorf("another engine: %s", p.Why)
	}
	if p := resolve(postgresTable, table("postgres", id(), jsonb), Auto, inexact); p.Method != Merge {
		t.Errorf("another type: %s", p.Why)
	}
	if p := resolve(mysqlTable, mysqlTable, Auto, none); p.Method != Merge || !strings.Contains(p.Why, "the target cannot digest column id") {
		t.Errorf("no digest: %s", p.Why)
	}
	if p := resolve(mysqlTable, mysqlTable, Merge, inexact); p.Method != Merge {
		t.Errorf("merge asked for: %s", p.Why)
	}
	if p := resolve(mysqlTable, mysqlTable, Lookup, inexact); p.Method != Lookup {
		t.Errorf("lookup asked for: %s", p.Why)
	}
	refuses(t, Mapping{}, mysqlTable, postgresTable, Checksum, inexact, "method checksum", "column doc", "merge")
}

func TestSurprisesAreWarnedOf(t *testing.T) {
	precise := func(precision int, c Column) Column { c.Precision = precision; return c }
	source := table("mysql", id(), column("f", "float", canonical.Float32), precise(0, column("at", "datetime", canonical.Timestamp)), precise(2, column("d", "decimal(9,2)", canonical.Decimal)))
	target := table("postgres", id(), column("f", "double precision", canonical.Float64), precise(6, column("at", "timestamp", canonical.Timestamp)), precise(4, column("d", "numeric(9,4)", canonical.Decimal)))
	target.Triggers = []string{"audit"}
	p := mustResolve(t, Mapping{}, source, target)
	for _, want := range []string{"column f (float, double precision)", "fewer fractional digits", "fewer decimals", "triggers, which a repair there fires: audit"} {
		if !warns(p, want) {
			t.Errorf("no warning says %q: %q", want, p.Warnings)
		}
	}
}

func TestRepairNeedsEveryMandatoryColumn(t *testing.T) {
	must := column("must", "int!", canonical.Int)
	source, target := table("mysql", id(), note()), table("mysql", id(), note(), must)
	p := mustResolve(t, Mapping{}, source, target)
	if err := p.CheckRepair(&p.Target); err == nil || !strings.Contains(err.Error(), "column must is NOT NULL without default") {
		t.Errorf("got %v", err)
	}
	if err := p.CheckRepair(&p.Source); err != nil {
		t.Errorf("the other side: %v", err)
	}
	for name, relax := range map[string]func(*Column){
		"nullable":  func(c *Column) { c.Nullable = true },
		"default":   func(c *Column) { c.HasDefault = true },
		"generated": func(c *Column) { c.Generated = true },
		"identity":  func(c *Column) { c.Identity = true },
	} {
		relaxed := must
		relax(&relaxed)
		p := mustResolve(t, Mapping{}, source, table("mysql", id(), note(), relaxed))
		if err := p.CheckRepair(&p.Target); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	generated := id()
	generated.Generated = true
	p = mustResolve(t, Mapping{}, source, table("mysql", generated, note()))
	if err := p.CheckRepair(&p.Target); err == nil || p.Target.Writable(0) || !p.Target.Writable(1) {
		t.Errorf("a generated key: %v", err)
	}
}

func TestNearServersAreReadAndFarOnesDigest(t *testing.T) {
	pair := func(rowBytes int64) *Pair {
		table := &Table{RowBytes: rowBytes}
		return &Pair{Method: Checksum, Source: View{Table: table}, Target: View{Table: &Table{}}}
	}
	for _, c := range []struct {
		name      string
		rowBytes  int64
		roundTrip time.Duration
		want      Method
	}{
		{"near, small rows", 200, 200 * time.Microsecond, Merge},
		{"near, size unknown", 0, 200 * time.Microsecond, Merge},
		{"near, rows of many columns", 3000, 200 * time.Microsecond, Merge},
		{"near, large rows", 5000, 200 * time.Microsecond, Checksum},
		{"far", 200, 20 * time.Millisecond, Checksum},
	} {
		p := pair(c.rowBytes)
		p.Near(c.roundTrip)
		if p.Method != c.want {
			t.Errorf("%s: method %s, want %s", c.name, p.Method, c.want)
		}
		if p.Why == "" {
			t.Errorf("%s: no reason is given", c.name)
		}
	}
	lookup := &Pair{Method: Lookup}
	if lookup.Near(0); lookup.Method != Lookup {
		t.Error("distance turned a lookup into another method, which would not be sound")
	}
}
