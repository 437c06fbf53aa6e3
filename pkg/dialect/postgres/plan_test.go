package postgres_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// TestStatementsUseTheKeysIndex asks the server for its plans on tables of
// 100,000 rows: a scan of the table would be the end of every promise on load.
func TestStatementsUseTheKeysIndex(t *testing.T) {
	dsn := testenv.Postgres(t)
	testenv.Exec(t, dsn,
		"CREATE TABLE by_int (id bigint PRIMARY KEY, tenant int NOT NULL, v varchar(200))",
		"CREATE INDEX ON by_int (tenant)",
		"INSERT INTO by_int SELECT i, i % 3, repeat('x', 100) FROM generate_series(1, 100000) i",
		"CREATE TABLE by_small (id integer PRIMARY KEY, v varchar(200))",
		"INSERT INTO by_small SELECT i, repeat('x', 100) FROM generate_series(1, 100000) i",
		`CREATE TABLE by_text (id int PRIMARY KEY, code varchar(20) NOT NULL, code_c text COLLATE "C" NOT NULL, padded char(12) NOT NULL, v text)`,
		"CREATE UNIQUE INDEX by_code ON by_text (code)",
		"CREATE UNIQUE INDEX by_code_c ON by_text (code_c)",
		"CREATE UNIQUE INDEX by_padded ON by_text (padded)",
		"INSERT INTO by_text SELECT i, lpad(i::text, 8, 'k'), lpad(i::text, 8, 'k'), lpad(i::text, 8, 'k'), repeat('x', 100) FROM generate_series(1, 100000) i",
		"CREATE TABLE by_many (a int, b varchar(20), c timestamptz, v text, PRIMARY KEY (a, b, c))",
		"INSERT INTO by_many SELECT i / 1000, lpad(i::text, 8, 'k'), '2024-01-01', repeat('x', 100) FROM generate_series(1, 100000) i",
		"CREATE TABLE by_other (id uuid PRIMARY KEY, b bytea NOT NULL UNIQUE, n numeric NOT NULL UNIQUE, d timestamp NOT NULL UNIQUE, v text)",
		"INSERT INTO by_other SELECT md5(i::text)::uuid, decode(md5(i::text), 'hex'), i / 8.0, timestamp '2024-01-01' + i * interval '1 second', repeat('x', 100) FROM generate_series(1, 100000) i",
		"CREATE TABLE by_shard (shard smallint, id int, v text, PRIMARY KEY (shard, id))",
		"INSERT INTO by_shard SELECT i % 3, i, repeat('x', 100) FROM generate_series(1, 100000) i",
		"VACUUM ANALYZE",
	)
	db, err := database.Open(t.Context(), database.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, c := range []struct {
		table, index, where string
		key                 []string
	}{
		{"by_int", "by_int_pkey", "", []string{"id"}},
		{"by_int", "by_int_pkey", "tenant = 1", []string{"id"}},
		{"by_small", "by_small_pkey", "", []string{"id"}},
		{"by_text", "by_code", "", []string{"code"}},
		{"by_text", "by_code_c", "", []string{"code_c"}},
		{"by_text", "by_padded", "", []string{"padded"}},
		{"by_many", "by_many_pkey", "", []string{"a", "b", "c"}},
		{"by_other", "by_other_pkey", "", []string{"id"}},
		{"by_other", "by_other_b_key", "", []string{"b"}},
		{"by_other", "by_other_n_key", "", []string{"n"}},
		{"by_other", "by_other_d_key", "", []string{"d"}},
		{"by_shard", "by_shard_pkey", "", []string{"id"}},
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
				used := plan(t, dsn, db.Dialect(), q)
				if !strings.Contains(used, c.index+" ") || !strings.Contains(used, "Index Cond") || strings.Contains(used, "Seq Scan") {
					t.Errorf("%s: %s\n%s", name, q.SQL, used)
				}
			}
		})
	}
}

// plan is how the server means to run a statement, its arguments spelled out as
// the server sees them when it plans.
func plan(t *testing.T, dsn string, d dialect.Dialect, q dialect.Query) string {
	t.Helper()
	conn, err := testenv.Open(t, dsn).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, statement := range d.Setup(false) {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	sql := q.SQL
	for i := len(q.Args); i > 0; i-- {
		literal := "NULL"
		if text, ok := q.Args[i-1].(string); ok {
			literal = "'" + strings.ReplaceAll(text, "'", "''") + "'"
		}
		sql = strings.ReplaceAll(sql, fmt.Sprintf("$%d::", i), literal+"::")
	}
	rows, err := conn.QueryContext(t.Context(), "EXPLAIN "+sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	defer rows.Close()
	var out strings.Builder
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		out.WriteString(line + "\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out.String()
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
