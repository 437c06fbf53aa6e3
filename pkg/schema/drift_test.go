package schema

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
)

// numeric, text and moment columns with what a real server says about them.
func decimalOf(name, native string, precision int) Column {
	c := column(name, native, canonical.Decimal)
	c.Precision = precision
	return c
}

func textOf(name, native string, length int64, charset, collation string) Column {
	c := ofLength(length, column(name, native, canonical.Text))
	c.Charset, c.Collation = charset, collation
	return c
}

func momentOf(name, native string, kind canonical.Kind, precision int) Column {
	c := column(name, native, kind)
	c.Precision = precision
	return c
}

func wordsOf(name string, words ...string) Column {
	c := column(name, "enum('"+strings.Join(words, "','")+"')", canonical.Text)
	c.Words = words
	return c
}

func withDefault(text string, c Column) Column {
	c.Default, c.HasDefault = text, text != ""
	return c
}

func unsigned(c Column) Column { c.Unsigned = true; return c }

// drifts resolves a pair of tables of a key and one column each and returns what
// is said about that column, "danger: …".
func drifts(t *testing.T, engines [2]string, source, target Column) []string {
	t.Helper()
	source.Name, target.Name = "x", "x"
	a, b := table(engines[0], id(), source), table(engines[1], id(), target)
	a.AllReferences, b.AllReferences = true, true
	p := mustResolve(t, Mapping{Rules: map[string]canonical.Rule{}}, a, b)
	var out []string
	for _, d := range p.Drift(&p.Target) {
		if slices.Equal(d.Columns, []string{"x"}) {
			out = append(out, fmt.Sprintf("%s: %s", d.Severity, d.Says))
		}
	}
	return out
}

var (
	mysqls     = [2]string{"mariadb", "mariadb"}
	toPostgres = [2]string{"mysql", "postgres"}
	toMySQL    = [2]string{"postgres", "mysql"}
)

const general, c8 = "utf8mb4_general_ci", "C"

