package postgres_test

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

func openDatabase(t *testing.T, statements ...string) *database.DB {
	t.Helper()
	dsn := testenv.Postgres(t)
	testenv.Exec(t, dsn, statements...)
	return connect(t, dsn)
}

func connect(t *testing.T, dsn string) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), database.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func write(t *testing.T, db *database.DB, f func(ctx context.Context, tx *database.Tx) error) error {
	t.Helper()
	tx, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if err := f(t.Context(), tx); err != nil {
		return err
	}
	return tx.Commit(t.Context())
}

func values(texts ...string) row.Row {
	r := make(row.Row, len(texts))
	for i, text := range texts {
		if text != "NULL" {
			r[i] = row.Value(text)
		}
	}
	return r
}

func TestOnlyCompleteImmediateOrderedUniqueIndexesAreKeys(t *testing.T) {
	db := openDatabase(t,
		"CREATE TABLE t (id int PRIMARY KEY, a int, b text, c int, d text COLLATE \"C\", UNIQUE (c) DEFERRABLE)",
		"CREATE UNIQUE INDEX partial ON t (a) WHERE a > 0",
		"CREATE UNIQUE INDEX expression ON t (lower(b))",
		"CREATE UNIQUE INDEX pattern ON t (b text_pattern_ops)",
		"CREATE UNIQUE INDEX collated ON t (b COLLATE \"C\")",
		"CREATE UNIQUE INDEX mixed ON t (a, c DESC)",
		"CREATE UNIQUE INDEX backwards ON t (a DESC, c DESC)",
		"CREATE UNIQUE INDEX covering ON t (d) INCLUDE (b)",
		"CREATE INDEX plain ON t (c, a)",
	)
	table := inspect(t, db, "t", "id").Table
	var names []string
	for _, k := range table.Keys {
		names = append(names, k.Name+" "+strings.Join(k.Columns, ","))
	}
	if want := []string{"t_pkey id", "backwards a,c", "covering d"}; !slices.Equal(names, want) {
		t.Errorf("the keys are %q, want %q", names, want)
	}
	if !slices.ContainsFunc(table.Indexes, func(x []string) bool { return slices.Equal(x, []string{"c", "a"}) }) {
		t.Errorf("the indexes are %v", table.Indexes)
	}
}

func TestColumnsAreDescribedDownToTheirBase(t *testing.T) {
	db := openDatabase(t,
		"CREATE DOMAIN short AS varchar(5)", "CREATE DOMAIN required AS short NOT NULL", "CREATE TYPE mood AS ENUM ('sad')",
		`CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, s serial, d required, e mood, n numeric(10,2), open numeric, ts timestamp(3), c text COLLATE "C", x text)`,
		"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
		"CREATE TRIGGER noted BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()")
	table := inspect(t, db, "t", "id").Table
	for name, holds := range map[string]func(c schema.Column) bool{
		"id": func(c schema.Column) bool {
			return c.Identity && c.AlwaysIdentity && !c.Generated && c.Base == "integer"
		},
		"s": func(c schema.Column) bool { return c.Identity && !c.AlwaysIdentity && c.HasDefault },
		"d": func(c schema.Column) bool { return c.Native == "character varying(5)" && c.Length == 5 && !c.Nullable },
		"e": func(c schema.Column) bool {
			return c.Base == "enum" && c.Native == "mood" && c.Type.Kind == canonical.Text
		},
		"n":    func(c schema.Column) bool { return c.Precision == 2 },
		"open": func(c schema.Column) bool { return c.Precision == -1 },
		"ts":   func(c schema.Column) bool { return c.Precision == 3 },
		"c":    func(c schema.Column) bool { return c.Collation == "C" && c.Charset == "utf8" },
		"x":    func(c schema.Column) bool { return c.Collation != "" && c.Collation != "default" },
	} {
		if c, found := table.Column(name); !found || !holds(c) {
			t.Errorf("%s is described as %+v", name, c)
		}
	}
	if !slices.Equal(table.Triggers, []string{"noted"}) {
		t.Errorf("the triggers are %v", table.Triggers)
	}
	v := inspect(t, db, "t", "id")
	r := values("7", "1", "abcde", "sad", "1.5", "1.5", "NULL", "x", "y")
	if err := write(t, db, func(ctx context.Context, tx *database.Tx) error { return tx.Insert(ctx, v, []row.Row{r}) }); err != nil {
		t.Fatal(err)
	}
	// Longer than the domain: refused, never cut.
	r[0], r[2] = row.Value("8"), row.Value("abcdef")
	err := write(t, db, func(ctx context.Context, tx *database.Tx) error { return tx.Insert(ctx, v, []row.Row{r}) })
	if database.ClassOf(err) != dialect.ClassRow {
		t.Errorf("a text too long gives %v", err)
	}
}

