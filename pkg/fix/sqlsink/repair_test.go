package sqlsink_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/fix/sinktest"
	"github.com/trueup/trueup/pkg/fix/sqlsink"
	"github.com/trueup/trueup/pkg/row"
)

// each runs a test with both engines as the copy, and each engine as the
// authority where directions say so.
func each(t *testing.T, test func(t *testing.T, b *bench)) {
	for _, from := range []string{"mysql", "postgres"} {
		for _, to := range []string{"mysql", "postgres"} {
			t.Run(from+" to "+to, func(t *testing.T) {
				test(t, newBench(t, start(t, from), start(t, to), event.Source))
			})
		}
	}
}

func TestSinksKeepTheContract(t *testing.T) {
	for engine := range engines {
		t.Run(engine, func(t *testing.T) {
			sinktest.Exercise(t, func(t *testing.T) sinktest.Subject { return subject(t, start(t, engine)) })
		})
	}
}

func subject(t *testing.T, s *server) sinktest.Subject {
	b := newBench(t, s, s, event.Source)
	var orders []order
	for id := range 5 {
		orders = append(orders, order{id: id, email: fmt.Sprint("ann", id), amount: fmt.Sprint(id, ".5"), note: fmt.Sprint("n", id)})
	}
	for id := 10; id < 12; id++ {
		orders = append(orders, order{id: id, email: fmt.Sprint("bob", id), amount: fmt.Sprint(id), note: "n"})
	}
	s.insert(t, orders...)
	sink := sqlsink.New(s.db, &b.pair.Target)
	read := func(from, to int) []row.Row {
		var keys []row.Key
		for id := from; id < to; id++ {
			keys = append(keys, row.Key{row.Value(fmt.Sprint(id))})
		}
		rows, err := sink.Read(t.Context(), keys)
		if err != nil || len(rows) != to-from {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		return rows
	}
	present, absent := sorted(read(0, 5)), sorted(read(10, 12))
	s.exec(t, "DELETE FROM orders WHERE id >= 10")
	refused := absent[0].Clone()
	refused[0], refused[1] = row.Value("77"), present[2][1]
	return sinktest.Subject{
		Sink: sink, View: &b.pair.Target, Present: present, Absent: absent,
		Refused: refused, Secret: "ann2", Change: 2, Other: 6,
	}
}

func sorted(rows []row.Row) []row.Row {
	slices.SortFunc(rows, func(a, b row.Row) int { return bytes.Compare(a[0], b[0]) })
	return rows
}

func TestMixedDamageIsRepairedInEveryDirection(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		const n = 600
		var right, wrong []order
		for id := range n {
			o := order{id: id, email: fmt.Sprintf("ann%d@example.com", id), amount: fmt.Sprintf("%d.25", id), note: fmt.Sprint("a|~b", id), paid: id%2 == 0, private: "authority"}
			damaged := o
			damaged.private = fmt.Sprintf("own %d  ", id)
			switch id % 5 {
			case 0: // missing in the copy
				right = append(right, o)
			case 1: // differs
				damaged.amount, damaged.note = "-1", ""
				right, wrong = append(right, o), append(wrong, damaged)
			case 2: // the copy's alone
				wrong = append(wrong, damaged)
			default:
				right, wrong = append(right, o), append(wrong, damaged)
			}
		}
		b.source.insert(t, right...)
		b.target.insert(t, wrong...)
		before := b.target.text(t, "SELECT private FROM orders WHERE id = 1")

		var findings []event.Finding
		for id := range n {
			findings = append(findings, b.finding(id))
		}
		rand.Shuffle(n, func(i, j int) { findings[i], findings[j] = findings[j], findings[i] })
		got := b.repair(t, findings)
		wants := []event.Action{event.Insert, event.Update, event.Delete, event.NoAction, event.NoAction}
		for id := range n {
			if o := got[fmt.Sprint("f", id)]; o.Action != wants[id%5] {
				t.Errorf("row %d: %s (%s) %s", id, o.Result, o.Action, o.Reason)
			}
		}
		if columns := fmt.Sprint(got["f1"].Columns); columns != `[amount note "x"]` {
			t.Errorf("the update of row 1 wrote %s", columns)
		}
		b.wantEqual(t, n)
		if after := b.target.text(t, "SELECT private FROM orders WHERE id = 1"); after != before {
			t.Errorf("a column that is not mapped went from %q to %q", before, after)
		}
		if private := b.target.text(t, "SELECT private FROM orders WHERE id = 0"); private != "own" {
			t.Errorf("an inserted row has %q in a column that is not mapped, want its default", private)
		}
	})
}

