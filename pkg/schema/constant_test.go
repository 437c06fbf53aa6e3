package schema

import (
	"slices"
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/row"
)

func shardColumn() Column { return column("shard", "smallint!", canonical.Int) }

// keyed is a table with the given primary key.
func keyed(engine string, key []string, columns ...Column) *Table {
	t := table(engine, columns...)
	t.Keys[0].Columns = key
	return t
}

func TestAConstantIsComparedWithAColumnOfTheTarget(t *testing.T) {
	target := table("postgres", id(), note(), shardColumn())
	p := mustResolve(t, Mapping{Constants: map[string]string{"SHARD": "003"}}, table("mysql", id(), note()), target)
	if !slices.Equal(p.Names, []string{"id", "note", "shard"}) || len(p.Warnings) != 0 {
		t.Errorf("columns %q, warnings %q", p.Names, p.Warnings)
	}
	source, held := p.Source.Columns[2], p.Target.Columns[2]
	if string(source.Constant) != "3" || !source.Generated || source.As != held.As || held.Constant != nil || held.Generated {
		t.Errorf("source %+v, target %+v", source, held)
	}
	if len(p.Target.Fixed) != 0 || p.Method != Checksum {
		t.Errorf("fixed %v, method %s: the key needs no constant", p.Target.Fixed, p.Method)
	}
	if err := p.CheckRepair(&p.Target); err != nil {
		t.Errorf("a repair of the target: %v", err)
	}
	if err := p.CheckRepair(&p.Source); err != nil {
		t.Errorf("a repair of the source: %v", err)
	}
	if !p.Keeps(&p.Target) {
		t.Error("a constant that the column holds is not sure to be kept")
	}
	// A subset of columns is compared with its constants.
	p = mustResolve(t, Mapping{Columns: []string{"note"}, Constants: map[string]string{"shard": "3"}}, table("mysql", id(), note()), target)
	if !slices.Equal(p.Names, []string{"id", "note", "shard"}) {
		t.Errorf("columns %q", p.Names)
	}
}

func TestConstantsInTheTargetsKeyRestrictItsRows(t *testing.T) {
	constants := map[string]string{"shard": "3", "region": "eu"}
	region := ofLength(10, column("region", "varchar(10)!", canonical.Text))
	for _, c := range []struct {
		name   string
		keys   [][]string
		fixed  []string
		method Method
	}{
		{"in front", [][]string{{"shard", "id"}}, []string{"shard"}, Checksum},
		{"behind", [][]string{{"id", "shard"}}, []string{"shard"}, Checksum},
		{"both", [][]string{{"region", "id", "shard"}}, []string{"shard", "region"}, Checksum},
		{"not needed", [][]string{{"id"}, {"shard", "id"}}, nil, Checksum},
		{"only by a second key", [][]string{{"note"}, {"shard", "id"}}, []string{"shard"}, Checksum},
	} {
		target := table("postgres", id(), note(), shardColumn(), region)
		target.Keys = nil
		for _, columns := range c.keys {
			target.Keys = append(target.Keys, UniqueKey{Name: strings.Join(columns, " "), Columns: columns})
		}
		p := mustResolve(t, Mapping{Constants: constants}, table("mysql", id(), note()), target)
		var fixed []string
		for _, f := range p.Target.Fixed {
			fixed = append(fixed, f.Name)
			if string(f.Value) != constants[f.Name] {
				t.Errorf("%s: %s is fixed to %s", c.name, f.Name, f.Value)
			}
		}
		if !slices.Equal(fixed, c.fixed) || p.Method != c.method || !slices.Equal(p.KeyNames(), []string{"id"}) {
			t.Errorf("%s: fixed %q by %s with key %q, want %q by %s", c.name, fixed, p.Method, p.KeyNames(), c.fixed, c.method)
		}
		if index, found := p.Target.KeyIndex(); !found || !slices.Contains(index.Columns, "id") {
			t.Errorf("%s: the key's index is %v, %t", c.name, index, found)
		}
		if keys := p.Target.OfKey(); len(keys.Columns) != 1 || !slices.Equal(keys.Key, []int{0}) || len(keys.Fixed) != len(c.fixed) {
			t.Errorf("%s: the view of keys is %+v", c.name, keys)
		}
	}
}

