package database

import (
	"fmt"
	"os"
	"strings"
)

// Place is what a DSN says of a database without asking it. It holds no secret.
type Place struct {
	// Engine is "mysql", which may be MariaDB as well, or "postgres".
	Engine string
	// User is who logs in; empty where that is known only to the environment of the
	// services.
	User string
	// Host is host:port as the DSN has it.
	Host string
	// Database is the database's name, and Schema what holds the tables that are
	// named without one: the same for MySQL, and "public" for PostgreSQL unless the
	// DSN has a search_path.
	Database, Schema string
}

// unknown stands for a variable that is not set. No user's name holds it.
const unknown = "\x00"

// Locate reads a DSN. Variables in user and password need not be set.
func Locate(dsn string) (Place, error) {
	text, err := expandDSN(dsn, func(name string, secret bool) (string, bool) {
		value, set := os.LookupEnv(name)
		if !set && secret {
			return unknown, true
		}
		return value, set
	})
	if err != nil {
		return Place{}, err
	}
	a, err := parseDSN(text)
	if err != nil {
		return Place{}, fmt.Errorf("read the DSN: %w", err)
	}
	place := Place{Engine: "mysql", User: a.user, Host: a.host, Database: a.database, Schema: a.database}
	if strings.Contains(place.User, unknown) {
		place.User = ""
	}
	if a.mysql() {
		return place, nil
	}
	place.Engine, place.Schema = "postgres", "public"
	for _, p := range a.params {
		if first, _, _ := strings.Cut(p.value, ","); p.name == "search_path" && first != "" {
			place.Schema = strings.Trim(strings.TrimSpace(first), `"`)
		}
	}
	if place.Database == "" {
		place.Database = place.User
	}
	return place, nil
}