func TestTheTargetRepairsTheSourceWhenItIsTheAuthority(t *testing.T) {
	b := newBench(t, start(t, "mysql"), start(t, "postgres"), event.Target)
	b.target.insert(t, order{id: 1, email: "a", amount: "1", note: "x"})
	b.source.insert(t, order{id: 1, email: "a", amount: "2", note: "x"}, order{id: 2, email: "b", amount: "2", note: "x"})
	got := b.repair(t, b.findings(1, 2))
	if got["f1"].Action != event.Update || got["f2"].Action != event.Delete {
		t.Errorf("%s, %s", got["f1"].Action, got["f2"].Action)
	}
	b.wantEqual(t, 3)
}

func TestARowThatIsLockedIsSkippedAndRepairedLater(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		for id := range 10 {
			b.source.insert(t, order{id: id, email: fmt.Sprint(id), amount: "1", note: "right"})
			b.target.insert(t, order{id: id, email: fmt.Sprint(id), amount: "1", note: "wrong"})
		}
		free := sync.OnceFunc(b.target.hold(t, 4))
		defer free()
		b.config.Observer = watcher{waiting: func(why error) {
			if !strings.Contains(why.Error(), "held by another") {
				return // a slow authority, which is not what this is about
			}
			right := b.target.text(t, "SELECT COUNT(*) FROM orders WHERE "+b.target.db.Dialect().Quote(`note "x"`)+" = 'right'")
			if right != "9" {
				t.Errorf("%s of 9 rows are repaired while row 4 is locked", right)
			}
			free()
		}}
		got := b.repair(t, b.findings(0, 1, 2, 3, 4, 5, 6, 7, 8, 9))
		if o := got["f4"]; o.Result != event.Repaired || o.Attempts < 2 {
			t.Errorf("row 4: %s after %d attempts", o.Result, o.Attempts)
		}
		b.wantEqual(t, 10)
	})
}

func TestAUniqueValueThatIsTakenGoesDeadAndBlocksNobody(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		var ids []int
		for id := range 30 {
			b.source.insert(t, order{id: id, email: fmt.Sprintf("ann%d", id), amount: "1", note: "x"})
			ids = append(ids, id)
		}
		b.config.Strategy = fix.Merged // deletes nothing that no finding names
		b.target.insert(t, order{id: 99, email: "ann13", amount: "1", note: "no finding names this row"})
		got := b.repair(t, b.findings(ids...))
		for _, id := range ids {
			o := got[fmt.Sprint("f", id)]
			if id != 13 && o.Result != event.Repaired {
				t.Errorf("row %d: %s %s", id, o.Result, o.Reason)
			}
		}
		o := got["f13"]
		if o.Result != event.Dead || o.Class != fix.ClassDuplicate || !strings.Contains(o.Reason, "one_email") || strings.Contains(o.Reason, "ann13") {
			t.Errorf("row 13: %s, class %s, %q", o.Result, o.Class, o.Reason)
		}
	})
}

func TestARowTheCopyRefusesGoesDeadWithoutItsValue(t *testing.T) {
	for engine := range engines {
		t.Run(engine, func(t *testing.T) {
			b := newBench(t, start(t, engine), start(t, engine), event.Source)
			b.target.exec(t, "ALTER TABLE orders ADD CONSTRAINT positive CHECK (amount > 0)")
			b.source.insert(t, order{id: 1, email: "a", amount: "-555", note: "x"}, order{id: 2, email: "b", amount: "1", note: "x"})
			got := b.repair(t, b.findings(1, 2))
			if o := got["f1"]; o.Result != event.Dead || o.Class != fix.ClassRefused || !strings.Contains(o.Reason, "positive") || strings.Contains(o.Reason, "555") {
				t.Errorf("row 1: %s, class %s, %q", o.Result, o.Class, o.Reason)
			}
			if got["f2"].Result != event.Repaired {
				t.Errorf("row 2: %s", got["f2"].Result)
			}
		})
	}
}

func TestARefusalAtCommitIsOneRowsFaultLikeAnyOther(t *testing.T) {
	b := newBench(t, start(t, "postgres"), start(t, "postgres"), event.Source)
	b.target.exec(t, "ALTER TABLE orders ADD CONSTRAINT one_amount UNIQUE (amount) DEFERRABLE INITIALLY DEFERRED")
	b.target.insert(t, order{id: 9, email: "z", amount: "7", note: "no finding names this row"})
	for id := range 5 {
		b.source.insert(t, order{id: id, email: fmt.Sprint(id), amount: fmt.Sprint(5 + id), note: "x"})
	}
	got := b.repair(t, b.findings(0, 1, 2, 3, 4))
	for name, o := range got {
		if want := name == "f2"; (o.Class == fix.ClassDuplicate) != want || (o.Result == event.Repaired) == want {
			t.Errorf("%s: %s, class %s, %q", name, o.Result, o.Class, o.Reason)
		}
	}
}

