package dialecttest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// exerciseWalks splits tables into ranges of several sizes: every row is in
// exactly one, and what is digested is what is read.
func (s *suite) exerciseWalks(t *testing.T) {
	s.exec(t,
		"CREATE TABLE walk_int (id bigint NOT NULL PRIMARY KEY, v varchar(20))",
		"CREATE TABLE walk_text (id varchar(40) NOT NULL PRIMARY KEY, v varchar(20))",
		"CREATE TABLE walk_many (a int NOT NULL, b varchar(20) NOT NULL, c decimal(10,2) NOT NULL, v varchar(20), PRIMARY KEY (a, b, c))",
		"INSERT INTO walk_int VALUES "+lines(40, func(i int) string { return fmt.Sprintf("(%d, 'v%d')", i*i*i-1000, i) }),
		"INSERT INTO walk_text VALUES "+lines(40, func(i int) string { return fmt.Sprintf("('%s%d', NULL)", strings.Repeat("k", i%7), i) }),
		"INSERT INTO walk_many VALUES "+lines(40, func(i int) string { return fmt.Sprintf("(%d, 'b%d', %d.50, '|')", i%3, i%5, i) }),
		// Names that the statements themselves use.
		"CREATE TABLE walk_names (k1 int NOT NULL, k0 int NOT NULL, n int NOT NULL, f varchar(9), g int, d int, PRIMARY KEY (k1, k0, n))",
		"INSERT INTO walk_names VALUES "+lines(40, func(i int) string { return fmt.Sprintf("(%d, %d, %d, '%d', 1, 1)", i%3, i%5, i, -i) }),
		"CREATE TABLE walk_f (f int NOT NULL PRIMARY KEY, n int)",
		"INSERT INTO walk_f VALUES "+lines(40, func(i int) string { return fmt.Sprintf("(%d, 1)", i) }),
		"CREATE TABLE walk_empty (id int NOT NULL PRIMARY KEY)",
	)
	for table, names := range map[string][]string{
		"walk_int": {"id"}, "walk_text": {"id"}, "walk_many": {"a", "b", "c"}, "walk_empty": {"id"},
		"walk_names": {"k1", "k0", "n"}, "walk_f": {"f"},
	} {
		v := s.view(t, table, names...)
		all := s.rows(t, v, row.Range{})
		for _, n := range []int{1, 7, 40, 1000} {
			t.Run(fmt.Sprintf("%s by %d", table, n), func(t *testing.T) { s.walk(t, v, all, n) })
		}
	}
}

func (s *suite) walk(t *testing.T, v *schema.View, all []row.Row, n int) {
	t.Helper()
	var seen []row.Row
	var after row.Key
	for {
		through, err := s.db.Boundary(t.Context(), v, after, n)
		must(t, err)
		r := row.Range{After: after, Through: through}
		rows := s.rows(t, v, r)
		if through != nil && len(rows) != n {
			t.Fatalf("the range %s has %d rows, want %d", r, len(rows), n)
		}
		if got, want := s.digest(t, v, r), canonical.Digest(v.Types(), rows...); s.exact(v) && got != want || got.Rows != want.Rows {
			t.Errorf("the digest of %s is %+v, want %+v", r, got, want)
		}
		seen = append(seen, rows...)
		if through == nil {
			break
		}
		after = through
	}
	if len(seen) != len(all) {
		t.Fatalf("%d rows in the ranges, %d in the table", len(seen), len(all))
	}
	for i := range all {
		if !sameRow(seen[i], all[i]) {
			t.Fatalf("row %d is %s in its range, %s in the table", i, show(seen[i]), show(all[i]))
		}
	}
}

// exact says whether digests of the view can be computed in Go.
func (s *suite) exact(v *schema.View) bool {
	return !slices.ContainsFunc(v.Columns, func(c schema.ViewColumn) bool {
		_, exact := s.d.DigestText(c)
		return !exact
	})
}

// exerciseCuts compares each possible range of a composite key with what a
// comparison in the client gives.
func (s *suite) exerciseCuts(t *testing.T) {
	s.exec(t, "CREATE TABLE cuts (a int NOT NULL, b int NOT NULL, c int NOT NULL, PRIMARY KEY (a, b, c))",
		"INSERT INTO cuts VALUES "+lines(27, func(i int) string { return fmt.Sprintf("(%d, %d, %d)", i/9, i/3%3, i%3) }))
	v := s.view(t, "cuts", "a", "b", "c")
	all := s.rows(t, v, row.Range{})
	for i := range all {
		for j := i; j < len(all); j++ {
			r := row.Range{After: all[i].Key(v.Key), Through: all[j].Key(v.Key)}
			if got := s.rows(t, v, r); len(got) != j-i || j > i && !sameRow(got[0], all[i+1]) {
				t.Fatalf("%s has %d rows, want %d", r, len(got), j-i)
			}
		}
	}
	// Bounds that the copy does not have, and some its type cannot hold.
	for bound, want := range map[string]int{"1,-1,5": 18, "-7,0,0": 27, "1,1,7": 12, "5,5,5": 0, "1,4294967296123,0": 9, "9223372036854775808,0,0": 0, "0.5,0,0": 18, "1,1,1.5": 13} {
		r := row.Range{After: key(strings.Split(bound, ",")...)}
		if got := s.rows(t, v, r); len(got) != want {
			t.Errorf("%s has %d rows, want %d", r, len(got), want)
		}
		r = row.Range{Through: r.After}
		if got := s.rows(t, v, r); len(got) != 27-want {
			t.Errorf("%s has %d rows, want %d", r, len(got), 27-want)
		}
	}
}

