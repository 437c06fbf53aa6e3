package main

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/trueup/trueup/internal/testenv"
)

// freshPair returns an authority and a copy of an engine, with the tables of the
// soak and one writer's rows on both, and that writer.
func freshPair(t *testing.T, e engine) (authority, target *database, w *writer) {
	t.Helper()
	fresh := testenv.MySQL
	if e == postgres {
		fresh = testenv.Postgres
	}
	sides := make([]*database, 2)
	for i := range sides {
		db, err := open(e, fresh(t), true)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		for _, table := range tables {
			must(t, db, table.create(e))
			must(t, db, table.createLedger(e))
		}
		sides[i] = db
	}
	w = newWriter(0, 24, 7)
	if err := load(t.Context(), sides[0], sides[1], w.changes()); err != nil {
		t.Fatal(err)
	}
	return sides[0], sides[1], w
}

func must(t *testing.T, db *database, query string, args ...any) {
	t.Helper()
	result, err := db.ExecContext(t.Context(), db.engine.spell(query), args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	if n, _ := result.RowsAffected(); !strings.HasPrefix(query, "CREATE") && n == 0 {
		t.Fatalf("%s changed nothing", query)
	}
}

func onBothEngines(t *testing.T, test func(t *testing.T, e engine)) {
	for _, e := range []engine{mariadb, postgres} {
		t.Run(string(e), func(t *testing.T) { test(t, e) })
	}
}

func TestTheComparisonFindsEachPlantedDifference(t *testing.T) {
	onBothEngines(t, func(t *testing.T, e engine) {
		authority, target, w := freshPair(t, e)
		id := w.pick(tables[0], 1, (*slot).live)[0].row[0]
		rows, different, err := differences(t.Context(), authority, target)
		if err != nil || len(different) > 0 || rows == 0 {
			t.Fatalf("%d rows, before anything is planted: %v, %v", rows, different, err)
		}
		must(t, target, "UPDATE items SET note = 'x ', raw = NULL, at = NULL, weight = 1.5, amount = 2 WHERE id = ?", id)
		for _, planted := range []struct{ column, query string }{
			{"note", "UPDATE items SET note = 'x' WHERE id = ?"},
			{"note", "UPDATE items SET note = '' WHERE id = ?"},
			{"note", "UPDATE items SET note = NULL WHERE id = ?"},
			{"note", "UPDATE items SET note = 'NULL' WHERE id = ?"},
			{"raw", "UPDATE items SET raw = '' WHERE id = ?"},
			{"at", "UPDATE items SET at = '2026-01-02 03:04:05.000001' WHERE id = ?"},
			{"weight", "UPDATE items SET weight = 1.625 WHERE id = ?"},
			{"amount", "UPDATE items SET amount = 2.000001 WHERE id = ?"},
			{"paid", "UPDATE items SET paid = NOT paid WHERE id = ?"},
			{"place", "UPDATE items SET place = 4711 WHERE id = ?"},
			{"version", "UPDATE items SET version = version + 1 WHERE id = ?"},
		} {
			must(t, authority, "DELETE FROM items WHERE id = ?", id)
			copyRow(t, target, authority, id)
			must(t, target, planted.query, id)
			if _, different, err := differences(t.Context(), authority, target); err != nil || len(different) != 1 {
				t.Errorf("%s: found %v, %v", planted.query, different, err)
			}
		}
		must(t, target, "DELETE FROM items WHERE id = ?", id)
		must(t, target, "INSERT INTO parents (id, version) VALUES (?, 1)", int64(firstExtra))
		_, different, err = differences(t.Context(), authority, target)
		if err != nil || len(different) != 2 || !strings.Contains(different[0], "the copy lacks it") || !strings.Contains(different[1], "only the copy") {
			t.Errorf("a lost row and one made up: %v, %v", different, err)
		}
	})
}

// copyRow brings an item to the other side as it is.
func copyRow(t *testing.T, from, to *database, id any) {
	t.Helper()
	row := make([]any, len(tables[0].columns))
	targets := make([]any, len(row))
	for i := range row {
		targets[i] = &row[i]
	}
	columns := join(tables[0].names(tables[0].columns))
	if err := from.QueryRowContext(t.Context(), from.engine.spell("SELECT "+columns+" FROM items WHERE id = ?"), id).Scan(targets...); err != nil {
		t.Fatal(err)
	}
	must(t, to, "INSERT INTO items ("+columns+") VALUES ("+marks(len(row))+")", row...)
}

// bring has a change go the way that a lane takes.
func bring(t *testing.T, authority, target *database, changes ...change) {
	t.Helper()
	err := inTransaction(t.Context(), authority, func(tx *sql.Tx) error {
		_, err := apply(t.Context(), tx, authority.engine, changes, false)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	l := &lane{db: target, tally: &replicated{}}
	if err := l.bring(t.Context(), transaction{changes: changes}); err != nil {
		t.Fatal(err)
	}
}

// TestWritersAndReplicatorsAloneKeepBothSidesEqual plays many transactions with
// nobody else about: what the soak finds is then not of its own making.
func TestWritersAndReplicatorsAloneKeepBothSidesEqual(t *testing.T) {
	onBothEngines(t, func(t *testing.T, e engine) {
		authority, target, w := freshPair(t, e)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		stream := make(chan transaction, 1)
		done := map[string]int{}
		w.db, w.out = authority, stream
		w.counted = func(operation string, _ int) {
			if done[operation]++; len(done) == len(operations) && slices.Min(slices.Collect(maps.Values(done))) >= 8 {
				stop()
			}
		}
		l := &lane{db: target, random: options{}.random("test", 0), in: stream, tally: &replicated{}}
		both := crew{giveUp: stop}
		both.do(func() error { return w.run(ctx) })
		both.do(func() error {
			for tx := range stream {
				if err := l.bring(t.Context(), tx); err != nil {
					return err
				}
			}
			return nil
		})
		if err := both.wait(); err != nil {
			t.Fatal(err)
		}
		if _, different, err := differences(t.Context(), authority, target); err != nil || len(different) > 0 {
			t.Errorf("%v\n%s", err, strings.Join(different, "\n"))
		}
		if strange, err := untouched(t.Context(), authority, []*writer{w}); err != nil || len(strange) > 0 {
			t.Errorf("%v\n%s", err, strings.Join(strange, "\n"))
		}
		if removed := l.tally.removed.Load(); removed > 0 {
			t.Errorf("the replicator removed %d rows of a copy that nobody damaged", removed)
		}
		must(t, authority, "UPDATE parents SET version = version + 1 WHERE id = ?", w.pick(tableOf("parents"), 1, (*slot).live)[0].row[0])
		if strange, err := untouched(t.Context(), authority, []*writer{w}); err != nil || len(strange) != 1 {
			t.Errorf("somebody wrote to the authority, and was not seen: %v, %v", strange, err)
		}
	})
}

func TestTheReplicatorGoesOnOverARowInTheWay(t *testing.T) {
	onBothEngines(t, func(t *testing.T, e engine) {
		_, target, w := freshPair(t, e)
		next := at(w.pick(tables[0], 1, (*slot).live)[0].next(), place{"fresh", 99, 99})
		must(t, target, "INSERT INTO items (id, version, code, shelf, place, paid) VALUES (?, 0, 'fresh', 98, 98, FALSE)", int64(firstExtra))
		l := &lane{db: target, tally: &replicated{}}
		if err := l.bring(t.Context(), transaction{changes: []change{next}}); err != nil {
			t.Fatal(err)
		}
		if l.tally.removed.Load() != 1 {
			t.Errorf("%d rows removed", l.tally.removed.Load())
		}
	})
}