func TestTextsThatOnlyLookEqualAreNotFound(t *testing.T) {
	db := openDatabase(t, "CREATE EXTENSION citext",
		"CREATE COLLATION ignoring (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
		"CREATE TABLE padded (id char(5) PRIMARY KEY)", "INSERT INTO padded VALUES ('ab')",
		"CREATE TABLE cased (id citext PRIMARY KEY)", "INSERT INTO cased VALUES ('ab')",
		"CREATE TABLE ignored (id text COLLATE ignoring PRIMARY KEY)", "INSERT INTO ignored VALUES ('ab')",
		"CREATE TYPE mood AS ENUM ('ab', 'cd')",
		"CREATE TABLE moods (id mood PRIMARY KEY)", "INSERT INTO moods VALUES ('ab')",
		"CREATE TABLE pairs (id citext, n int, PRIMARY KEY (id, n))", "INSERT INTO pairs VALUES ('ab', 1), ('AB', 2)")
	for _, table := range []string{"padded", "cased", "ignored", "moods"} {
		v := inspect(t, db, table, "id")
		for text, there := range map[string]bool{"ab": true, "AB": false, "ab ": false, "Ab": false} {
			for _, keys := range [][]row.Key{{{row.Value(text)}}, {{row.Value(text)}, {row.Value("zz")}}} {
				found, err := db.Lookup(t.Context(), v, keys)
				if err != nil || (len(found) == 1) != there {
					t.Errorf("%s: looked up %q among %d and found %q, %v", table, text, len(keys), found, err)
				}
			}
		}
	}
	v := inspect(t, db, "pairs", "id", "n")
	found, err := db.Lookup(t.Context(), v, []row.Key{{row.Value("ab"), row.Value("1")}, {row.Value("ab"), row.Value("2")}})
	if err != nil || len(found) != 1 {
		t.Errorf("found %q, %v, want (ab, 1) alone", found, err)
	}
}

func TestAUUIDInACharacterColumnIsFoundInEitherCase(t *testing.T) {
	db := openDatabase(t, "CREATE TABLE t (id char(36) PRIMARY KEY, n int)",
		"INSERT INTO t VALUES ('"+uuidUpper+"', 1), ('b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 2)")
	v := inspect(t, db, "t", "id")
	v.Columns[0].As = canonical.Type{Kind: canonical.UUID}
	for _, keys := range [][]row.Key{{{row.Value(uuidLower)}}, {{row.Value(uuidLower)}, {row.Value("b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")}}} {
		found, err := db.Lookup(t.Context(), v, keys)
		if err != nil || len(found) != len(keys) {
			t.Errorf("found %q of %d, %v", found, len(keys), err)
		}
	}
}

func TestARowHiddenByAPolicyIsAnErrorAndNotAbsent(t *testing.T) {
	dsn := testenv.Postgres(t)
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal("the test server's address is no URL")
	}
	role := "role_" + strings.TrimPrefix(u.Path, "/")
	testenv.Exec(t, dsn, "CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1), (2)",
		"ALTER TABLE t ENABLE ROW LEVEL SECURITY", "CREATE POLICY one ON t USING (id = 1)",
		"CREATE ROLE "+role+" LOGIN PASSWORD 'policy'", "GRANT SELECT ON t TO "+role)
	admin := testenv.Open(t, dsn)
	t.Cleanup(func() {
		if _, err := admin.ExecContext(context.Background(), "DROP OWNED BY "+role+"; DROP ROLE "+role); err != nil {
			t.Errorf("drop the test's role: %v", err)
		}
	})
	u.User = url.UserPassword(role, "policy")
	db := connect(t, u.String())
	v := inspect(t, db, "t", "id")
	if found, err := db.Lookup(t.Context(), v, []row.Key{{row.Value("2")}}); database.ClassOf(err) != dialect.ClassDenied {
		t.Errorf("found %q, %v, want a refusal", found, err)
	}
}