func (s *suite) exerciseFilter(t *testing.T) {
	s.exec(t, "CREATE TABLE filtered (id int NOT NULL PRIMARY KEY, tenant int NOT NULL)",
		"INSERT INTO filtered VALUES "+lines(20, func(i int) string { return fmt.Sprintf("(%d, %d)", i, i%2) }))
	v := s.view(t, "filtered", "id")
	// A comment must not swallow what follows, nor an OR reach beyond it.
	v.Where = "tenant = 7 OR tenant = 1 -- odd ones"
	all := s.rows(t, v, row.Range{After: key("3")})
	if len(all) != 8 {
		t.Errorf("%d rows after 3, want 8", len(all))
	}
	if d := s.digest(t, v, row.Range{After: key("3")}); d != canonical.Digest(v.Types(), all...) {
		t.Errorf("the digest is not that of the filtered rows: %+v", d)
	}
	if n, err := s.db.Count(t.Context(), v); err != nil || n != 10 {
		t.Errorf("counted %d, %v, want 10", n, err)
	}
	if b, err := s.db.Boundary(t.Context(), v, nil, 3); err != nil || b.String() != "5" {
		t.Errorf("the third row is %s, %v, want 5", b, err)
	}
	found, err := s.db.Lookup(t.Context(), v, []row.Key{key("4"), key("5")})
	must(t, err)
	if len(found) != 1 || string(found[0][0]) != "5" {
		t.Errorf("looked up %v, want row 5 alone", found)
	}
	if n := s.deleted(t, v, key("4"), key("5")); n != 1 {
		t.Errorf("deleted %d rows, want that of the filter alone", n)
	}
}

// exerciseFrames digests rows that a careless concatenation would confuse.
func (s *suite) exerciseFrames(t *testing.T) {
	s.exec(t, "CREATE TABLE frames (id int NOT NULL PRIMARY KEY, a varchar(20), b varchar(20), n int)",
		"INSERT INTO frames VALUES (0, NULL, '', 1), (1, '', NULL, 1), (2, '~', '', 1), (3, '', '~', 1),"+
			" (4, '|', '', 1), (5, '', '|', 1), (6, 'x', 'yz', 1), (7, 'xy', 'z', 1), (8, '1:x', '', 1), (9, '', '1:x', 1),"+
			" (10, 'x|1', 'y', 1), (11, 'x', '1|y', 1), (12, NULL, NULL, NULL), (13, 'é', '', 11), (14, '', '', NULL)")
	v := s.view(t, "frames", "id")
	rows := s.rows(t, v, row.Range{})
	if got, want := s.digest(t, v, row.Range{}), canonical.Digest(v.Types(), rows...); got != want {
		t.Errorf("the digest of all is %+v, want %+v", got, want)
	}
	// Without the key in the frame, whatever makes the rows differ is in the texts.
	v.Columns, v.Key = v.Columns[1:], nil
	seen := map[string]string{}
	for i, r := range rows {
		v.Where = "id = " + strconv.Itoa(i)
		v.Key = []int{2}
		sum := s.digest(t, v, row.Range{}).Sum
		if other, ok := seen[sum]; ok {
			t.Errorf("%s and %s have one digest", show(r), other)
		}
		seen[sum] = show(r)
	}
}

// lines are n rows of a VALUES list.
func lines(n int, line func(i int) string) string {
	out := make([]string, n)
	for i := range out {
		out[i] = line(i)
	}
	return strings.Join(out, ", ")
}

// exerciseLong digests values around the length from which their own digest
// stands for them.
func (s *suite) exerciseLong(t *testing.T) {
	text, binary, octets := "longtext", "longblob", "%s"
	if s.postgres() {
		text, binary, octets = "text", "bytea", "convert_to(%s, 'UTF8')"
	}
	values := func(id int, text, bytes string) string {
		return fmt.Sprintf("(%d, %s, %s)", id, text, fmt.Sprintf(octets, bytes))
	}
	const same = canonical.Long + 1
	spell := func(n int, last string) string { return fmt.Sprintf("concat(repeat('é', %d), '%s')", n/2, last) }
	s.exec(t, "CREATE TABLE long_values (id int NOT NULL PRIMARY KEY, a "+text+", b "+binary+")",
		"INSERT INTO long_values VALUES "+strings.Join([]string{
			values(0, spell(canonical.Long, ""), spell(canonical.Long, "")),
			values(1, spell(canonical.Long, "x"), spell(canonical.Long, "x")),
			values(2, spell(canonical.Long, "y"), spell(canonical.Long, "x")),
			values(3, spell(canonical.Long, "x"), spell(canonical.Long, "y")),
			values(4, spell(canonical.Long, "y"), spell(canonical.Long, "y")),
			values(5, spell(100*canonical.Long, ""), "NULL"),
			values(6, "NULL", spell(100*canonical.Long, "")),
			values(7, "NULL", "NULL"),
			// What a short value would have to be to look like the digest of a long one.
			values(8, fmt.Sprintf("md5(%s)", spell(canonical.Long, "x")), fmt.Sprintf("concat('#%d:', md5(%s))", same, spell(canonical.Long, "x"))),
		}, ", "))
	v := s.view(t, "long_values", "id")
	rows := s.rows(t, v, row.Range{})
	if got, want := s.digest(t, v, row.Range{}), canonical.Digest(v.Types(), rows...); got != want || got.Bytes < 200*canonical.Long {
		t.Errorf("the digest of all is %+v, want %+v", got, want)
	}
	v.Columns = v.Columns[1:]
	seen := map[string]int{}
	for i := range rows {
		v.Where, v.Key = "id = "+strconv.Itoa(i), []int{0}
		sum := s.digest(t, v, row.Range{}).Sum
		if other, ok := seen[sum]; ok {
			t.Errorf("rows %d and %d have one digest", i, other)
		}
		seen[sum] = i
	}
}