func TestAColumnThatHoldsLessIsADanger(t *testing.T) {
	instant := func(base string, precision int) Column {
		return momentOf("x", base, canonical.Instant, precision)
	}
	for _, c := range []struct {
		engines        [2]string
		source, target Column
		says           string // empty: nothing
	}{
		{mysqls, column("x", "bigint(20)", canonical.Int), column("x", "int(11)", canonical.Int), "holds -2147483648 to 2147483647"},
		{mysqls, column("x", "int(11)", canonical.Int), column("x", "bigint(20)", canonical.Int), ""},
		{toPostgres, column("x", "int(11)", canonical.Int), column("x", "integer", canonical.Int), ""},
		{toPostgres, unsigned(column("x", "bigint(20) unsigned", canonical.Int)), column("x", "bigint", canonical.Int), "holds -9223372036854775808 to 9223372036854775807"},
		{toPostgres, unsigned(column("x", "int(10)", canonical.Int)), column("x", "bigint", canonical.Int), ""},
		{toMySQL, column("x", "integer", canonical.Int), unsigned(column("x", "int(10)", canonical.Int)), "holds 0 to 4294967295"},
		{toPostgres, unsigned(column("x", "bigint(20)", canonical.Int)), decimalOf("x", "numeric(20,0)", 0), ""},
		{toPostgres, unsigned(column("x", "bigint(20)", canonical.Int)), decimalOf("x", "numeric(19,0)", 0), "holds -9999999999999999999 to"},
		{mysqls, decimalOf("x", "decimal(10,2)", 2), decimalOf("x", "decimal(8,2)", 2), "holds -999999 to 999999"},
		{mysqls, decimalOf("x", "decimal(10,3)", 3), decimalOf("x", "decimal(10,2)", 2), "keeps 2 decimals"},
		{mysqls, decimalOf("x", "decimal(10,2)", 2), decimalOf("x", "decimal(12,2)", 2), ""},
		{toMySQL, decimalOf("x", "numeric", -1), decimalOf("x", "decimal(65,30)", 30), "holds -9"},
		{toPostgres, decimalOf("x", "decimal(65,30)", 30), decimalOf("x", "numeric", -1), ""},
		{mysqls, column("x", "double", canonical.Float64), column("x", "float", canonical.Float32), "keeps 6 digits"},
		{mysqls, textOf("x", "varchar(50)", 50, "utf8mb4", general), textOf("x", "varchar(20)", 20, "utf8mb4", general), "at most 20 characters"},
		{mysqls, textOf("x", "varchar(20)", 20, "utf8mb4", general), textOf("x", "varchar(20)", 20, "utf8mb4", general), ""},
		{mysqls, textOf("x", "text", 65535, "utf8mb4", general), textOf("x", "tinytext", 255, "utf8mb4", general), "at most 255 bytes"},
		{mysqls, textOf("x", "varchar(20000)", 20000, "utf8mb4", general), textOf("x", "text", 65535, "utf8mb4", general), "at most 65535 bytes"},
		{toMySQL, textOf("x", "text", 0, "utf8", c8), textOf("x", "text", 65535, "utf8mb4", "utf8mb4_bin"), "at most 65535 bytes"},
		{toMySQL, textOf("x", "text", 0, "utf8", c8), textOf("x", "longtext", 1<<32-1, "utf8mb4", "utf8mb4_bin"), ""},
		{toPostgres, textOf("x", "varchar(255)", 255, "utf8mb4", "utf8mb4_bin"), textOf("x", "text", 0, "utf8", c8), ""},
		{mysqls, textOf("x", "varchar(9)", 9, "utf8mb4", general), textOf("x", "varchar(9)", 9, "utf8mb3", general), "lacks emoji"},
		{mysqls, textOf("x", "varchar(9)", 9, "utf8mb4", general), textOf("x", "varchar(9)", 9, "latin1", general), "lacks characters of utf8mb4"},
		{mysqls, textOf("x", "varchar(9)", 9, "latin1", general), textOf("x", "varchar(9)", 9, "utf8mb3", general), ""},
		{toPostgres, textOf("x", "varchar(9)", 9, "utf8mb4", general), textOf("x", "varchar(9)", 9, "utf8", c8), ""},
		{mysqls, wordsOf("x", "a", "b", "c"), wordsOf("x", "a", "c"), "does not know 'b'"},
		{mysqls, wordsOf("x", "a"), wordsOf("x", "b", "a"), ""},
		{toPostgres, textOf("x", "varchar(9)", 9, "utf8mb4", general), wordsOf("x", "a", "b"), "takes only 'a', 'b'"},
		{mysqls, wordsOf("x", "long one", "b"), textOf("x", "varchar(4)", 4, "utf8mb4", general), "at most 4 characters"},
		{mysqls, ofLength(20, column("x", "varbinary(20)", canonical.Bytes)), ofLength(16, column("x", "binary(16)", canonical.Bytes)), "at most 16 bytes"},
		{toMySQL, column("x", "bytea", canonical.Bytes), ofLength(65535, column("x", "blob", canonical.Bytes)), "at most 65535 bytes"},
		{mysqls, momentOf("x", "datetime(6)", canonical.Timestamp, 6), momentOf("x", "datetime", canonical.Timestamp, 0), "keeps 0 fractional digits"},
		{toMySQL, instant("timestamptz", 6), instant("timestamp", 6), "1970 to 2038"},
		{mysqls, instant("timestamp", 6), instant("timestamp", 6), ""},
	} {
		got := drifts(t, c.engines, c.source, c.target)
		danger := slices.IndexFunc(got, func(s string) bool { return strings.HasPrefix(s, "danger: ") })
		switch {
		case c.says == "" && danger >= 0, c.says != "" && (danger < 0 || !strings.Contains(got[danger], c.says)):
			t.Errorf("%s (%s) to %s (%s) says %q, want %q", c.source.Native, c.engines[0], c.target.Native, c.engines[1], got, c.says)
		}
	}
}

func TestBooleansOfMySQLAreNotCalledNarrower(t *testing.T) {
	got := drifts(t, toPostgres, column("x", "tinyint(1)", canonical.Int), column("x", "boolean", canonical.Bool))
	if len(got) != 1 || !strings.HasPrefix(got[0], "note: the target holds 0 to 1") {
		t.Errorf("says %q", got)
	}
}

