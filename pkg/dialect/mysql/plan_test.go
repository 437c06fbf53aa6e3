package mysql_test

import (
	"database/sql"
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

// numbers is a table of 100,000 numbers without an engine's own generator.
const numbers = "(SELECT a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n AS i FROM digits a, digits b, digits c, digits d, digits e) AS x"

// TestStatementsUseTheKeysIndex asks the server for its plans on tables of
// 100,000 rows: a scan of the table would be the end of every promise on load.
func TestStatementsUseTheKeysIndex(t *testing.T) {
	dsn := testenv.MySQL(t)
	testenv.Exec(t, dsn,
		"CREATE TABLE digits (n int NOT NULL)",
		"INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)",
		"CREATE TABLE by_int (id bigint NOT NULL PRIMARY KEY, tenant int NOT NULL, v varchar(200), KEY (tenant))",
		"INSERT INTO by_int SELECT i, i % 3, REPEAT('x', 100) FROM "+numbers,
		"CREATE TABLE by_latin (id int NOT NULL PRIMARY KEY, code varchar(20) CHARACTER SET latin1 NOT NULL, v varchar(200), UNIQUE KEY `the code` (code))",
		"INSERT INTO by_latin SELECT i, LPAD(i, 8, 'k'), REPEAT('x', 100) FROM "+numbers,
		"CREATE TABLE by_many (a int NOT NULL, b varchar(20) CHARACTER SET utf8mb4 NOT NULL, c datetime NOT NULL, v varchar(200), PRIMARY KEY (a, b, c))",
		"INSERT INTO by_many SELECT i DIV 1000, LPAD(i, 8, 'k'), '2024-01-01', REPEAT('x', 100) FROM "+numbers,
		"CREATE TABLE by_bytes (id binary(16) NOT NULL PRIMARY KEY, d decimal(20,4) NOT NULL, v varchar(200), UNIQUE KEY (d))",
		"INSERT INTO by_bytes SELECT UNHEX(MD5(i)), i / 8, REPEAT('x', 100) FROM "+numbers,
		"CREATE TABLE by_shard (shard smallint NOT NULL, id int NOT NULL, v varchar(200), PRIMARY KEY (shard, id))",
		"INSERT INTO by_shard SELECT i % 3, i, REPEAT('x', 100) FROM "+numbers,
		"ANALYZE TABLE by_int, by_latin, by_many, by_bytes, by_shard",
	)
	db, err := database.Open(t.Context(), database.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn := testenv.Open(t, dsn)
	conn.SetMaxOpenConns(1)
	for _, statement := range db.Dialect().Setup(false) {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		table, index, where string
		key                 []string
	}{
		{"by_int", "PRIMARY", "", []string{"id"}},
		{"by_int", "PRIMARY", "tenant = 1", []string{"id"}},
		{"by_latin", "the code", "", []string{"code"}},
		{"by_many", "PRIMARY", "", []string{"a", "b", "c"}},
		{"by_bytes", "PRIMARY", "", []string{"id"}},
		{"by_bytes", "d", "", []string{"d"}},
		{"by_shard", "PRIMARY", "", []string{"id"}},
	} {
		t.Run(fmt.Sprintf("%s by %v %s", c.table, c.key, c.where), func(t *testing.T) {
			v := inspect(t, db, c.table, c.key...)
			v.Where = c.where
			if c.table == "by_shard" {
				v.Fixed = []schema.Fixed{{ViewColumn: v.Columns[0], Value: row.Value("1")}}
			}
			keys := sample(t, db, v)
			wholes := make([]row.Row, 5)
			for n := range wholes {
				wholes[n] = make(row.Row, len(v.Columns))
				for i, p := range v.Key {
					wholes[n][p] = keys[n][i]
				}
			}
			last := []int{len(v.Columns) - 1}
			middle := row.Range{After: keys[10], Through: keys[11]}
			for name, q := range map[string]dialect.Query{
				"boundary": db.Dialect().Boundary(v, keys[10], 1000),
				"rows":     db.Dialect().Rows(v, middle),
				"digest":   db.Dialect().Digest(v, middle),
				"lookup":   db.Dialect().Lookup(v, keys),
				"one":      db.Dialect().Lookup(v, keys[:1]),
				"lock":     db.Dialect().Lock(v, keys),
				"update":   db.Dialect().Update(v, wholes[:1], last),
				"updates":  db.Dialect().Update(v, wholes, last),
				"delete":   db.Dialect().Delete(v, keys[:5]),
			} {
				used := plan(t, conn, c.table, q)
				if !slices.Contains([]string{"range", "ref", "eq_ref", "const"}, used.kind) || used.key != c.index && used.rows > len(keys) || used.rows > 75_000 {
					t.Errorf("%s: %+v for %s", name, used, q.SQL)
				}
			}
		})
	}
}

type access struct {
	kind, key string
	rows      int
}

// plan is how the server means to read the table.
func plan(t *testing.T, db *sql.DB, table string, q dialect.Query) access {
	t.Helper()
	// EXPLAIN knows no SET STATEMENT around what it explains.
	explained := q.SQL
	if _, inner, found := strings.Cut(q.SQL, " FOR SELECT "); found && strings.HasPrefix(q.SQL, "SET STATEMENT ") {
		explained = "SELECT " + inner
	}
	rows, err := db.QueryContext(t.Context(), "EXPLAIN "+explained, q.Args...)
	if err != nil {
		t.Fatalf("%s: %v", q.SQL, err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var found []access
	for rows.Next() {
		cells := make([]sql.NullString, len(names))
		targets := make([]any, len(names))
		for i := range cells {
			targets[i] = &cells[i]
		}
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		line := map[string]string{}
		for i, name := range names {
			line[name] = cells[i].String
		}
		if line["table"] == table {
			n, _ := strconv.Atoi(line["rows"])
			found = append(found, access{line["type"], line["key"], n})
		}
	}
	if err := rows.Err(); err != nil || len(found) != 1 {
		t.Fatalf("%s: the plan reads %s %d times: %v", q.SQL, table, len(found), err)
	}
	return found[0]
}

// sample is every thousandth key.
func sample(t *testing.T, db *database.DB, v *schema.View) []row.Key {
	t.Helper()
	var keys []row.Key
	var after row.Key
	for len(keys) < 20 {
		key, err := db.Boundary(t.Context(), v, after, 1000)
		if err != nil || key == nil {
			t.Fatalf("boundary after %s: %v", after, err)
		}
		keys, after = append(keys, key), key
	}
	return keys
}

func inspect(t *testing.T, db *database.DB, table string, key ...string) *schema.View {
	t.Helper()
	described, err := db.Table(t.Context(), schema.Name{Table: table})
	if err != nil {
		t.Fatal(err)
	}
	v := &schema.View{Table: described}
	for _, c := range described.Columns {
		v.Columns = append(v.Columns, schema.ViewColumn{Column: c, As: c.Type})
	}
	for _, name := range key {
		p := slices.IndexFunc(described.Columns, func(c schema.Column) bool { return c.Name == name })
		if p < 0 {
			t.Fatalf("table %s has no column %s", table, name)
		}
		v.Key = append(v.Key, p)
	}
	return v
}
