package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"
)

// engine is a kind of database.
type engine string

const (
	mariadb  engine = "mariadb"
	postgres engine = "postgres"
)

// spell puts the engine's placeholders in the place of question marks.
func (e engine) spell(query string) string {
	if e == mariadb {
		return query
	}
	var out strings.Builder
	n := 0
	for _, r := range query {
		if r != '?' {
			out.WriteRune(r)
			continue
		}
		n++
		out.WriteString("$" + strconv.Itoa(n))
	}
	return out.String()
}

// database is one side, as the simulation and the checks use it: past the
// proxies and without the product's code.
type database struct {
	engine engine
	url    string // that of the server, with this database
	*sql.DB
}

// createDatabase makes an empty database, in the place of one that has the name.
func createDatabase(ctx context.Context, e engine, admin, name string) (string, error) {
	db, err := open(e, admin, false)
	if err != nil {
		return "", err
	}
	defer db.Close()
	for _, statement := range []string{dropStatement(e, name), "CREATE DATABASE " + name} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return "", fmt.Errorf("%s: %w", statement, err)
		}
	}
	u, err := url.Parse(admin)
	if err != nil {
		return "", errors.New("the address of a test server is not a URL")
	}
	u.Path = "/" + name
	return u.String(), nil
}

func dropDatabase(ctx context.Context, e engine, admin, name string) error {
	db, err := open(e, admin, false)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, dropStatement(e, name))
	return err
}

func dropStatement(e engine, name string) string {
	if e == postgres {
		return "DROP DATABASE IF EXISTS " + name + " WITH (FORCE)"
	}
	return "DROP DATABASE IF EXISTS " + name
}

// open opens a database. A replicating one does not check foreign keys, as the
// engines' own appliers do not.
func open(e engine, dsn string, replicating bool) (*database, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, errors.New("the address of a test server is not a URL")
	}
	if e == postgres {
		if replicating {
			u.RawQuery = "session_replication_role=replica"
		}
		db, err := sql.Open("pgx", u.String())
		return &database{e, dsn, db}, err
	}
	config := mysql.NewConfig()
	config.User = u.User.Username()
	config.Passwd, _ = u.User.Password()
	config.Net, config.Addr, config.DBName = "tcp", u.Host, strings.TrimPrefix(u.Path, "/")
	config.InterpolateParams, config.ClientFoundRows = true, true
	if replicating {
		config.Params = map[string]string{"foreign_key_checks": "0"}
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	return &database{e, dsn, sql.OpenDB(connector)}, nil
}

// victim says whether a server chose the statement as the victim of a deadlock.
func victim(err error) bool {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return e.Number == 1213 // ER_LOCK_DEADLOCK
	}
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == "40P01" // deadlock_detected
}