func TestConstantsThatCannotBeAreRefused(t *testing.T) {
	source := table("mysql", id(), note())
	with := func(c Column) *Table { return table("mysql", id(), note(), c) }
	for _, c := range []struct {
		column Column
		text   string
		says   string
	}{
		{shardColumn(), "three", `constants: column shard (smallint): "three": not a whole number`},
		{shardColumn(), "", `constants: column shard`},
		{shardColumn(), "32768", "no value the column can hold"},
		{shardColumn(), "-32769", "no value the column can hold"},
		{column("shard", "double", canonical.Float64), "1.5", "cannot be compared exactly"},
		{column("shard", "json", canonical.JSON), "{}", "cannot be compared exactly"},
		{ofLength(2, column("shard", "varchar(2)", canonical.Text)), "€€€", "no value the column can hold"},
		{ofLength(2, column("shard", "binary(2)", canonical.Bytes)), "00", "no value the column can hold"},
		{column("shard", "blob", canonical.Bytes), "0g", "hexadecimal"},
		{column("shard", "uuid", canonical.UUID), "x", `"x"`},
		{column("shard", "date", canonical.Date), "yesterday", `"yesterday"`},
		{column("shard", "boolean", canonical.Bool), "yes", "neither true nor false"},
		{withPrecision(2, column("shard", "decimal(4,2)", canonical.Decimal)), "1.234", "no value the column can hold"},
		{withPrecision(0, column("shard", "datetime", canonical.Timestamp)), "2024-01-01 00:00:00.5", "no value the column can hold"},
	} {
		refuses(t, Mapping{Constants: map[string]string{"shard": c.text}}, source, with(c.column), Auto, digestsExactly, c.says)
	}
	refuses(t, Mapping{Constants: map[string]string{"note": "x"}}, source, with(shardColumn()), Auto, digestsExactly, "has a column note of its own")
	refuses(t, Mapping{Constants: map[string]string{"nothing": "x"}}, source, with(shardColumn()), Auto, digestsExactly, "has no column nothing")
	refuses(t, Mapping{Constants: map[string]string{"shard": "1"}, Exclude: []string{"shard"}}, source, with(shardColumn()), Auto, digestsExactly, "is excluded")
	refuses(t, Mapping{Constants: map[string]string{"shard": "1"}, Rename: map[string]string{"note": "shard"}},
		source, with(column("shard", "varchar(20)", canonical.Text)), Auto, digestsExactly, "held against a column")
}

func withPrecision(digits int, c Column) Column { c.Precision = digits; return c }

func TestConstantsAreCanonical(t *testing.T) {
	for _, c := range []struct {
		column     Column
		text, want string
	}{
		{shardColumn(), "-32768", "-32768"},
		{Column{Base: "bigint", Unsigned: true, Type: canonical.Type{Kind: canonical.Int}}, "18446744073709551615", "18446744073709551615"},
		{Column{Base: "tinyint", Native: "tinyint(1)", Type: canonical.Type{Kind: canonical.Int}}, "true", "1"},
		{column("c", "boolean", canonical.Bool), "FALSE", "0"},
		{column("c", "numeric", canonical.Decimal), "12.500", "12.5"},
		{ofLength(4, column("c", "char(4)", canonical.Text)), "ab  ", "ab"},
		{ofLength(4, column("c", "varchar(4)", canonical.Text)), "ab  ", "ab  "},
		{column("c", "text", canonical.Text), "", ""},
		{column("c", "uuid", canonical.UUID), "00112233-4455-6677-8899-AABBCCDDEEFF", "00112233-4455-6677-8899-aabbccddeeff"},
		{column("c", "bytea", canonical.Bytes), "00FF", "00ff"},
		{withPrecision(1, column("c", "timestamptz", canonical.Instant)), "2024-01-01 00:00:00.50+00", "2024-01-01 00:00:00.500000"},
	} {
		got, err := constantText(c.column, c.text)
		if err != nil || string(got) != c.want || got == nil {
			t.Errorf("%s as %s: %q, %v, want %q", c.text, c.column.Native, got, err, c.want)
		}
	}
}

// sharing resolves one of the shards into a table with the given key.
func sharing(position int, key []string, m Mapping, shards ...Shard) (*Pair, error) {
	m.Shards, m.Shard = shards, position
	target := keyed("mysql", key, id(), note(), shardColumn(), column("region", "smallint!", canonical.Int))
	return Resolve(m, table("mysql", id(), note()), target, Auto, digestsExactly)
}

func of(shard string) map[string]string { return map[string]string{"shard": shard} }

