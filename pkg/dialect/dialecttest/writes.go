package dialecttest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// exerciseLookups asks for keys that a collation or a conversion would take for
// others.
func (s *suite) exerciseLookups(t *testing.T) {
	s.exec(t, "CREATE TABLE texts (id varchar(40) NOT NULL PRIMARY KEY, v int)",
		"INSERT INTO texts VALUES ('Abc', 1), ('x', 2), (' y', 3), ('ß', 4), ('q''uo\"te', 5), ('{1,2}', 6), ('null', 7)")
	v := s.view(t, "texts", "id")
	for text, there := range map[string]bool{
		"Abc": true, "abc": false, "ABC": false, "x": true, "x ": false, "x\x00": false, " y": true, "y": false,
		"ß": true, "ss": false, `q'uo"te`: true, "{1,2}": true, "null": true, "NULL": false, "": false, "\xff": false, "😀": false,
	} {
		found, err := s.db.Lookup(t.Context(), v, []row.Key{key(text)})
		must(t, err)
		if (len(found) == 1) != there || there && string(found[0][0]) != text {
			t.Errorf("%q: found %v, want %v", text, found, there)
		}
	}
	found, err := s.db.Lookup(t.Context(), v, []row.Key{key("Abc"), key("abc"), key("x "), key("null"), key("gone")})
	must(t, err)
	if len(found) != 2 {
		t.Errorf("found %v, want Abc and null", found)
	}

	s.exec(t, "CREATE TABLE pairs (a int NOT NULL, b varchar(20) NOT NULL, PRIMARY KEY (a, b))",
		"INSERT INTO pairs VALUES (1, 'a'), (1, 'b'), (2, 'a'), (2, 'B')")
	v = s.view(t, "pairs", "a", "b")
	found, err = s.db.Lookup(t.Context(), v, []row.Key{
		key("1", "b"), key("2", "a"), key("2", "b"), key("1", "c"),
		key("9223372036854775808", "a"), key("1.5", "a"),
	})
	must(t, err)
	if len(found) != 2 {
		t.Errorf("found %v, want (1, b) and (2, a)", found)
	}
}

// exerciseForeignKeys asks for values the other engine may have in its key and
// this column cannot hold: they are not there, and that is no error.
func (s *suite) exerciseForeignKeys(t *testing.T) {
	for i, c := range []struct{ column, there, want, foreign string }{
		{"int", "7", "7", "5000000000 -5000000000 18446744073709551615 99999999999999999999999999999999999999 7.5 NaN Infinity -Infinity"},
		{"decimal(10,2)", "7.50", "7.5", "7.505 99999999999999999999999999999999999999999999999999999999999999999999999 0.00000000000000000000000000000000000000000001 NaN"},
		{"date", "'2024-01-31'", "2024-01-31", "0000-00-00 2024-00-15 2024-02-30 infinity -infinity 12024-01-01"},
		{"timestamp(0)", "'2024-01-31 00:00:00'", "2024-01-31 00:00:00.000000", "0000-00-00_00:00:00.000000 2024-02-30_00:00:00.000000 2024-01-31_00:00:00.500000 infinity 0044-03-15_00:00:00.000000_BC"},
		{"time", "'10:00:00'", "10:00:00.000000", "-10:00:00.000000 838:59:59.000000 24:00:00.000001"},
		{"varchar(3)", "'abc'", "abc", "ABC abcd 'abc' \x00 \xff"},
	} {
		table := fmt.Sprintf("foreign_%d", i)
		s.exec(t, "CREATE TABLE "+table+" (id "+c.column+" NOT NULL PRIMARY KEY)", "INSERT INTO "+table+" VALUES ("+c.there+")")
		v := s.view(t, table, "id")
		keys := []row.Key{key(c.want)}
		for _, text := range strings.Fields(c.foreign) {
			keys = append(keys, key(strings.ReplaceAll(text, "_", " ")))
		}
		for _, k := range keys[1:] {
			if found, err := s.db.Lookup(t.Context(), v, []row.Key{k}); err != nil || len(found) != 0 {
				t.Errorf("%s: looked up %s and found %v, %v", c.column, k, found, err)
			}
		}
		if found, err := s.db.Lookup(t.Context(), v, keys); err != nil || len(found) != 1 {
			t.Errorf("%s: looked up %v and found %v, %v", c.column, keys, found, err)
		}
		if n := s.deleted(t, v, keys...); n != 1 {
			t.Errorf("%s: deleted %d rows", c.column, n)
		}
	}
}

