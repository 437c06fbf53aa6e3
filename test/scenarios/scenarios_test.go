// Package scenarios runs every folder below it as a scenario: two tables, a
// mapping, and what a comparison must say about them. README.md tells how to
// add one; none needs code.
package scenarios

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/services/assembly"
)

// pair names the engines of the two sides.
type pair struct{ source, target string }

func (p pair) String() string { return p.source + "-" + p.target }

const (
	mysql    = "mysql"
	postgres = "postgres"
)

var pairs = []pair{{mysql, mysql}, {mysql, postgres}, {postgres, mysql}, {postgres, postgres}}

// server is one side on one engine: a database of its own.
type server struct {
	engine string
	dsn    string
	// admin runs the scripts, on one connection.
	admin  *sql.DB
	reader *database.DB
	writer *database.DB // nil at the source
}

// lane is a place where one scenario runs at a time: each side on each engine.
type lane struct{ source, target map[string]*server }

// lanes is how many scenarios run at once: while one waits for its servers
// another computes.
const lanes = 2

func TestScenarios(t *testing.T) {
	cases, err := filepath.Glob("*/expect.txt")
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatal("no folder holds an expect.txt")
	}
	free := make(chan *lane, lanes)
	for range lanes {
		free <- newLane(t)
	}
	for _, file := range cases {
		dir := filepath.Dir(file)
		t.Run(dir, func(t *testing.T) {
			t.Parallel()
			l := <-free
			defer func() { free <- l }()
			l.run(t, dir)
		})
	}
}

// TestEveryFolderIsAScenario keeps a folder from being passed over in silence.
func TestEveryFolderIsAScenario(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	known := []string{"expect.txt", "mapping.yaml"}
	for _, side := range []string{"source", "target"} {
		known = append(known, side+".sql", side+"."+mysql+".sql", side+"."+postgres+".sql")
	}
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		files, err := os.ReadDir(entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if !slices.Contains(known, f.Name()) {
				t.Errorf("%s/%s is read by nothing; a scenario has %s", entry.Name(), f.Name(), strings.Join(known, ", "))
			}
		}
		fitting := 0
		for _, p := range pairs {
			if script(t, entry.Name(), "source", p.source) != "" && script(t, entry.Name(), "target", p.target) != "" {
				fitting++
			}
		}
		if fitting == 0 {
			t.Errorf("%s fits no pair of engines: a side has no SQL", entry.Name())
		}
		if _, err := os.Stat(filepath.Join(entry.Name(), "expect.txt")); err != nil {
			t.Errorf("%s does not say what it expects: %v", entry.Name(), err)
		}
	}
}

func newLane(t *testing.T) *lane {
	t.Helper()
	l := &lane{source: map[string]*server{}, target: map[string]*server{}}
	for engine, database := range map[string]func(testing.TB) string{mysql: testenv.MySQL, postgres: testenv.Postgres} {
		l.source[engine] = newServer(t, engine, event.Source, database(t))
		l.target[engine] = newServer(t, engine, event.Target, database(t))
		l.target[engine].writer = open(t, event.Target, l.target[engine].dsn, true)
	}
	return l
}

func newServer(t *testing.T, engine string, side event.Side, dsn string) *server {
	t.Helper()
	admin := testenv.Open(t, dsn)
	admin.SetMaxOpenConns(1)
	return &server{engine: engine, dsn: dsn, admin: admin, reader: open(t, side, dsn, false)}
}

func open(t *testing.T, side event.Side, dsn string, writable bool) *database.DB {
	t.Helper()
	access := assembly.Access{Conns: connections, Application: "scenarios"}
	if writable {
		access.Writable = side
	}
	db, err := assembly.OpenSide(t.Context(), side, assembly.Database{DSN: dsn}, access)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// fresh gives a side an empty database, and undoes what a script has set: the
// connection is that of the script before.
var fresh = map[string]string{
	mysql:    "SET time_zone = DEFAULT, sql_mode = DEFAULT; DROP TABLE IF EXISTS %s",
	postgres: "RESET ALL; SET synchronous_commit = off; DROP SCHEMA public CASCADE; CREATE SCHEMA public; -- %s",
}

// load empties the database and runs the side's script.
func (s *server) load(t *testing.T, dir, script string) {
	t.Helper()
	for _, text := range []string{fmt.Sprintf(fresh[s.engine], dir), script} {
		if _, err := s.admin.ExecContext(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text[:min(len(text), 200)], err)
		}
	}
}

// script is the SQL of a side on an engine, the engine's own before the common
// one; empty when there is neither.
func script(t *testing.T, dir, side, engine string) string {
	t.Helper()
	for _, name := range []string{side + "." + engine + ".sql", side + ".sql"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			return string(text)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	return ""
}