func TestShardsApartByConstants(t *testing.T) {
	shards := []Shard{{Name: "a", Constants: of("0")}, {Name: "b", Constants: of("1")}, {Name: "c", Constants: of("02")}}
	m := Mapping{TargetWhere: "live", Constants: map[string]string{"region": "7"}}
	for position := range shards {
		p, err := sharing(position, []string{"region", "shard", "id"}, m, shards...)
		if err != nil {
			t.Fatal(err)
		}
		if p.Overlap != nil || (p.Outside != nil) != (position == 0) || len(p.Target.Fixed) != 2 {
			t.Errorf("shard %d: overlap %v, outside %v, fixed %v", position, p.Overlap, p.Outside, p.Target.Fixed)
		}
	}
	p, _ := sharing(0, []string{"region", "shard", "id"}, m, shards...)
	out := p.Outside
	var key []string
	for _, c := range out.KeyColumns() {
		key = append(key, c.Name)
	}
	if !slices.Equal(key, []string{"region", "shard", "id"}) || len(out.Outside) != 3 || out.Where != "live" {
		t.Errorf("the rows of no shard: key %q, %d shards, where %q", key, len(out.Outside), out.Where)
	}
	if out.Filter() != "region = 7 and live" {
		t.Errorf("rows of other regions are none of theirs: %q", out.Filter())
	}
	if third := out.Outside[2]; third.Filter() != "shard = 2 and region = 7" {
		t.Errorf("the third shard has %q", third.Filter())
	}
}

func TestShardsApartByFiltersAreLookedAt(t *testing.T) {
	shards := []Shard{{Name: "a", Where: "id < 10"}, {Name: "b", Where: "id > 9 -- the rest"}}
	p, err := sharing(1, []string{"id"}, Mapping{TargetWhere: "live"}, shards...)
	if err != nil {
		t.Fatal(err)
	}
	if want := "(live\n) AND (id > 9 -- the rest\n)"; p.Target.Where != want || p.Overlap == nil || p.Overlap.Where != want || p.Overlap.Within[0].Where != "id < 10" || p.Outside != nil {
		t.Errorf("%+v, overlap %+v, outside %+v", p.Target, p.Overlap, p.Outside)
	}
	if warns(p, "only one side has a row filter") {
		t.Error("a shard's filter is no surprise")
	}
}

func TestShardsThatNothingTellsApartAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		key    []string
		shards []Shard
		says   string
	}{
		"the key needs no constant": {[]string{"id"}, []Shard{{Name: "a", Constants: of("0")}, {Name: "b", Constants: of("1")}}, "shard b and this one cannot be told apart"},
		"one value in two words":    {[]string{"shard", "id"}, []Shard{{Name: "a", Constants: of("1")}, {Name: "b", Constants: of("01")}}, "shard b and this one cannot be told apart"},
		"one filter of two":         {[]string{"id"}, []Shard{{Name: "a", Where: "true"}, {Name: "b"}}, "target_where"},
		"one without a constant":    {[]string{"shard", "id"}, []Shard{{Name: "a", Constants: of("0")}, {Name: "b"}}, "shard b: constants: it has none for column shard"},
		"one with a bad constant":   {[]string{"shard", "id"}, []Shard{{Name: "a", Constants: of("0")}, {Name: "b", Constants: of("x")}}, "shard b: constants: column shard"},
	} {
		_, err := sharing(0, c.key, Mapping{Name: "a"}, c.shards...)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want %q", name, err, c.says)
		}
	}
}

func TestAFixedValueIsNoPartOfTheKey(t *testing.T) {
	p, err := sharing(0, []string{"shard", "id"}, Mapping{}, Shard{Name: "a", Constants: of("0")})
	if err != nil {
		t.Fatal(err)
	}
	if f := p.Target.Fixed; len(f) != 1 || string(f[0].Value) != "0" || p.Outside == nil {
		t.Errorf("fixed %v, outside %v", f, p.Outside)
	}
	if !slices.EqualFunc(p.Source.Columns, p.Target.Columns, func(a, b ViewColumn) bool { return a.As == b.As }) || p.Source.Columns[2].Constant.IsNull() {
		t.Errorf("the constant is not compared: %v", []row.Value{p.Source.Columns[2].Constant})
	}
}

func TestAKeyWithConstantsIsAsUniqueAsWithout(t *testing.T) {
	p, err := sharing(0, []string{"shard", "id"}, Mapping{}, Shard{Name: "a", Constants: of("0")})
	if err != nil {
		t.Fatal(err)
	}
	for _, side := range []*View{&p.Source, &p.Target} {
		for _, d := range p.Drift(side) {
			if strings.Contains(d.String(), "unique") || slices.Contains(d.Columns, "shard") {
				t.Errorf("a repair of %s: %s", side.Table.Name, d)
			}
		}
	}
}