func TestDefaultsAreComparedByMeaning(t *testing.T) {
	kind := func(k canonical.Kind, native string) Column { return column("x", native, k) }
	number, words, moment := kind(canonical.Int, "int"), kind(canonical.Text, "text"), momentOf("x", "timestamp", canonical.Instant, 0)
	for _, c := range []struct {
		column         Column
		source, target string // MySQL's, PostgreSQL's
		severity       string
	}{
		{number, "5", "5", ""},
		{number, "'5'", "5", ""},
		{number, "-1", "'-1'::integer", ""},
		{number, "5", "6", "warning"},
		{number, "5", "", "warning"},
		{number, "", "NULL::integer", ""},
		{kind(canonical.Decimal, "decimal"), "0.00", "0", ""},
		{kind(canonical.Decimal, "decimal"), "0.00", "(0)::numeric", ""},
		{kind(canonical.Bool, "bool"), "b'1'", "true", ""},
		{kind(canonical.Bool, "bool"), "0", "true", "warning"},
		{words, "'a'", "'a'::text", ""},
		{words, "'a'", "'a'::character varying(20)", ""},
		{words, "'it''s'", "'it''s'::bpchar", ""},
		{words, "'1'", "'01'::text", "warning"},
		{words, "''", "", "warning"},
		{words, `'a\\b'`, `'a\b'::text`, ""},
		{words, "'a'", "('a'::text || 'b'::text)", "note"},
		{moment, "current_timestamp()", "now()", ""},
		{moment, "current_timestamp(6)", "CURRENT_TIMESTAMP", ""},
		{moment, "current_timestamp()", "'2020-01-01 00:00:00'::timestamp without time zone", "warning"},
		{moment, "'2020-01-01 00:00:00.000'", "'2020-01-01 00:00:00'::timestamp without time zone", ""},
		{words, "uuid()", "(gen_random_uuid())::text", ""},
		{number, "(1 + 2)", "(1 + 2)", ""},
		{number, "(1 + 2)", "3", "note"},
	} {
		got := drifts(t, toPostgres, withDefault(c.source, c.column), withDefault(c.target, c.column))
		got = slices.DeleteFunc(got, func(s string) bool { return !strings.Contains(s, "default") })
		if c.severity == "" && len(got) > 0 || c.severity != "" && (len(got) != 1 || !strings.HasPrefix(got[0], c.severity+": ")) {
			t.Errorf("%s and %s of a %s: %q, want %q", c.source, c.target, c.column.Native, got, c.severity)
		}
	}
}

// one is the only entry of a severity that says something.
func one(t *testing.T, list []Drift, severity Severity, says string) Drift {
	t.Helper()
	i := slices.IndexFunc(list, func(d Drift) bool { return d.Severity == severity && strings.Contains(d.Says, says) })
	if i < 0 {
		t.Fatalf("no %s says %q in %+v", severity, says, list)
	}
	return list[i]
}

func TestNullabilityIsADangerWhereTheCopyForbidsWhatTheAuthorityHas(t *testing.T) {
	p := mustResolve(t, Mapping{}, table("mysql", id(), column("a", "int", canonical.Int)), table("mysql", id(), column("a", "int!", canonical.Int)))
	if d := one(t, p.Drift(&p.Target), Danger, "the target refuses rows with NULL"); d.Source != "NULL" || d.Target != "NOT NULL" || d.Columns[0] != "a" {
		t.Errorf("%+v", d)
	}
	if d := one(t, p.Drift(&p.Source), Note, "the source would take a NULL"); d.Source != "NULL" || d.Target != "NOT NULL" {
		t.Errorf("the other way round: %+v", d)
	}
}

func TestUniqueKeysAreComparedThroughTheMapping(t *testing.T) {
	source := table("mysql", id(), note(), column("b", "int", canonical.Int))
	target := table("mysql", id(), note(), column("c", "int", canonical.Int))
	source.Keys = append(source.Keys, UniqueKey{Name: "by_b", Columns: []string{"b"}})
	target.Keys = append(target.Keys, UniqueKey{Name: "by_note", Columns: []string{"note"}})
	p := mustResolve(t, Mapping{Rename: map[string]string{"b": "c"}}, source, target)
	if d := one(t, p.Drift(&p.Target), Danger, "can collide at the target"); !strings.Contains(d.Target, "by_note (note)") || d.Source != "not unique" {
		t.Errorf("%+v", d)
	}
	if d := one(t, p.Drift(&p.Target), Warning, "duplicates can arise at the target"); !strings.Contains(d.Source, "by_b (b)") {
		t.Errorf("%+v", d)
	}
	target.Keys[1] = UniqueKey{Name: "by_c", Columns: []string{"c"}}
	p = mustResolve(t, Mapping{Rename: map[string]string{"b": "c"}}, source, target)
	for _, d := range p.Drift(&p.Target) {
		if strings.Contains(d.Says, "collide") || strings.Contains(d.Says, "duplicates") {
			t.Errorf("the same key under another name: %+v", d)
		}
	}
}