func TestADeleteThatATriggerUndoesIsNotCalledRepaired(t *testing.T) {
	b := newBench(t, start(t, "postgres"), start(t, "postgres"), event.Source)
	b.target.exec(t, `CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`)
	b.target.exec(t, "CREATE TRIGGER keep BEFORE DELETE ON orders FOR EACH ROW EXECUTE FUNCTION keep()")
	b.target.insert(t, order{id: 1, email: "a", amount: "1", note: "x"})
	if o := b.repair(t, b.findings(1))["f1"]; o.Result != event.Dead || !strings.Contains(o.Reason, "trigger") {
		t.Errorf("%s, %q", o.Result, o.Reason)
	}
}

// BenchmarkRepair updates half of its rows, inserts the other half, and reports
// how many that are a second for one Repairer.
func BenchmarkRepair(b *testing.B) {
	for _, engine := range []string{"mysql", "postgres"} {
		b.Run(engine, func(b *testing.B) {
			bench := newBench(b, start(b, engine), start(b, engine), event.Source)
			const n = 2000
			var ids []int
			var orders []order
			for id := range n {
				ids = append(ids, id)
				orders = append(orders, order{id: id, email: fmt.Sprint("ann", id), amount: "1", note: "right"})
			}
			bench.source.insert(b, orders...)
			for b.Loop() {
				b.StopTimer()
				bench.target.exec(b, "DELETE FROM orders")
				for i := range orders {
					orders[i].note = "wrong"
				}
				bench.target.insert(b, orders[:n/2]...)
				b.StartTimer()
				bench.repair(b, bench.findings(ids...))
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func TestADryRunWritesNothingAndItsScriptRepairs(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.source.insert(t,
			order{id: 1, email: "it''s; \"1\"", amount: "1", note: "back\\\\slash"},
			order{id: 2, email: "two", amount: "2.5", note: "new", paid: true})
		b.target.insert(t, order{id: 2, email: "two", amount: "2.5", note: "old"}, order{id: 3, email: "three", amount: "3", note: "x"})
		before := fmt.Sprint(b.rows(t, b.target, &b.pair.Target, 5))
		var script []string
		b.config.DryRun = true
		b.config.Script = func(statement string) { script = append(script, statement) }
		got := b.repair(t, b.findings(1, 2, 3, 4))
		if after := fmt.Sprint(b.rows(t, b.target, &b.pair.Target, 5)); after != before {
			t.Errorf("the dry run changed %s to %s", before, after)
		}
		if got["f1"].Action != event.Insert || got["f2"].Action != event.Update || got["f3"].Action != event.Delete || !got["f1"].DryRun || len(script) != 3 {
			t.Fatalf("%v, script %q", got, script)
		}
		testenv.Exec(t, b.target.dsn, append(b.target.db.Dialect().Setup(false), script...)...)
		b.wantEqual(t, 5)
	})
}

func TestALostConnectionLosesNoRepair(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		for id := range 40 {
			b.source.insert(t, order{id: id, email: fmt.Sprint(id), amount: "1", note: "right"})
		}
		waits := 0
		b.config.Observer = watcher{waiting: func(error) { waits++ }}
		b.config.Gate = gate(sync.OnceFunc(func() { b.target.killOthers(t) }))
		var ids []int
		for id := range 40 {
			ids = append(ids, id)
		}
		b.repair(t, b.findings(ids...))
		if waits == 0 {
			t.Error("the lost connection went unnoticed")
		}
		b.wantEqual(t, 40)
	})
}

// killOthers ends every connection to the test's database but its own.
func (s *server) killOthers(t testing.TB) {
	if s.engine == "postgres" {
		s.exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
		return
	}
	rows, err := s.raw.QueryContext(t.Context(), "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()")
	if err != nil {
		t.Error(err)
		return
	}
	defer rows.Close()
	var ids []int
	for rows.Next() {
		var id int
		if err := rows.Scan(&id); err != nil {
			t.Error(err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		t.Error(err)
	}
	for _, id := range ids {
		// A connection may have ended by itself meanwhile.
		_, _ = s.raw.ExecContext(t.Context(), fmt.Sprint("KILL ", id))
	}
}

func TestEveryShareOfTheBudgetIsGivenBack(t *testing.T) {
	b := newBench(t, start(t, "mysql"), start(t, "postgres"), event.Source)
	b.source.insert(t, order{id: 1, email: "a", amount: "1", note: "x"})
	var asked, out atomic.Int64
	acquire := func(ctx context.Context) (func(), error) {
		asked.Add(1)
		out.Add(1)
		return func() { out.Add(-1) }, ctx.Err()
	}
	b.config.Sink.(*sqlsink.Sink).Acquire = acquire
	b.config.Authority.(*sqlsink.Reader).Acquire = acquire
	b.repair(t, b.findings(1, 2))
	if asked.Load() < 3 || out.Load() != 0 {
		t.Errorf("asked %d times, %d shares not given back", asked.Load(), out.Load())
	}
	batch, err := b.config.Sink.Begin(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	batch.Rollback()
	batch.Rollback()
	if out.Load() != 0 {
		t.Errorf("%d shares after two rollbacks", out.Load())
	}
}

// TestABatchBeginsWhenItIsAdmitted: waiting for a database that is busy is not
// time in which rows are held, and must not make batches smaller.
func TestABatchBeginsWhenItIsAdmitted(t *testing.T) {
	b := newBench(t, start(t, "mysql"), start(t, "postgres"), event.Source)
	var admitted time.Time
	b.config.Sink.(*sqlsink.Sink).Acquire = func(context.Context) (func(), error) {
		admitted = time.Now()
		return func() {}, nil
	}
	batch, err := b.config.Sink.Begin(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer batch.Rollback()
	timed, ok := batch.(fix.Timed)
	if !ok || timed.Began().Before(admitted) {
		t.Errorf("timed %v, began before it was admitted", ok)
	}
}

// TestRepairsAndAReplicatorEndEqual has two fixers repair rows that an
// application changes at the authority and a replicator brings to the copy,
// all at the same time.
func TestRepairsAndAReplicatorEndEqual(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		const keys, versions = 20, 600
		var ids []int
		for id := range keys {
			ids = append(ids, id)
			if id%2 == 0 {
				b.target.insert(t, order{id: id, email: fmt.Sprint("junk", id), amount: "0", note: "junk"})
			}
		}
		log := make(chan order, versions)
		var all sync.WaitGroup
		all.Go(func() { // the application
			defer close(log)
			random := rand.New(rand.NewPCG(1, 2))
			for v := range versions {
				o := order{id: random.IntN(keys), amount: fmt.Sprint(v), note: fmt.Sprint("v", v), email: fmt.Sprint("e", v)}
				if random.IntN(3) == 0 {
					o.note = ""
				}
				b.source.bring(t, o)
				log <- o
			}
		})
		all.Go(func() { // the replicator
			for o := range log {
				b.target.bring(t, o)
			}
		})
		ctx, cancel := context.WithCancel(t.Context())
		var fixers sync.WaitGroup
		var rounds atomic.Int64
		for range 2 {
			r, err := fix.New(b.config)
			if err != nil {
				t.Fatal(err)
			}
			fixers.Go(func() {
				for ctx.Err() == nil {
					if _, err := r.Repair(t.Context(), b.findings(ids...)); err != nil {
						t.Error(err)
						return
					}
					rounds.Add(1)
				}
			})
		}
		all.Wait()
		cancel()
		fixers.Wait()
		t.Logf("%d repairs of %d keys while %d versions went by", rounds.Load(), keys, versions)
		b.wantEqual(t, keys)
	})
}

// bring makes a version the row of its key: the row, or none without note.
func (s *server) bring(t testing.TB, o order) {
	statement := fmt.Sprintf("DELETE FROM orders WHERE id = %d", o.id)
	note := s.db.Dialect().Quote(`note "x"`)
	if o.note != "" {
		statement = fmt.Sprintf("INSERT INTO orders (id, email, amount, %s) VALUES (%d, '%s', %s, '%s') ", note, o.id, o.email, o.amount, o.note)
		if s.engine == "postgres" {
			statement += "ON CONFLICT (id) DO UPDATE SET email = EXCLUDED.email, amount = EXCLUDED.amount, " + note + " = EXCLUDED." + note
		} else {
			statement += fmt.Sprintf("ON DUPLICATE KEY UPDATE email = VALUES(email), amount = VALUES(amount), %s = VALUES(%s)", note, note)
		}
	}
	deadline, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		_, err := s.raw.ExecContext(deadline, statement)
		if err == nil {
			return
		}
		// A deadlock victim tries again, as replicators do.
		if !strings.Contains(err.Error(), "eadlock") {
			t.Errorf("%s: %v", statement, err)
			return
		}
	}
}
