package mysql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// sets are the columns of the table that holesTable makes, ascii first.
var sets = []string{
	"ascii", "utf8mb4", "latin1", "latin2", "hebrew", "greek", "cp1250", "cp1251", "cp1256", "swe7", "dec8",
	"sjis", "cp932", "big5", "gbk", "ujis",
}

// holesTable fills a column of each character set with every byte, alone and
// before others. A server drops what it does not take.
func holesTable() []string {
	columns := []string{"id int PRIMARY KEY"}
	var load []string
	id := 0
	for i, set := range sets {
		columns = append(columns, fmt.Sprintf("c%d varchar(9) CHARACTER SET %s", i, set))
		for b := range 256 {
			var lines []string
			for _, rest := range []string{"", "40", "a1", "fc"} {
				lines = append(lines, fmt.Sprintf("(%d, X'%02x%s')", id, b, rest))
				id++
			}
			load = append(load, fmt.Sprintf("INSERT IGNORE INTO t (id, c%d) VALUES %s", i, strings.Join(lines, ", ")))
		}
	}
	return slices.Concat([]string{"SET sql_mode = ''", "CREATE TABLE t (" + strings.Join(columns, ", ") + ")", "START TRANSACTION"}, load, []string{"COMMIT"})
}

// TestBytesThatAreNoCharacterAreNotMerged holds what is read, and what the
// server digests, against the bytes stored: the server prints one question mark
// for many of them, and they are different values all the same.
func TestBytesThatAreNoCharacterAreNotMerged(t *testing.T) {
	db, dsn := openDatabase(t, holesTable()...)
	v := inspect(t, db, "t", "id")
	rows := allRows(t, db, v)
	conn, err := testenv.Open(t, dsn).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), "SET NAMES utf8mb4"); err != nil {
		t.Fatal(err)
	}
	for p, set := range sets {
		stored := textsByID(t, conn, fmt.Sprintf("SELECT id, HEX(c%d) FROM t WHERE c%d IS NOT NULL", p, p))
		expr, _ := db.Dialect().DigestText(v.Columns[p+1])
		digested := textsByID(t, conn, fmt.Sprintf("SELECT id, %s FROM t WHERE c%d IS NOT NULL", expr, p))
		read := map[string]string{}
		for _, r := range rows {
			if !r[p+1].IsNull() {
				read[string(r[0])] = string(r[p+1])
			}
		}
		for how, all := range map[string]map[string]string{"read": read, "digested": digested} {
			bytes := map[string]string{}
			for id, text := range all {
				if other, there := bytes[text]; there && other != stored[id] {
					t.Errorf("%s: the bytes %s and %s are both %s as %q", set, other, stored[id], how, text)
				}
				bytes[text] = stored[id]
			}
		}
	}
	checkNoTextIsWritten(t, db, v, rows)
}

func allRows(t *testing.T, db *database.DB, v *schema.View) []row.Row {
	t.Helper()
	cursor, err := db.Rows(t.Context(), v, row.Range{})
	if err != nil {
		t.Fatal(err)
	}
	defer cursor.Close()
	var rows []row.Row
	for {
		r, err := cursor.Next()
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, r.Clone())
	}
}

// textsByID is a query's second column by its first.
func textsByID(t *testing.T, conn *sql.Conn, query string) map[string]string {
	t.Helper()
	found, err := conn.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	out := map[string]string{}
	for found.Next() {
		var id, text string
		if err := found.Scan(&id, &text); err != nil {
			t.Fatal(err)
		}
		out[id] = text
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// checkNoTextIsWritten tries to store what was read of such bytes as a text.
func checkNoTextIsWritten(t *testing.T, db *database.DB, v *schema.View, rows []row.Row) {
	t.Helper()
	const ascii = 1
	at := slices.IndexFunc(rows, func(r row.Row) bool { return strings.HasPrefix(string(r[ascii]), "\xff") })
	if at < 0 {
		if db.Engine() == "mariadb" {
			t.Error("no bytes of ascii were without a character")
		}
		return
	}
	for p := range v.Columns[1:] {
		r := make(row.Row, len(v.Columns))
		r[0], r[p+1] = row.Value("1000000"), rows[at][ascii]
		err := write(t, db, func(ctx context.Context, tx *database.Tx) error { return tx.Insert(ctx, v, []row.Row{r}) })
		if database.ClassOf(err) != dialect.ClassRow {
			t.Errorf("%s takes bytes that are no text: class %d, %v", v.Columns[p+1].Native, database.ClassOf(err), err)
		}
	}
}