func TestACoarserCollationOfAUniqueKeyIsADanger(t *testing.T) {
	code := func(collation string) Column {
		return textOf("code", "varchar(9)!", 9, "utf8mb4", collation)
	}
	source, target := table("mysql", id(), code("utf8mb4_bin")), table("mysql", id(), code(general))
	for _, x := range []*Table{source, target} {
		x.Keys = append(x.Keys, UniqueKey{Name: "by_code", Columns: []string{"code"}})
	}
	p := mustResolve(t, Mapping{}, source, target)
	one(t, p.Drift(&p.Target), Danger, "texts that differ in case or accents only are one at the target")
	one(t, p.Drift(&p.Target), Warning, "the target takes texts for equal")
	for _, d := range p.Drift(&p.Source) {
		if d.Severity == Danger {
			t.Errorf("towards the finer side: %+v", d)
		}
	}
}

func TestPositionsThatAreBehindAreWarnedOf(t *testing.T) {
	at := func(engine, next string) *Table {
		c := id()
		c.Identity, c.Next = true, next
		return table(engine, c)
	}
	for _, c := range []struct {
		source, target *Table
		severity       Severity
		says           string
	}{
		{at("mysql", "9223372036854775809"), at("postgres", "10"), Warning, "the target is behind"},
		{at("mysql", "100"), at("mysql", "99"), Note, "the target is behind"},
		{at("mysql", "100"), at("postgres", ""), Note, "cannot be seen"},
		{at("mysql", "100"), table("postgres", id()), Warning, "must bring a value"},
	} {
		p := mustResolve(t, Mapping{}, c.source, c.target)
		one(t, p.Drift(&p.Target), c.severity, c.says)
	}
	p := mustResolve(t, Mapping{}, at("mysql", "100"), at("postgres", "100"))
	for _, d := range p.Drift(&p.Target) {
		if strings.Contains(d.Says, "behind") {
			t.Errorf("not behind: %+v", d)
		}
	}
}

func TestForeignKeysIndexesAndChecksAreCompared(t *testing.T) {
	owner := func(name, table string, action Action) ForeignKey {
		return ForeignKey{Name: name, Child: Name{Table: "orders"}, Columns: []string{"note"}, Parent: Name{Table: table}, ParentColumns: []string{"id"}, OnDelete: action, OnUpdate: NoAction}
	}
	source, target := table("mysql", id(), note()), table("mysql", id(), note())
	source.References, source.Indexes, source.Checks = []ForeignKey{owner("f", "p", Cascade)}, [][]string{{"note"}}, []Check{{"c", "(`id` > 3)"}}
	p := mustResolve(t, Mapping{}, source, target)
	list := p.Drift(&p.Target)
	if d := one(t, list, Warning, "rows without a parent can arise"); d.Source != "foreign key f (note) to p on delete cascade" {
		t.Errorf("%+v", d)
	}
	one(t, list, Warning, "scan the table at the target")
	one(t, list, Note, "rows that do not meet it can arise")
	list = p.Drift(&p.Source)
	one(t, list, Danger, "the source refuses rows whose parent it has not")
	one(t, list, Warning, "the source refuses rows that do not meet it")

	target.References, target.Indexes, target.Checks = []ForeignKey{owner("g", "p", Restrict)}, [][]string{{"note", "id"}}, []Check{{"d", `((id > (3)::bigint))`}}
	list = p.Drift(&p.Target)
	one(t, list, Warning, "does something else at the target")
	target.References[0].OnDelete = Cascade
	target.AllReferences = true
	if list = p.Drift(&p.Target); len(list) > 0 {
		t.Errorf("alike: %+v", list)
	}
}

func TestColumnsThatDifferAlikeShareOneEntry(t *testing.T) {
	texts := func(collation string) *Table {
		return table("mysql", id(), collated(collation, column("a", "text", canonical.Text)), collated(collation, column("b", "text", canonical.Text)))
	}
	p := mustResolve(t, Mapping{}, texts("utf8mb4_general_ci"), texts("utf8mb4_unicode_ci"))
	if d := one(t, p.Drift(&p.Target), Warning, "sort"); !slices.Equal(d.Columns, []string{"a", "b"}) {
		t.Errorf("%+v", d)
	}
}
