package validate_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/chunk"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/governor"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/pkg/validate"
)

// at calls do once, when that many ranges have been examined.
type at struct {
	validate.NopObserver
	ranges int64
	done   atomic.Int64
	do     func()
}

func (o *at) RangeDone(validate.RangeReport) {
	if o.done.Add(1) == o.ranges {
		o.do()
	}
}

// troubled runs a comparison of ranges of 100 rows, one after the other, in
// which do happens after the third.
func (l *live) troubled(config validate.Config, pair *schema.Pair, do func()) (validate.Verdict, []string, error) {
	l.t.Helper()
	var gates [2]*governor.Budget
	for i, name := range []string{"source", "target"} {
		gate, err := governor.NewBudget(name, 4)
		if err != nil {
			l.t.Fatal(err)
		}
		gates[i] = gate
	}
	config.Threads, config.Backoff, config.Range = 1, time.Millisecond, chunk.SizerConfig{MinRows: 100, MaxRows: 100}
	found := &findings{}
	v, err := validate.New(config, validate.Ports{
		Source: l.sourceDB, Target: l.copyDB, Publisher: found, Pacer: validate.Paced(gates[0], gates[1]), Observer: &at{ranges: 3, do: do},
	})
	if err != nil {
		l.t.Fatal(err)
	}
	verdict, err := v.Run(l.t.Context(), validate.Run{ID: "troubled", Pair: pair, Authority: event.Source})
	return verdict, found.names(), err
}

// newTroubled is two tables of 2000 rows with damage near both ends.
func newTroubled(t testing.TB, direction [2]engine) (l *live, damage []string) {
	t.Helper()
	l = newLive(t, direction)
	for url, e := range map[string]engine{l.sourceURL: l.source, l.copyURL: l.target} {
		testenv.Exec(t, url, e.insert(sequence(1, 2000)...))
	}
	testenv.Exec(t, l.copyURL, "DELETE FROM orders WHERE id IN (5, 1905)")
	return l, []string{"target_missing 1905", "target_missing 5"}
}

var crossed = [][2]engine{{mysql, postgres}, {postgres, mysql}}

func TestATableAlteredUnderARunOnRealServersLeavesItIncomplete(t *testing.T) {
	cases := map[string]struct {
		mysql, postgres []string
		want            string // in the reason; empty: the run is complete
	}{
		"a type that decodes and means something else": {
			[]string{"ALTER TABLE orders MODIFY name VARCHAR(60) CHARACTER SET latin1 COLLATE latin1_swedish_ci"},
			[]string{"ALTER TABLE orders ALTER flag TYPE SMALLINT USING flag::int"},
			" was ",
		},
		"a wider text":      {[]string{"ALTER TABLE orders MODIFY name VARCHAR(90)"}, []string{"ALTER TABLE orders ALTER name TYPE VARCHAR(90)"}, ""},
		"a column added":    {[]string{"ALTER TABLE orders ADD more INT"}, []string{"ALTER TABLE orders ADD more INT"}, ""},
		"a column renamed":  {[]string{"ALTER TABLE orders RENAME COLUMN name TO title"}, []string{"ALTER TABLE orders RENAME COLUMN name TO title"}, "name"},
		"a column dropped":  {[]string{"ALTER TABLE orders DROP COLUMN flag"}, []string{"ALTER TABLE orders DROP COLUMN flag"}, "flag"},
		"the table dropped": {[]string{"DROP TABLE orders"}, []string{"DROP TABLE orders"}, "orders"},
		"the table created anew": {
			[]string{"DO SLEEP(1.1)", "CREATE TABLE anew LIKE orders", "INSERT INTO anew SELECT * FROM orders", "DROP TABLE orders", "RENAME TABLE anew TO orders"},
			[]string{"CREATE TABLE anew (LIKE orders INCLUDING ALL)", "INSERT INTO anew SELECT * FROM orders", "DROP TABLE orders", "ALTER TABLE anew RENAME TO orders"},
			"created anew",
		},
	}
	for name, c := range cases {
		for _, direction := range crossed {
			t.Run(name+" at "+direction[1].name, func(t *testing.T) {
				t.Parallel()
				l, damage := newTroubled(t, direction)
				statements := c.mysql
				if direction[1].name == postgres.name {
					statements = c.postgres
				}
				v, found, err := l.troubled(validate.Config{}, l.pair(schema.Merge), func() { testenv.Exec(t, l.copyURL, statements...) })
				if c.want == "" {
					if err != nil || !v.Complete || !slices.Equal(found, damage) {
						t.Errorf("%+v, %q, %v", v, found, err)
					}
					return
				}
				if err == nil || v.Complete || v.Clean || !strings.Contains(v.Reason, "target") || !strings.Contains(v.Reason, c.want) {
					t.Errorf("%+v, %v", v, err)
				}
				if !slices.Contains(found, "target_missing 5") {
					t.Errorf("what was found before is gone: %q", found)
				}
			})
		}
	}
}

