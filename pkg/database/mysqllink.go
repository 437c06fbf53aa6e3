package database

import (
	"context"
	"database/sql/driver"
	"fmt"
	"io"
	"slices"

	"github.com/trueup/trueup/pkg/dialect"
)

// mysqlLink is one physical connection, with the statements it has prepared.
type mysqlLink struct {
	driver.Conn
	// tap is the connection as rows can be taken from it; nil where they can not.
	tap *tap
	// tag stands as a comment before every statement: it tells an operator who
	// asks, and finds the statement again when it has to be stopped.
	tag        string
	statements []mysqlStatement // most recently used first
}

type mysqlStatement struct {
	sql  string
	stmt driver.Stmt
}

// keptStatements is how many prepared statements a connection keeps. Ranges and
// repairs repeat a handful of texts; the server counts all of them against
// max_prepared_stmt_count, 16,382 by default.
const keptStatements = 16

// prepare returns the statement for a text; keep gives it back.
func (l *mysqlLink) prepare(ctx context.Context, sql string) (driver.Stmt, error) {
	for i, s := range l.statements {
		if s.sql == sql {
			l.statements = slices.Delete(l.statements, i, i+1)
			return s.stmt, nil
		}
	}
	// Room is made here and not in keep: closing a statement while rows are
	// under way would put a message between them.
	if n := len(l.statements); n >= keptStatements {
		_ = l.statements[n-1].stmt.Close()
		l.statements = l.statements[:n-1]
	}
	preparer, ok := l.Conn.(driver.ConnPrepareContext)
	if !ok {
		return nil, fmt.Errorf("%T cannot prepare statements", l.Conn)
	}
	return preparer.PrepareContext(ctx, l.tag+sql)
}

func (l *mysqlLink) keep(sql string, stmt driver.Stmt) {
	l.statements = slices.Insert(l.statements, 0, mysqlStatement{sql, stmt})
}

func (l *mysqlLink) query(ctx context.Context, q dialect.Query) (driver.Rows, error) {
	stmt, err := l.prepare(ctx, q.SQL)
	if err != nil {
		return nil, err
	}
	runner, ok := stmt.(driver.StmtQueryContext)
	if !ok {
		return nil, fmt.Errorf("%T cannot query", stmt)
	}
	rows, err := runner.QueryContext(ctx, named(q.Args))
	if err != nil {
		_ = stmt.Close()
		return nil, err
	}
	l.keep(q.SQL, stmt)
	return rows, nil
}

func (l *mysqlLink) exec(ctx context.Context, q dialect.Query) (int64, error) {
	stmt, err := l.prepare(ctx, q.SQL)
	if err != nil {
		return 0, err
	}
	runner, ok := stmt.(driver.StmtExecContext)
	if !ok {
		return 0, fmt.Errorf("%T cannot execute", stmt)
	}
	result, err := runner.ExecContext(ctx, named(q.Args))
	if err != nil {
		_ = stmt.Close()
		return 0, err
	}
	l.keep(q.SQL, stmt)
	return result.RowsAffected()
}

// ask reads the few rows of a statement of this package's own.
func (l *mysqlLink) ask(ctx context.Context, sql string, args ...any) ([][]string, error) {
	rows, err := l.query(ctx, dialect.Query{SQL: sql, Args: args})
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	values := make([]driver.Value, len(rows.Columns()))
	var out [][]string
	for {
		if err := rows.Next(values); err == io.EOF { //nolint:errorlint // database/sql/driver.Rows: the bare value marks the end
			return out, nil
		} else if err != nil {
			return nil, err
		}
		line := make([]string, len(values))
		for i, v := range values {
			var raw dialect.Raw
			if err := rawFromMySQL(&raw, v); err != nil {
				return nil, err
			}
			line[i] = rawText(raw)
		}
		out = append(out, line)
	}
}

func (l *mysqlLink) command(ctx context.Context, sql string) error {
	runner, ok := l.Conn.(driver.ExecerContext)
	if !ok {
		return fmt.Errorf("%T cannot execute", l.Conn)
	}
	_, err := runner.ExecContext(ctx, sql, nil)
	return err
}

func named(args []any) []driver.NamedValue {
	out := make([]driver.NamedValue, len(args))
	for i, a := range args {
		out[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	return out
}

// ResetSession implements driver.SessionResetter: a connection the server has
// closed meanwhile is found out before it is used.
func (l *mysqlLink) ResetSession(ctx context.Context) error {
	if r, ok := l.Conn.(driver.SessionResetter); ok {
		return r.ResetSession(ctx)
	}
	return nil
}

// IsValid implements driver.Validator.
func (l *mysqlLink) IsValid() bool {
	v, ok := l.Conn.(driver.Validator)
	return !ok || v.IsValid()
}
