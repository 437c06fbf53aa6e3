package mysql_test

import (
	"context"
	"slices"
	"testing"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
)

// TestWhatTheServerWouldTranslateIsRefused writes values for which MySQL stores
// others without a word: year 70 is 1970 to it, the text 1 an enum's first
// member, a text of digits the bits of its characters.
func TestWhatTheServerWouldTranslateIsRefused(t *testing.T) {
	const members = `('a','B','it''s','ba\\ck','new
line','é','2','a|x','日本','tab	','""')`
	db, dsn := openDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, y year, b bit(9), e enum"+members+", s set"+members+", l enum('é','x') CHARACTER SET latin1)")
	v := inspect(t, db, "t", "id")
	line := func(p int, text string) row.Row {
		r := values("1", "NULL", "NULL", "NULL", "NULL", "NULL")
		r[p] = row.Value(text)
		return r
	}
	insert := func(r row.Row) error {
		return write(t, db, func(ctx context.Context, tx *database.Tx) error { return tx.Insert(ctx, v, []row.Row{r}) })
	}
	for p, texts := range map[int][]string{
		1: {"1", "69", "70", "99", "-30"},
		2: {"", "1", "00000001", "0000000001", "111111111111"},
		3: {"1", "3", "0", "b", "A", "a ", "É", "e", ""},
		4: {"1", "b", "A", "B,a", "a,a", "a,", ",", "a,A", "nothing"},
		5: {"1", "É", "e", "X", "日"},
	} {
		for _, text := range texts {
			if err := insert(line(p, text)); database.ClassOf(err) != dialect.ClassRow {
				t.Errorf("%s takes %q: class %d, %v", v.Columns[p].Native, text, database.ClassOf(err), err)
			}
			if conn, err := testenv.Open(t, dsn).Conn(t.Context()); err != nil {
				t.Fatal(err)
			} else {
				for _, statement := range append(db.Dialect().Setup(false), dialect.InsertScript(db.Dialect(), v, line(p, text))) {
					_, err = conn.ExecContext(t.Context(), statement)
				}
				if err == nil {
					t.Errorf("%s takes %q by a script", v.Columns[p].Native, text)
				}
				_ = conn.Close()
			}
		}
	}
	for p, texts := range map[int][]string{
		1: {"0", "1901", "2155"},
		2: {"000000001", "111111111"},
		3: {"a", "B", "it's", `ba\ck`, "new\nline", "é", "2", "a|x", "日本", "tab\t", `""`},
		4: {"", "a", "a,B", `it's,ba\ck`, "a,2,日本", "new\nline", `tab	,""`},
		5: {"é", "x"},
	} {
		for _, text := range texts {
			r := line(p, text)
			if err := insert(r); err != nil {
				t.Errorf("%s refuses %q: %v", v.Columns[p].Native, text, err)
				continue
			}
			found, err := db.Lookup(t.Context(), v, []row.Key{{row.Value("1")}})
			if err != nil || len(found) != 1 || !slices.Equal(found[0][p], r[p]) {
				t.Errorf("%s: %q is stored as %q, %v", v.Columns[p].Native, text, found, err)
			}
			testenv.Exec(t, dsn, "DELETE FROM t")
		}
	}
}
