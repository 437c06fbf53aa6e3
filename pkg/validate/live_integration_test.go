package validate_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/chunk"
	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/governor"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/pkg/validate"
)

// engine is a real server and how it spells the test's table.
type engine struct {
	name   string
	create func(t testing.TB) string // a fresh database's URL
	table  string
}

var (
	mysql = engine{"mysql", testenv.MySQL, `CREATE TABLE orders (id BIGINT UNSIGNED PRIMARY KEY, name VARCHAR(60),
		amount DECIMAL(12,2), flag BOOLEAN, at DATETIME(6), raw VARBINARY(20)) DEFAULT CHARSET utf8mb4`}
	postgres = engine{"postgres", testenv.Postgres, `CREATE TABLE orders (id BIGINT PRIMARY KEY, name VARCHAR(60),
		amount NUMERIC(12,2), flag BOOLEAN, at TIMESTAMP(6), raw BYTEA)`}
	directions = [][2]engine{{mysql, mysql}, {mysql, postgres}, {postgres, mysql}, {postgres, postgres}}
)

// bytes spells a byte string.
func (e engine) bytes(hex string) string {
	if e.name == "postgres" {
		return `'\x` + hex + `'`
	}
	return "x'" + hex + "'"
}

func (e engine) row(id int, name string) string {
	return fmt.Sprintf("(%d,'%s',%d.50,%t,'2026-03-%02d 10:11:12.%06d',%s)",
		id, name, id, id%2 == 0, 1+id%28, id, e.bytes(fmt.Sprintf("%06x", id)))
}

func (e engine) insert(ids ...int) string {
	values := make([]string, len(ids))
	for i, id := range ids {
		values[i] = e.row(id, fmt.Sprint("Grüße ", id%97))
	}
	return "INSERT INTO orders VALUES " + strings.Join(values, ",")
}

func sequence(from, to int) []int {
	ids := make([]int, 0, to-from+1)
	for id := from; id <= to; id++ {
		ids = append(ids, id)
	}
	return ids
}

// live is a pair of tables on real servers.
type live struct {
	t                  testing.TB
	source, target     engine
	sourceURL, copyURL string
	sourceDB, copyDB   *database.DB
}

func newLive(t testing.TB, direction [2]engine) *live {
	l := &live{t: t, source: direction[0], target: direction[1]}
	l.sourceURL, l.copyURL = l.source.create(t), l.target.create(t)
	testenv.Exec(t, l.sourceURL, l.source.table)
	testenv.Exec(t, l.copyURL, l.target.table)
	l.sourceDB, l.copyDB = open(t, l.sourceURL), open(t, l.copyURL)
	return l
}

func open(t testing.TB, url string) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), database.Config{DSN: url, ReadOnly: true, MaxConns: 8, Application: "validate-test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func (l *live) pair(method schema.Method) *schema.Pair {
	l.t.Helper()
	name := schema.Name{Table: "orders"}
	source, err := l.sourceDB.Table(l.t.Context(), name)
	if err != nil {
		l.t.Fatal(err)
	}
	target, err := l.copyDB.Table(l.t.Context(), name)
	if err != nil {
		l.t.Fatal(err)
	}
	pair, err := schema.Resolve(schema.Mapping{Name: "orders", Source: name, Target: name}, source, target, method,
		schema.DigestTexts{Source: l.sourceDB.Dialect().DigestText, Target: l.copyDB.Dialect().DigestText})
	if err != nil {
		l.t.Fatal(err)
	}
	return pair
}

// findings collects what is published.
type findings struct {
	mu   sync.Mutex
	list []event.Finding
}

func (f *findings) Publish(_ context.Context, found []event.Finding) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, found...)
	return nil
}

func (f *findings) names() []string {
	names := []string{}
	for _, finding := range f.list {
		names = append(names, finding.Kind.String()+" "+finding.Key.Values().String())
	}
	slices.Sort(names)
	return names
}

func (l *live) compare(config validate.Config, run validate.Run) (validate.Verdict, *findings, error) {
	l.t.Helper()
	sourceBudget, err := governor.NewBudget("source", 4)
	if err != nil {
		l.t.Fatal(err)
	}
	targetBudget, err := governor.NewBudget("target", 4)
	if err != nil {
		l.t.Fatal(err)
	}
	found := &findings{}
	v, err := validate.New(config, validate.Ports{
		Source: l.sourceDB, Target: l.copyDB, Publisher: found, Pacer: validate.Paced(sourceBudget, targetBudget),
	})
	if err != nil {
		l.t.Fatal(err)
	}
	run.ID = "live"
	if run.Authority == event.SideUnknown {
		run.Authority = event.Source
	}
	verdict, err := v.Run(l.t.Context(), run)
	return verdict, found, err
}

