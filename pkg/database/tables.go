package database

import (
	"context"

	"github.com/trueup/trueup/pkg/dialect"
)

// Tables returns the names of the tables in the connection's default schema,
// in order: those that hold rows themselves, so no views, and of a partitioned
// table the whole and not its parts.
func (db *DB) Tables(ctx context.Context) ([]string, error) {
	sql := "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' ORDER BY table_name"
	if db.Engine() == "postgres" {
		sql = "SELECT c.relname::text FROM pg_catalog.pg_class c WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema()))" +
			" AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY c.relname"
	}
	var names []string
	err := db.session(ctx, func(s session) error {
		names = nil
		lines, err := readTexts(ctx, s, dialect.Query{SQL: sql})
		for _, line := range lines {
			names = append(names, *line[0])
		}
		return err
	})
	if err != nil {
		return nil, db.fail(ctx, subject{op: "list the tables of " + db.redacted}, err)
	}
	return names, nil
}
