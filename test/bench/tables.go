package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// loading is the name of a table while it is filled. A table that bears its
// own name is complete, however the benchmark that filled it ended.
const loading = "loading"

// makeMySQL has fill make the table loading of a database and gives it its
// name. With -keep, a table whose last id is that many rows is used as it is.
func makeMySQL(ctx context.Context, o options, env services, database, table string, rows int, fill func() error) error {
	if err := env.execMySQL(ctx, "", "CREATE DATABASE IF NOT EXISTS "+database+" CHARACTER SET utf8mb4"); err != nil {
		return err
	}
	db, err := env.openMySQL(database)
	if err != nil {
		return err
	}
	defer closeQuietly(db)
	var last int
	// An error means that there is no such table, or shows again below.
	if err := db.QueryRowContext(ctx, "SELECT COALESCE(MAX(id), 0) FROM "+table).Scan(&last); err == nil && last == rows && o.usable("MariaDB", database, table) {
		return nil
	}
	progress("filling %s.%s of MariaDB with %d rows", database, table, rows)
	if err := env.execMySQL(ctx, database, "DROP TABLE IF EXISTS "+table+", "+loading); err != nil {
		return err
	}
	if err := fill(); err != nil {
		return err
	}
	o.filled["MariaDB "+database+" "+table] = true
	return env.execMySQL(ctx, database, "RENAME TABLE "+loading+" TO "+table, "ANALYZE TABLE "+table)
}

// usable says whether a table that is there may be used as it is: told so by
// -keep, or filled by this run.
func (o options) usable(engine, database, table string) bool {
	return o.keep || o.filled[engine+" "+database+" "+table]
}

// makePostgres is makeMySQL for PostgreSQL.
func makePostgres(ctx context.Context, o options, env services, database, table string, rows int, fill func(*pgx.Conn) error) error {
	if err := createPostgres(ctx, env, database); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, env.postgresDSN(database))
	if err != nil {
		return err
	}
	defer closePostgres(ctx, conn)
	var last int
	if err := conn.QueryRow(ctx, "SELECT coalesce(max(id), 0) FROM "+table).Scan(&last); err == nil && last == rows && o.usable("PostgreSQL", database, table) {
		return nil
	}
	progress("filling %s.%s of PostgreSQL with %d rows", database, table, rows)
	if _, err := conn.Exec(ctx, "DROP TABLE IF EXISTS "+table+", "+loading); err != nil {
		return err
	}
	if err := fill(conn); err != nil {
		return fmt.Errorf("PostgreSQL: fill %s: %w", table, err)
	}
	for _, statement := range []string{
		"ALTER TABLE " + loading + " RENAME TO " + table,
		"VACUUM ANALYZE " + table,
		"CHECKPOINT", // now rather than in the middle of what is measured
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	o.filled["PostgreSQL "+database+" "+table] = true
	return nil
}

// createPostgres creates a database unless it is there.
func createPostgres(ctx context.Context, env services, database string) error {
	conn, err := pgx.Connect(ctx, env.postgres)
	if err != nil {
		return err
	}
	defer closePostgres(ctx, conn)
	var present bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", database).Scan(&present); err != nil || present {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+database)
	return err
}

// copyMySQL makes the database to anew, with a copy of the table orders of the
// database from and what the statements then do to it.
func copyMySQL(ctx context.Context, env services, from, to string, statements ...string) error {
	progress("copying %s to %s of MariaDB", from, to)
	if err := env.execMySQL(ctx, "",
		"DROP DATABASE IF EXISTS "+to,
		"CREATE DATABASE "+to+" CHARACTER SET utf8mb4",
		"CREATE TABLE "+to+".orders LIKE "+from+".orders",
		"INSERT INTO "+to+".orders SELECT * FROM "+from+".orders"); err != nil {
		return err
	}
	return env.execMySQL(ctx, to, append(statements, "ANALYZE TABLE orders")...)
}

// copyPostgres is copyMySQL for PostgreSQL. Nobody may be connected to from.
func copyPostgres(ctx context.Context, env services, from, to string, statements ...string) error {
	progress("copying %s to %s of PostgreSQL", from, to)
	if err := env.execPostgres(ctx, "postgres",
		"DROP DATABASE IF EXISTS "+to,
		"CREATE DATABASE "+to+" TEMPLATE "+from); err != nil {
		return err
	}
	return env.execPostgres(ctx, to, append(statements, "VACUUM ANALYZE orders", "CHECKPOINT")...)
}

// dropCopies removes databases that a measurement made for itself.
func dropCopies(ctx context.Context, env services, mysql, postgres []string) error {
	for _, name := range mysql {
		if err := env.execMySQL(ctx, "", "DROP DATABASE IF EXISTS "+name); err != nil {
			return err
		}
	}
	for _, name := range postgres {
		if err := env.execPostgres(ctx, "postgres", "DROP DATABASE IF EXISTS "+name); err != nil {
			return err
		}
	}
	return nil
}