func TestDamageOnRealServersIsFoundInAllDirectionsByAllMethods(t *testing.T) {
	const rows = 5000
	for _, direction := range directions {
		t.Run(direction[0].name+"-"+direction[1].name, func(t *testing.T) {
			t.Parallel()
			l := newLive(t, direction)
			testenv.Exec(t, l.sourceURL, l.source.insert(sequence(11, rows)...))
			testenv.Exec(t, l.copyURL, l.target.insert(sequence(11, rows)...))
			fixed := func(n int) chunk.SizerConfig { return chunk.SizerConfig{MinRows: n, MaxRows: n} }
			for _, method := range []schema.Method{schema.Checksum, schema.Merge, schema.Lookup} {
				run := validate.Run{Pair: l.pair(method)}
				if v, found, err := l.compare(validate.Config{}, run); err != nil || !v.Clean || v.SourceRows != rows-10 || v.TargetRows != rows-10 {
					t.Fatalf("%s of equal tables: %+v, %v, %v", method, v, found.names(), err)
				}
			}
			want := l.damage(rows)
			for _, method := range []schema.Method{schema.Checksum, schema.Merge, schema.Lookup} {
				for _, n := range []int{70, 1000, 100_000} {
					for _, confirm := range []time.Duration{0, 10 * time.Millisecond} {
						run := validate.Run{Pair: l.pair(method), Confirm: confirm}
						v, found, err := l.compare(validate.Config{Range: fixed(n), DrillRows: 100}, run)
						if err != nil || !v.Complete || v.Clean || v.Findings() != int64(len(want)) {
							t.Errorf("%s, ranges of %d: %+v, %v", method, n, v, err)
						}
						if got := found.names(); !slices.Equal(got, want) {
							t.Errorf("%s, ranges of %d: found\n%q\nwant\n%q", method, n, got, want)
						}
					}
				}
			}
			l.otherModes(want)
		})
	}
}

// damage changes the copy and returns what must be found.
func (l *live) damage(rows int) []string {
	var want, statements []string
	random := rand.New(rand.NewPCG(5, 5))
	for _, id := range random.Perm(rows - 10)[:60] {
		id += 11
		switch random.IntN(6) {
		case 0:
			statements = append(statements, fmt.Sprintf("DELETE FROM orders WHERE id = %d", id))
			want = append(want, fmt.Sprintf("target_missing %d", id))
			continue
		case 1:
			statements = append(statements, fmt.Sprintf("UPDATE orders SET name = NULL WHERE id = %d", id))
		case 2:
			statements = append(statements, fmt.Sprintf("UPDATE orders SET name = CONCAT(name, ' ') WHERE id = %d", id))
		case 3:
			statements = append(statements, fmt.Sprintf("UPDATE orders SET amount = amount + 0.01 WHERE id = %d", id))
		case 4:
			statements = append(statements, fmt.Sprintf("UPDATE orders SET at = '2026-03-01 00:00:00.000001' WHERE id = %d", id))
		case 5:
			statements = append(statements, fmt.Sprintf("UPDATE orders SET raw = %s WHERE id = %d", l.target.bytes("00ff"), id))
		}
		want = append(want, fmt.Sprintf("neq %d", id))
	}
	surplus := []int{1, 2, 9, rows + 1, rows + 700}
	statements = append(statements, l.target.insert(surplus...))
	for _, id := range surplus {
		want = append(want, fmt.Sprintf("base_missing %d", id))
	}
	testenv.Exec(l.t, l.copyURL, statements...)
	slices.Sort(want)
	return want
}

// otherModes checks the modes and the direction that the methods do not vary.
func (l *live) otherModes(want []string) {
	l.t.Helper()
	withoutMissing := slices.DeleteFunc(slices.Clone(want), func(s string) bool { return strings.HasPrefix(s, "target_missing") })
	_, found, err := l.compare(validate.Config{}, validate.Run{Pair: l.pair(schema.Checksum), Mode: validate.Reverse})
	if err != nil || !slices.Equal(found.names(), withoutMissing) {
		l.t.Errorf("reverse: %q, %v", found.names(), err)
	}
	v, found, err := l.compare(validate.Config{}, validate.Run{Pair: l.pair(schema.Checksum), Mode: validate.Count})
	if err != nil || !v.Complete || v.Clean || v.SourceRows != 4990 || len(found.list) != 0 {
		l.t.Errorf("count: %+v, %v", v, err)
	}
	// With the target as the authority, what is missing changes sides.
	turned := make([]string, len(want))
	for i, s := range want {
		turned[i] = strings.NewReplacer("target_missing", "base_missing", "base_missing", "target_missing").Replace(s)
	}
	slices.Sort(turned)
	_, found, err = l.compare(validate.Config{}, validate.Run{Pair: l.pair(schema.Checksum), Authority: event.Target})
	if err != nil || !slices.Equal(found.names(), turned) {
		l.t.Errorf("the target as authority: %q, want %q, %v", found.names(), turned, err)
	}
}

func TestATableThatGoesAwayStopsTheRunWithTheReason(t *testing.T) {
	for _, direction := range directions[:2] {
		l := newLive(t, direction)
		testenv.Exec(t, l.sourceURL, l.source.insert(sequence(1, 100)...))
		testenv.Exec(t, l.copyURL, l.target.insert(sequence(1, 100)...))
		pair := l.pair(schema.Checksum)
		testenv.Exec(t, l.copyURL, "DROP TABLE orders")
		v, found, err := l.compare(validate.Config{}, validate.Run{Pair: pair})
		var reason *database.Error
		if !errors.As(err, &reason) || v.Complete || v.Clean || len(found.list) != 0 || !strings.Contains(v.Reason, "orders") {
			t.Errorf("%s: %+v, %v", direction[1].name, v, err)
		}
	}
}
