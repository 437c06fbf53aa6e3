package mysql_test

import (
	"context"
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

func openDatabase(t *testing.T, statements ...string) (*database.DB, string) {
	t.Helper()
	dsn := testenv.MySQL(t)
	testenv.Exec(t, dsn, append([]string{"SET time_zone = '+00:00'"}, statements...)...)
	db, err := database.Open(t.Context(), database.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db, dsn
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

func TestACutConcatenationIsNeverDigested(t *testing.T) {
	db, dsn := openDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, v varchar(200) CHARACTER SET utf8mb4)",
		"INSERT INTO t VALUES (1, REPEAT('é', 100)), (2, REPEAT('é', 100)), (3, REPEAT('é', 100))")
	v := inspect(t, db, "t", "id")
	conn, err := testenv.Open(t, dsn).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// 3 frames of 2 + 4 + 200 + 1 bytes; a cut may fall inside a character.
	const whole = 3 * (2 + 4 + 200 + 1)
	seen := map[bool]int{}
	for limit := 4; limit < whole+40; limit++ {
		q := db.Dialect().Digest(v, row.Range{})
		if _, err := conn.ExecContext(t.Context(), "SET SESSION group_concat_max_len = ?", limit); err != nil {
			t.Fatal(err)
		}
		var rows, bytes int
		var sum *string
		if err := conn.QueryRowContext(t.Context(), q.SQL, q.Args...).Scan(&rows, &sum, &bytes); err != nil {
			t.Fatal(err)
		}
		if sum != nil && bytes != whole {
			t.Fatalf("with a limit of %d, %d of %d bytes are digested", limit, bytes, whole)
		}
		seen[sum == nil]++
	}
	if seen[false] == 0 || seen[true] == 0 {
		t.Errorf("cut and whole were seen %v times, want both", seen)
	}
}

func TestARowBeyondThePacketIsNotDigestedAsIfItWereNull(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a real server of its own, which -short leaves out")
	}
	if !testenv.HasPrivate("mysql") {
		t.Skip("needs a server of its own, whose programs are not installed here")
	}
	dsn := testenv.NewPrivate(t, "mysql", "--max-allowed-packet=4096", "--net-buffer-length=4096").URL()
	testenv.Exec(t, dsn,
		"CREATE TABLE t (id int PRIMARY KEY, a varchar(1000), b varchar(1000), c varchar(1000), d varchar(1000), e varchar(1000), long_text longtext, long_bytes longblob) CHARACTER SET utf8mb4",
		"SET @x = REPEAT('x', 1000)", "INSERT INTO t VALUES (1, @x, @x, @x, @x, @x, NULL, NULL), (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (3, 'x', 'x', 'x', 'x', 'x', 'x', 'x')",
		"INSERT INTO t (id, long_text, long_bytes) VALUES (4, REPEAT('x', 3000), REPEAT('y', 3000))",
		"UPDATE t SET long_text = REPEAT('x', 4000), long_bytes = REPEAT('y', 4000) WHERE id = 4")
	db, err := database.Open(t.Context(), database.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	v := inspect(t, db, "t", "id")
	v.Where = "id = 1"
	if d, err := db.Digest(t.Context(), v, row.Range{}); database.ClassOf(err) != dialect.ClassLimit {
		t.Errorf("the large row: %+v, %v", d, err)
	}
	v.Where = "id > 1"
	if d, err := db.Digest(t.Context(), v, row.Range{}); err != nil || d.Rows != 3 || d.Bytes < 8000 {
		t.Errorf("the rows whose large values are digested by themselves: %+v, %v", d, err)
	}
}

func TestAnUpdateStampsNothing(t *testing.T) {
	db, dsn := openDatabase(t,
		"CREATE TABLE t (id int PRIMARY KEY, v int, at datetime(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), ts timestamp NULL ON UPDATE CURRENT_TIMESTAMP)",
		"INSERT INTO t VALUES (1, 1, '2020-01-01', '2020-01-01')")
	v := inspect(t, db, "t", "id")
	if at, _ := v.Table.Column("at"); !at.OnUpdate || !at.HasDefault {
		t.Errorf("at is described as %+v", at)
	}
	v.Columns = v.Columns[:2] // the others are not mapped
	if err := write(t, db, func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Update(ctx, v, values("1", "2"), []int{1})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	testenv.Exec(t, dsn, dialect.UpdateScript(db.Dialect(), v, values("1", "3"), []int{1}))
	found, err := db.Lookup(t.Context(), inspect(t, db, "t", "id"), []row.Key{{row.Value("1")}})
	if err != nil || len(found) != 1 || string(found[0][1]) != "3" ||
		string(found[0][2]) != "2020-01-01 00:00:00.000000" || string(found[0][3]) != "2020-01-01 00:00:00.000000" {
		t.Errorf("after the update: %q, %v", found, err)
	}
}

func TestWhatTheServerWouldMakeUpIsWrittenOrRefused(t *testing.T) {
	db, _ := openDatabase(t,
		"CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, ts timestamp NOT NULL DEFAULT '2000-01-01 00:00:00', f float, i int)")
	v := inspect(t, db, "t", "id")
	insert := func(texts ...string) error {
		return write(t, db, func(ctx context.Context, tx *database.Tx) error {
			return tx.Insert(ctx, v, []row.Row{values(texts...)})
		})
	}
	if err := insert("0", "2024-01-01 00:00:00.000000", "1", "1"); err != nil {
		t.Fatal(err)
	}
	for what, r := range map[string][]string{
		"NULL in a TIMESTAMP NOT NULL": {"1", "NULL", "1", "1"},
		"NaN":                          {"2", "2024-01-01 00:00:00.000000", "NaN", "1"},
		"Infinity":                     {"3", "2024-01-01 00:00:00.000000", "Infinity", "1"},
		"infinity":                     {"4", "infinity", "1", "1"},
		"too large":                    {"5", "2024-01-01 00:00:00.000000", "1", "99999999999999999999999"},
	} {
		if err := insert(r...); database.ClassOf(err) != dialect.ClassRow {
			t.Errorf("%s: class %d, %v", what, database.ClassOf(err), err)
		}
	}
	found, err := db.Lookup(t.Context(), v, []row.Key{{row.Value("0")}})
	if n, _ := db.Count(t.Context(), v); err != nil || len(found) != 1 || n != 1 {
		t.Errorf("found %q of %d rows, %v, want id 0 alone", found, n, err)
	}
}

func TestOnlyWholeOrderedVisibleUniqueIndexesAreKeys(t *testing.T) {
	db, dsn := openDatabase(t,
		"CREATE TABLE t (id int PRIMARY KEY, a varchar(50), b int, c varchar(500), d text,"+
			" UNIQUE KEY prefix (a(10)), UNIQUE KEY plain (b), UNIQUE KEY two (b, a), KEY other (c), UNIQUE KEY hidden (c, b))")
	hide := "ALTER TABLE t ALTER INDEX hidden INVISIBLE"
	if db.Engine() == "mariadb" {
		hide = "ALTER TABLE t ALTER INDEX hidden IGNORED, ADD UNIQUE KEY hash (d)"
	}
	testenv.Exec(t, dsn, hide)
	table := inspect(t, db, "t", "id").Table
	var names []string
	for _, k := range table.Keys {
		names = append(names, k.Name)
	}
	if !slices.Equal(names, []string{"PRIMARY", "plain", "two"}) {
		t.Errorf("the keys are %v", table.Keys)
	}
	if !slices.ContainsFunc(table.Indexes, func(x []string) bool { return slices.Equal(x, []string{"c"}) }) {
		t.Errorf("the indexes are %v", table.Indexes)
	}
}

func TestJSONIsKnownWhereItIsAnotherNameForText(t *testing.T) {
	db, _ := openDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, `the ``doc` json, plain longtext)", "CREATE TRIGGER noted BEFORE INSERT ON t FOR EACH ROW SET NEW.plain = 'x'")
	table := inspect(t, db, "t", "id").Table
	if c, _ := table.Column("the `doc"); c.Type.Kind != canonical.JSON || c.Base != "json" {
		t.Errorf("described as %+v", c)
	}
	if c, _ := table.Column("plain"); c.Type.Kind != canonical.Text {
		t.Errorf("described as %+v", c)
	}
	if !slices.Equal(table.Triggers, []string{"noted"}) {
		t.Errorf("the triggers are %v", table.Triggers)
	}
}

func TestKeysOfOtherCharacterSetsAreExact(t *testing.T) {
	db, _ := openDatabase(t, "CREATE TABLE t (id varchar(40) CHARACTER SET latin1 COLLATE latin1_swedish_ci PRIMARY KEY)",
		"INSERT INTO t VALUES ('é'), ('x?'), ('ü'), ('trail')",
		"CREATE TABLE u (id char(36) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, n int)",
		"INSERT INTO u VALUES ('"+uuidUpper+"', 1), ('b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 2)")
	v := inspect(t, db, "t", "id")
	for text, there := range map[string]bool{"é": true, "e": false, "É": false, "x?": true, "x😀": false, "ü": true, "trail ": false} {
		found, err := db.Lookup(t.Context(), v, []row.Key{{row.Value(text)}})
		if err != nil || (len(found) == 1) != there {
			t.Errorf("%s: found %q, %v", text, found, err)
		}
	}
	v = inspect(t, db, "u", "id")
	v.Columns[0].As = canonical.Type{Kind: canonical.UUID}
	found, err := db.Lookup(t.Context(), v, []row.Key{{row.Value(uuidLower)}, {row.Value("b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")}})
	if err != nil || len(found) != 2 || string(found[0][0]) != uuidLower && string(found[1][0]) != uuidLower {
		t.Errorf("found %q, %v", found, err)
	}
	rows := []row.Row{values(uuidLower, "1"), values("b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "2")}
	if d, err := db.Digest(t.Context(), v, row.Range{}); err != nil || d != canonical.Digest(v.Types(), rows...) {
		t.Errorf("the digest is %+v, %v", d, err)
	}
}

// TestMixedCollationsConcatenate puts columns side by side that MySQL would not
// compare with each other.
func TestMixedCollationsConcatenate(t *testing.T) {
	db, _ := openDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, a varchar(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, b varchar(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci,"+
		" c varchar(9) CHARACTER SET latin1, d varbinary(9), e enum('é','x') CHARACTER SET latin1, f json, g double, h bit(3), i datetime(3), j varchar(9) CHARACTER SET ucs2)",
		"INSERT INTO t VALUES (1, 'é', 'ß', 'ü', X'C3', 'é', '{\"é\": 1}', 0.1, b'101', '2024-01-01', '日本')")
	v := inspect(t, db, "t", "id")
	v.Columns = slices.DeleteFunc(v.Columns, func(c schema.ViewColumn) bool { return c.Name == "g" }) // inexact
	found, err := db.Lookup(t.Context(), v, []row.Key{{row.Value("1")}})
	if err != nil || len(found) != 1 {
		t.Fatalf("found %q, %v", found, err)
	}
	if d, err := db.Digest(t.Context(), v, row.Range{}); err != nil || d != canonical.Digest(v.Types(), found...) {
		t.Errorf("the digest of %q is %+v, %v", found, d, err)
	}
	if text := strings.Join([]string{string(found[0][1]), string(found[0][2]), string(found[0][3]), string(found[0][9])}, " "); text != "é ß ü 日本" {
		t.Errorf("the texts are %s", text)
	}
}