func TestAPositionThatMayNotBeSeenIsUnknown(t *testing.T) {
	dsn := testenv.Postgres(t)
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal("the test server's address is no URL")
	}
	role := "seq_" + strings.TrimPrefix(u.Path, "/")
	testenv.Exec(t, dsn, "CREATE TABLE t (id serial PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY (START 50 INCREMENT 5))",
		"INSERT INTO t DEFAULT VALUES", "CREATE ROLE "+role+" LOGIN PASSWORD 'position'", "GRANT SELECT ON t TO "+role, "GRANT SELECT ON SEQUENCE t_n_seq TO "+role)
	admin := testenv.Open(t, dsn)
	t.Cleanup(func() {
		if _, err := admin.ExecContext(context.Background(), "DROP OWNED BY "+role+"; DROP ROLE "+role); err != nil {
			t.Errorf("drop the test's role: %v", err)
		}
	})
	for user, want := range map[*url.Userinfo][2]string{u.User: {"2", "55"}, url.UserPassword(role, "position"): {"", "55"}} {
		own := *u
		own.User = user
		table := inspect(t, connect(t, own.String()), "t", "id").Table
		if got := [2]string{table.Columns[0].Next, table.Columns[1].Next}; got != want {
			t.Errorf("as %s the positions are %q, want %q", user.Username(), got, want)
		}
	}
}

func TestAServerInAnotherEncodingDigestsUTF8(t *testing.T) {
	dsn := testenv.Postgres(t)
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal("the test server's address is no URL")
	}
	for encoding, exact := range map[string]bool{"LATIN1": true, "SQL_ASCII": false} {
		t.Run(encoding, func(t *testing.T) {
			name := strings.TrimPrefix(u.Path, "/") + "_" + strings.ToLower(encoding)
			testenv.Exec(t, dsn, "CREATE DATABASE "+name+" ENCODING '"+encoding+"' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
			t.Cleanup(func() {
				if _, err := testenv.Open(t, dsn).ExecContext(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
					t.Errorf("drop the test's database: %v", err)
				}
			})
			other := *u
			other.Path = "/" + name
			testenv.Exec(t, other.String(), "SET client_encoding = 'UTF8'", "CREATE TABLE t (id int PRIMARY KEY, v text, w varchar(9) NOT NULL)",
				"INSERT INTO t VALUES (1, 'é', 'ü'), (2, NULL, ''), (3, 'plain', '|')")
			db := connect(t, other.String())
			v := inspect(t, db, "t", "id")
			if expr, _ := db.Dialect().DigestText(v.Columns[1]); (expr != "") != exact {
				t.Fatalf("the digest text is %q", expr)
			}
			rows := []row.Row{values("1", "é", "ü"), values("2", "NULL", ""), values("3", "plain", "|")}
			found, err := db.Lookup(t.Context(), v, []row.Key{{row.Value("1")}})
			if err != nil || len(found) != 1 || string(found[0][1]) != "é" {
				t.Errorf("read %q, %v", found, err)
			}
			if !exact {
				return
			}
			if d, err := db.Digest(t.Context(), v, row.Range{}); err != nil || d != canonical.Digest(v.Types(), rows...) {
				t.Errorf("the digest is %+v, %v", d, err)
			}
		})
	}
}

// Limits on how much may be repaired are shares of the estimate, so that one of
// a table that was just filled must not be far off.
func TestATableThatWasNeverAnalyzedIsEstimatedByItsSize(t *testing.T) {
	db := openDatabase(t,
		"CREATE TABLE fresh (id BIGINT PRIMARY KEY, name TEXT, amount NUMERIC(12,2), at TIMESTAMP) WITH (autovacuum_enabled = off)",
		"INSERT INTO fresh SELECT n, 'name ' || n, n, now() FROM generate_series(1, 20000) n",
		"CREATE TABLE nothing (id BIGINT PRIMARY KEY)")
	for table, want := range map[string][2]int64{"fresh": {10_000, 40_000}, "nothing": {0, 0}} {
		found, err := db.Table(t.Context(), schema.Name{Table: table})
		if err != nil {
			t.Fatal(err)
		}
		if found.Rows < want[0] || found.Rows > want[1] {
			t.Errorf("%s has about %d rows, want %d to %d", table, found.Rows, want[0], want[1])
		}
	}
}