// hanging is a row filter that never comes to an end at one row.
func (e engine) hanging(id int) string {
	if e.name == postgres.name {
		return fmt.Sprintf("(id <> %d OR pg_sleep(60) IS NULL)", id)
	}
	return fmt.Sprintf("(id <> %d OR SLEEP(60))", id)
}

func TestARangeThatTimesOutForEverIsNamedAndTheOthersAreCompared(t *testing.T) {
	for _, direction := range crossed {
		for _, method := range []schema.Method{schema.Checksum, schema.Merge} {
			t.Run(direction[0].name+" by "+method.String(), func(t *testing.T) {
				t.Parallel()
				l, damage := newTroubled(t, direction)
				pair := l.pair(method)
				pair.Source.Where = l.source.hanging(777)
				v, found, err := l.troubled(validate.Config{ReadTimeout: 400 * time.Millisecond, Attempts: 2}, pair, func() {})
				l.oneUnreadable(v, found, damage, err)
			})
		}
	}
}

// oneUnreadable checks that one range could not be read, the one that holds the
// row 777, and that everything else was found.
func (l *live) oneUnreadable(v validate.Verdict, found, damage []string, err error) {
	l.t.Helper()
	if err != nil || v.Complete || v.Clean || v.Unreadable != 1 || !slices.Equal(found, damage) {
		l.t.Fatalf("%+v, %q, %v", v, found, err)
	}
	bounds := v.UnreadableRanges[0].Range
	var after, through int
	_, _ = fmt.Sscan(string(bounds.After[0])+" "+string(bounds.Through[0]), &after, &through)
	if after >= 777 || through < 777 || through-after > 110 || !strings.Contains(v.Reason, bounds.String()) || !strings.Contains(v.Reason, "deadline exceeded") {
		l.t.Errorf("%s: %s", bounds, v.Reason)
	}
}

func TestAServerThatFallsSilentInTheMiddleOfAResultIsGivenUp(t *testing.T) {
	for _, direction := range crossed {
		t.Run(direction[0].name, func(t *testing.T) {
			t.Parallel()
			l, damage := newTroubled(t, direction)
			for _, url := range []string{l.sourceURL, l.copyURL} {
				testenv.Exec(t, url, "UPDATE orders SET name = 'swallow this and all after' WHERE id = 777")
			}
			proxy, through := testenv.NewProxy(t, l.sourceURL)
			proxy.Swallow("swallow this")
			l.sourceDB = open(t, through)
			v, found, err := l.troubled(validate.Config{ReadTimeout: 400 * time.Millisecond, Attempts: 2}, l.pair(schema.Merge), func() {})
			l.oneUnreadable(v, found, damage, err)
		})
	}
}

func TestAServerThatIsAwayForAWhileIsWaitedForAndOneThatStaysAwayIsNamed(t *testing.T) {
	for _, direction := range crossed {
		t.Run(direction[1].name, func(t *testing.T) {
			t.Parallel()
			l, damage := newTroubled(t, direction)
			proxy, through := testenv.NewProxy(t, l.copyURL)
			l.copyDB = open(t, through)
			pair := l.pair(schema.Checksum)
			var restored sync.WaitGroup
			v, found, err := l.troubled(validate.Config{Attempts: 2}, pair, func() {
				proxy.Cut()
				restored.Go(func() {
					<-time.After(1500 * time.Millisecond) // the outage
					proxy.Restore()
				})
			})
			restored.Wait()
			if err != nil || !v.Complete || !slices.Equal(found, damage) {
				t.Errorf("after an outage: %+v, %q, %v", v, found, err)
			}
			v, found, err = l.troubled(validate.Config{Patience: time.Second}, pair, proxy.Cut)
			if err == nil || v.Complete || !strings.Contains(v.Reason, "the target has not answered for 1s") || !slices.Equal(found, damage[1:]) {
				t.Errorf("without an end: %+v, %q, %v", v, found, err)
			}
		})
	}
}

// TestAServerKilledAndStartedAgainUnderARunChangesNoFinding kills a server with
// SIGKILL and starts it again while a run reads from it.
func TestAServerKilledAndStartedAgainUnderARunChangesNoFinding(t *testing.T) {
	for _, e := range []engine{mysql, postgres} {
		t.Run(e.name, func(t *testing.T) {
			if testing.Short() {
				t.Skip("needs a real server of its own, which -short leaves out")
			}
			if !testenv.HasPrivate(e.name) {
				t.Skip("needs a server of its own, whose programs are not installed here")
			}
			t.Parallel()
			server := testenv.NewPrivate(t, e.name)
			e.create = func(testing.TB) string { return server.URL() }
			l, damage := newTroubled(t, [2]engine{mysql, e})
			var restarted sync.WaitGroup
			v, found, err := l.troubled(validate.Config{Attempts: 2}, l.pair(schema.Checksum), func() {
				server.Kill()
				restarted.Go(server.Start)
			})
			restarted.Wait()
			if err != nil || !v.Complete || !slices.Equal(found, damage) {
				t.Errorf("%+v, %q, %v", v, found, err)
			}
		})
	}
}