func (s *suite) exerciseLocks(t *testing.T) {
	s.exec(t, "CREATE TABLE locked (id int NOT NULL PRIMARY KEY, v int)", "INSERT INTO locked VALUES (1, 1), (2, 2), (3, 3)")
	v := s.view(t, "locked", "id")
	keys := []row.Key{key("3"), key("1"), key("2"), key("4")}
	first, err := s.db.Begin(t.Context())
	must(t, err)
	defer first.Rollback()
	if held, err := first.Lock(t.Context(), v, keys[2:]); err != nil || len(held) != 1 {
		t.Fatalf("locked %v, %v, want row 2", held, err)
	}
	second, err := s.db.Begin(t.Context())
	must(t, err)
	defer second.Rollback()
	held, err := second.Lock(t.Context(), v, keys)
	must(t, err)
	if len(held) != 2 || string(held[0][0]) != "1" || string(held[1][0]) != "3" {
		t.Errorf("locked %v, want rows 1 and 3 in key order", held)
	}
	if seen, err := second.Lookup(t.Context(), v, keys); err != nil || len(seen) != 3 {
		t.Errorf("looked up %v, %v, want the locked row as well", seen, err)
	}
}

func (s *suite) exerciseUpdates(t *testing.T) {
	s.exec(t, "CREATE TABLE updated (id int NOT NULL PRIMARY KEY, a varchar(20), b varchar(20), twice int GENERATED ALWAYS AS (id * 2) STORED)",
		"INSERT INTO updated (id, a, b) VALUES (1, 'a1', 'b1'), (2, 'a2', 'b2')")
	v := s.view(t, "updated", "id")
	r := row.Row{row.Value("1"), nil, row.Value("new"), row.Value("77")}
	must(t, s.write(t, func(ctx context.Context, tx *database.Tx) error {
		if n, err := tx.Update(ctx, v, r, []int{2, 3}); err != nil || n != 1 {
			return fmt.Errorf("updated %d rows: %w", n, err)
		}
		// A row that is as wanted counts, one that is not there does not.
		if n, err := tx.Update(ctx, v, r, []int{2}); err != nil || n != 1 {
			return fmt.Errorf("updated %d rows again: %w", n, err)
		}
		r = row.Row{row.Value("3"), nil, nil, nil}
		if n, err := tx.Update(ctx, v, r, []int{1, 2}); err != nil || n != 0 {
			return fmt.Errorf("updated %d rows that do not exist: %w", n, err)
		}
		return nil
	}))
	rows := s.rows(t, v, row.Range{})
	if len(rows) != 2 || show(rows[0]) != "('1', 'a1', 'new', '2')" || show(rows[1]) != "('2', 'a2', 'b2', '4')" {
		t.Errorf("after the update: %v", rows)
	}
	script := dialect.UpdateScript(s.d, v, row.Row{row.Value("2"), row.Value(`it's \`), nil, nil}, []int{1, 2, 3})
	s.exec(t, script, dialect.DeleteScript(s.d, v, key("1")))
	rows = s.rows(t, v, row.Range{})
	if len(rows) != 1 || show(rows[0]) != `('2', 'it's \', NULL, '4')` {
		t.Errorf("after the script: %v", rows)
	}
	// Generated columns are left out of whole rows as well.
	must(t, s.write(t, func(ctx context.Context, tx *database.Tx) error {
		return tx.Insert(ctx, v, []row.Row{{row.Value("5"), nil, nil, row.Value("1")}, {row.Value("6"), row.Value(""), nil, nil}})
	}))
	if n := s.deleted(t, v, key("5"), key("6"), key("7")); n != 2 {
		t.Errorf("deleted %d rows, want 2", n)
	}
}

// exerciseUpdatesTogether gives many rows their own values at once: each by its
// exact key, whatever else the statement's names and comparisons could match.
func (s *suite) exerciseUpdatesTogether(t *testing.T) {
	s.exec(t, "CREATE TABLE together (a int NOT NULL, b varchar(20) NOT NULL, u int UNIQUE, v varchar(20), twice int GENERATED ALWAYS AS (a * 2) STORED, PRIMARY KEY (a, b))")
	v := s.view(t, "together", "a", "b")
	var before, after []row.Row
	for i := range 120 {
		id, name := strconv.Itoa(i/2), []string{"x", "y|1"}[i%2]
		before = append(before, row.Row{row.Value(id), row.Value(name), row.Value(strconv.Itoa(i)), row.Value("old"), row.Value(strconv.Itoa(i / 2 * 2))})
		changed := before[i].Clone()
		changed[2], changed[3] = row.Value(strconv.Itoa(1000-i)), row.Value("new "+strconv.Itoa(i))
		if i%10 == 3 {
			changed[3] = nil
		}
		after = append(after, changed)
	}
	must(t, s.write(t, func(ctx context.Context, tx *database.Tx) error { return tx.Insert(ctx, v, before) }))
	// Not there: another spelling of a key, a key of no row, one that the column cannot hold.
	absent := []row.Row{
		{row.Value("1"), row.Value("X"), nil, nil, nil},
		{row.Value("1"), row.Value("x "), nil, nil, nil},
		{row.Value("99"), row.Value("x"), nil, nil, nil},
		{row.Value("5000000000"), row.Value("x"), nil, nil, nil},
	}
	v.Where = "a <> 7 AND twice >= 0"
	must(t, s.write(t, func(ctx context.Context, tx *database.Tx) error {
		n, err := tx.UpdateAll(ctx, v, slices.Concat(absent[:2], after, absent[2:]), []int{2, 3, 4})
		if err == nil && n != int64(len(after))-2 {
			err = fmt.Errorf("updated %d of %d rows", n, len(after)-2)
		}
		return err
	}))
	v.Where = ""
	want := slices.Concat(after[:14], before[14:16], after[16:])
	s.sameRows(t, "updated together", v, want)

	// One that is refused undoes all of them.
	for _, taken := range []row.Row{{row.Value("9"), row.Value("x"), row.Value("1000"), nil, nil}, {row.Value("9"), row.Value("x"), row.Value("5000000000"), nil, nil}} {
		err := s.write(t, func(ctx context.Context, tx *database.Tx) error {
			_, err := tx.UpdateAll(ctx, v, []row.Row{{row.Value("8"), row.Value("x"), row.Value("5000"), nil, nil}, taken}, []int{2})
			return err
		})
		if class := database.ClassOf(err); class != dialect.ClassDuplicate && class != dialect.ClassRow {
			t.Errorf("writing %s: class %d, %v", show(taken), class, err)
		}
	}
	s.sameRows(t, "refused", v, want)
}

// deleted deletes rows and returns how many there were.
func (s *suite) deleted(t *testing.T, v *schema.View, keys ...row.Key) int64 {
	t.Helper()
	var n int64
	must(t, s.write(t, func(ctx context.Context, tx *database.Tx) (err error) {
		n, err = tx.Delete(ctx, v, keys)
		return err
	}))
	return n
}

func (s *suite) exerciseDuplicates(t *testing.T) {
	s.exec(t, "CREATE TABLE taken (id int NOT NULL PRIMARY KEY, u int UNIQUE)", "INSERT INTO taken VALUES (1, 10)")
	v := s.view(t, "taken", "id")
	for _, r := range []row.Row{{row.Value("1"), nil}, {row.Value("2"), row.Value("10")}} {
		err := s.write(t, func(ctx context.Context, tx *database.Tx) error { return tx.Insert(ctx, v, []row.Row{r}) })
		if got := database.ClassOf(err); got != dialect.ClassDuplicate {
			t.Errorf("inserting %s: class %d, %v", show(r), got, err)
		}
	}
	if rows := s.rows(t, v, row.Range{}); len(rows) != 1 || show(rows[0]) != "('1', '10')" {
		t.Errorf("the table now holds %v", rows)
	}
}

func (s *suite) exerciseClasses(t *testing.T) {
	s.exec(t, "CREATE TABLE parent (id int NOT NULL PRIMARY KEY)",
		"CREATE TABLE strict (id int NOT NULL PRIMARY KEY, short varchar(3), n smallint, req int NOT NULL, p int,"+
			" FOREIGN KEY (p) REFERENCES parent (id), CHECK (n <> 13))")
	v := s.view(t, "strict", "id")
	for what, r := range map[string][5]string{
		"too long":     {"1", "long", "1", "1", ""},
		"out of range": {"1", "", "70000", "1", ""},
		"NULL":         {"1", "", "1", "", ""},
		"no parent":    {"1", "", "1", "1", "5"},
		"check":        {"1", "", "13", "1", ""},
	} {
		values := make(row.Row, len(r))
		for i, text := range r {
			if text != "" {
				values[i] = row.Value(text)
			}
		}
		err := s.write(t, func(ctx context.Context, tx *database.Tx) error { return tx.Insert(ctx, v, []row.Row{values}) })
		want := dialect.ClassRow
		if what == "no parent" {
			want = dialect.ClassReference
		}
		if got := database.ClassOf(err); got != want {
			t.Errorf("%s: class %d, want %d: %v", what, got, want, err)
		}
	}
	s.exec(t, "INSERT INTO parent VALUES (7)", "INSERT INTO strict VALUES (7, 'x', 1, 1, 7)")
	err := s.write(t, func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Delete(ctx, s.view(t, "parent", "id"), []row.Key{key("7")})
		return err
	})
	if got := database.ClassOf(err); got != dialect.ClassReference {
		t.Errorf("a parent with children: class %d, %v", got, err)
	}
	s.exec(t, "ALTER TABLE strict DROP COLUMN short")
	if _, err := s.db.Lookup(t.Context(), v, []row.Key{key("1")}); database.ClassOf(err) != dialect.ClassSchema {
		t.Errorf("a column that is gone: %v", err)
	}
	s.exec(t, "DROP TABLE strict")
	if _, err := s.db.Digest(t.Context(), v, row.Range{}); database.ClassOf(err) != dialect.ClassSchema {
		t.Errorf("a table that is gone: %v", err)
	}
}

// exerciseNames uses names that a careless statement would run.
func (s *suite) exerciseNames(t *testing.T) {
	q := s.d.Quote
	for _, name := range []string{"order; drop", "select", "a`b", `a"b`, "a b", "Mixed'Case", "100%", "ünï", "n", "f", "g", "k0", "u", "c0"} {
		t.Run(name, func(t *testing.T) {
			s.exec(t, fmt.Sprintf("CREATE TABLE %s (%s int NOT NULL PRIMARY KEY, %s varchar(10))", q(name), q(name), q(name+" v")),
				fmt.Sprintf("INSERT INTO %s VALUES (1, 'x'), (2, NULL)", q(name)))
			v := s.view(t, name, name)
			s.walk(t, v, s.rows(t, v, row.Range{}), 1)
			r := row.Row{row.Value("2"), row.Value("y")}
			must(t, s.write(t, func(ctx context.Context, tx *database.Tx) error {
				if _, err := tx.Lock(ctx, v, []row.Key{key("2")}); err != nil {
					return err
				}
				if n, err := tx.UpdateAll(ctx, v, []row.Row{r, {row.Value("1"), nil}}, []int{1}); err != nil || n != 2 {
					return fmt.Errorf("updated %d: %w", n, err)
				}
				return tx.Insert(ctx, v, []row.Row{{row.Value("3"), nil}})
			}))
			if n := s.deleted(t, v, key("1"), key("2"), key("3")); n != 3 {
				t.Errorf("deleted %d rows, want 3", n)
			}
			s.exec(t, dialect.InsertScript(s.d, v, r), dialect.UpdateScript(s.d, v, r, []int{1}), dialect.DeleteScript(s.d, v, key("2")))
			if n, err := s.db.Count(t.Context(), v); err != nil || n != 0 {
				t.Errorf("%d rows are left, %v", n, err)
			}
		})
	}
}

func (s *suite) exerciseReadOnly(t *testing.T) {
	s.exec(t, "CREATE TABLE guarded (id int NOT NULL PRIMARY KEY)")
	conn, err := testenv.Open(t, s.dsn).Conn(t.Context())
	must(t, err)
	defer conn.Close()
	for _, statement := range s.d.Setup(true) {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if _, err := conn.ExecContext(t.Context(), "INSERT INTO guarded VALUES (1)"); err == nil || !strings.Contains(strings.ToLower(err.Error()), "read") {
		t.Errorf("a write gives %v", err)
	}
}
