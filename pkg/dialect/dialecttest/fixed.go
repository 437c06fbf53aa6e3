package dialecttest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// exerciseFixed holds every statement to the rows with a view's fixed values:
// others have the same keys.
func (s *suite) exerciseFixed(t *testing.T) {
	s.exec(t, "CREATE TABLE shared (shard smallint NOT NULL, region varchar(10) NOT NULL, id int NOT NULL, n int, PRIMARY KEY (shard, region, id))",
		"INSERT INTO shared VALUES (1, 'eu', 1, 11), (1, 'eu', 2, 12), (1, 'eu', 3, 13), (1, 'us', 2, 99), (2, 'eu', 1, 21), (2, 'eu', 2, 22), (2, 'EU', 3, 23), (3, 'eu', 3, 31)")
	v := s.fixed(t, "1", "eu")
	all := s.rows(t, v, row.Range{})
	if len(all) != 3 || s.digest(t, v, row.Range{}) != canonical.Digest(v.Types(), all...) {
		t.Errorf("rows %v and the digest %+v, want three of a shard", all, s.digest(t, v, row.Range{}))
	}
	if n, err := s.db.Count(t.Context(), v); err != nil || n != 3 {
		t.Errorf("counted %d, %v, want 3", n, err)
	}
	if b, err := s.db.Boundary(t.Context(), v, key("1"), 2); err != nil || b.String() != "3" {
		t.Errorf("the second row after 1 is %s, %v, want 3", b, err)
	}
	found, err := s.db.Lookup(t.Context(), v, []row.Key{key("2"), key("3")})
	must(t, err)
	if len(found) != 2 {
		t.Errorf("looked up %v, want two rows", found)
	}
	s.exerciseFixedWrites(t, v)

	other := s.fixed(t, "2", "eu")
	rest := &schema.View{Table: v.Table, Columns: append([]schema.ViewColumn{}, v.Columns...), Key: []int{0, 1, 2}, Outside: []*schema.View{v, other}}
	if n, err := s.db.Count(t.Context(), rest); err != nil || n != 3 {
		t.Errorf("%d rows are in neither view, %v, want 3", n, err)
	}
	if b, err := s.db.Boundary(t.Context(), rest, nil, 3); err != nil || b.String() != key("3", "eu", "3").String() {
		t.Errorf("the third of them is %s, %v", b, err)
	}
	// A condition that is neither true nor false holds for no row.
	s.exec(t, "UPDATE shared SET n = NULL WHERE shard = 1 AND region = 'eu' AND id = 2")
	v.Where, other.Where = "n > 5 OR id = 0 -- nearly all", "n IS NULL OR n = 22"
	if n, err := s.db.Count(t.Context(), rest); err != nil || n != 5 {
		t.Errorf("%d rows are in neither view by their filters, %v, want 5", n, err)
	}
	rest.Outside, rest.Within = nil, []*schema.View{v, other}
	if n, err := s.db.Count(t.Context(), rest); err != nil || n != 2 {
		t.Errorf("%d rows are in one of the views, %v, want 2", n, err)
	}
}

// fixed is a view of the shared table by id.
func (s *suite) fixed(t *testing.T, shard, region string) *schema.View {
	v := s.view(t, "shared", "id")
	v.Fixed = []schema.Fixed{{ViewColumn: v.Columns[0], Value: row.Value(shard)}, {ViewColumn: v.Columns[1], Value: row.Value(region)}}
	return v
}

