package mysql_test

import (
	"context"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/row"
)

// A value that its column would round comes as a text among numbers. It must
// not reach the rows that are written beside it.
func TestAValueThatDoesNotFitReachesNoOtherRow(t *testing.T) {
	db, _ := openDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, n int)", "INSERT INTO t VALUES (1, 10), (2, 20), (3, 30)")
	v := inspect(t, db, "t", "id")
	v.Columns[1].As = canonical.Type{Kind: canonical.Decimal}
	err := write(t, db, func(ctx context.Context, tx *database.Tx) error {
		n, err := tx.UpdateAll(ctx, v, []row.Row{values("1", "11"), values("2", "1.5"), values("3", "31")}, []int{1})
		if err == nil && n == 3 {
			t.Error("all rows count as written")
		}
		return err
	})
	rows, readErr := db.Lookup(t.Context(), v, []row.Key{values("1").Key([]int{0}), values("3").Key([]int{0})})
	if readErr != nil || len(rows) != 2 {
		t.Fatalf("rows %q, %v", rows, readErr)
	}
	for _, r := range rows {
		before, after := string(r[0])+"0", string(r[0])+"1"
		if text := string(r[1]); text != before && text != after {
			t.Errorf("row %s holds %s, another row's value (update: %v)", r[0], text, err)
		}
	}
}