// exerciseFixedWrites locks and changes rows of a view, and looks whether others
// with the same keys were locked or changed.
func (s *suite) exerciseFixedWrites(t *testing.T, v *schema.View) {
	first, err := s.db.Begin(t.Context())
	must(t, err)
	defer first.Rollback()
	if held, err := first.Lock(t.Context(), v, []row.Key{key("2"), key("3")}); err != nil || len(held) != 2 {
		t.Errorf("locked %v, %v, want two rows", held, err)
	}
	second, err := s.db.Begin(t.Context())
	must(t, err)
	defer second.Rollback()
	if free, err := second.Lock(t.Context(), s.fixed(t, "2", "eu"), []row.Key{key("2")}); err != nil || len(free) != 1 {
		t.Errorf("another shard's row of the same key is locked too: %v, %v", free, err)
	}
	first.Rollback()
	second.Rollback()

	rest := &schema.View{Table: v.Table, Columns: v.Columns, Key: []int{0, 1, 2}, Outside: []*schema.View{v}}
	before := s.rows(t, rest, row.Range{})
	line := func(id, n string) row.Row { return row.Row(key("1", "eu", id, n)) }
	must(t, s.write(t, func(ctx context.Context, tx *database.Tx) error {
		if n, err := tx.UpdateAll(ctx, v, []row.Row{line("2", "0"), line("3", "0")}[:min(2, s.d.UpdateRows())], []int{3}); err != nil || n == 0 {
			return fmt.Errorf("updated %d rows: %w", n, err)
		}
		if n, err := tx.Delete(ctx, v, []row.Key{key("1"), key("4")}); err != nil || n != 1 {
			return fmt.Errorf("deleted %d rows: %w", n, err)
		}
		return tx.Insert(ctx, v, []row.Row{line("7", "17")})
	}))
	s.exec(t, dialect.UpdateScript(s.d, v, line("3", "33"), []int{3}), dialect.DeleteScript(s.d, v, key("7")))
	if mine := s.rows(t, v, row.Range{}); len(mine) != 2 || show(mine[0]) != show(line("2", "0")) || show(mine[1]) != show(line("3", "33")) {
		t.Errorf("the view's rows are %v", mine)
	}
	if after := s.rows(t, rest, row.Range{}); !slices.EqualFunc(after, before, sameRow) {
		t.Errorf("other rows were %v and are %v", before, after)
	}
}

// exerciseConstants reads columns that the table has not.
func (s *suite) exerciseConstants(t *testing.T) {
	s.exec(t, "CREATE TABLE bare (id int NOT NULL PRIMARY KEY, n int)", "INSERT INTO bare VALUES (1, 1), (2, NULL)")
	v := s.view(t, "bare", "id")
	for _, c := range []struct {
		as   canonical.Kind
		text string
	}{
		{canonical.Int, "-3"},
		{canonical.Decimal, "12.5"},
		{canonical.Bool, "1"},
		{canonical.Text, `it's \ "é" 😀 {$1} ?`},
		{canonical.Text, ""},
		{canonical.UUID, "00112233-4455-6677-8899-aabbccddeeff"},
		{canonical.Date, "2024-02-29"},
		{canonical.Time, "12:00:00.500000"},
		{canonical.Timestamp, "2024-02-29 12:00:00.000000"},
		{canonical.Instant, "2024-02-29 12:00:00.000000"},
		{canonical.Bytes, "00ff"},
		{canonical.Bytes, ""},
	} {
		column := schema.Column{Name: "constant", Base: "text", Type: canonical.Type{Kind: canonical.Text}, Generated: true}
		if c.as == canonical.Bytes {
			column.Base, column.Type.Kind = "bytes", canonical.Bytes
		}
		v.Columns = append(v.Columns, schema.ViewColumn{Column: column, As: canonical.Type{Kind: c.as}, Constant: row.Value(c.text)})
	}
	rows := s.rows(t, v, row.Range{})
	if len(rows) != 2 {
		t.Fatalf("%d rows, want 2", len(rows))
	}
	for i, c := range v.Columns {
		if c.Constant != nil && (string(rows[1][i]) != string(c.Constant) || rows[1][i] == nil) {
			t.Errorf("as %s: read %q, want %q", c.As, rows[1][i], c.Constant)
		}
	}
	if got, want := s.digest(t, v, row.Range{}), canonical.Digest(v.Types(), rows...); got != want {
		t.Errorf("the digest is %+v, want %+v", got, want)
	}
	must(t, s.write(t, func(ctx context.Context, tx *database.Tx) error {
		return tx.Insert(ctx, v, []row.Row{append(row.Row(key("3", "3")), rows[0][2:]...)})
	}))
	if n, err := s.db.Count(t.Context(), v); err != nil || n != 3 {
		t.Errorf("%d rows after an insert, %v, want 3", n, err)
	}
	if script := dialect.InsertScript(s.d, v, rows[0]); strings.Contains(script, "constant") {
		t.Errorf("a script writes a column that the table has not: %s", script)
	}
}
