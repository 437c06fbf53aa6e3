package interleave

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/trueup/trueup/pkg/event"
)

// lockTable keeps everybody from a table until free is called, as somebody does
// who alters it.
func (s *server) lockTable(t testing.TB, table string) (free func()) {
	t.Helper()
	conn, err := s.raw.Conn(context.Background())
	if err != nil {
		t.Error(err)
		return func() {}
	}
	lock, unlock := []string{"LOCK TABLES " + table + " WRITE"}, "UNLOCK TABLES"
	if s.engine == "postgres" {
		lock, unlock = []string{"BEGIN", "LOCK TABLE " + table + " IN ACCESS EXCLUSIVE MODE"}, "ROLLBACK"
	}
	for _, statement := range lock {
		if _, err := conn.ExecContext(context.Background(), statement); err != nil {
			t.Errorf("%s: %v", statement, err)
		}
	}
	return sync.OnceFunc(func() {
		_, _ = conn.ExecContext(context.Background(), unlock) // the connection ends in any case
		_ = conn.Close()
	})
}

// want has an application ask for row id, and sends how long it waited for it.
func (s *server) want(t testing.TB, id int) <-chan time.Duration {
	served := make(chan time.Duration, 1)
	go func() {
		start := time.Now()
		s.exec(t, fmt.Sprintf("SELECT id FROM accounts WHERE id = %d FOR UPDATE", id))
		served <- time.Since(start)
	}()
	return served
}

// limit is far below the half minute, or the forever, that servers wait for a
// table by themselves. The least that MySQL can wait is a second.
const limit = 3 * time.Second

// Somebody alters a table that a foreign key or a trigger of the copy needs, while
// a repair holds rows there.
func TestNobodyWaitsForARepairThatWaitsForAnotherTable(t *testing.T) {
	reach := map[string]map[string][]string{
		"a parent": {
			"mysql":    {"ALTER TABLE accounts ADD CONSTRAINT known FOREIGN KEY (code) REFERENCES others (id)"},
			"postgres": {"ALTER TABLE accounts ADD CONSTRAINT known FOREIGN KEY (code) REFERENCES others (id)"},
		},
		"a trigger's table": {
			"mysql": {"CREATE TRIGGER noted BEFORE UPDATE ON accounts FOR EACH ROW INSERT INTO notes VALUES (NEW.id)"},
			"postgres": {
				"CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO notes VALUES (NEW.id); RETURN NEW; END'",
				"CREATE TRIGGER noted BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION noted()",
			},
		},
	}
	tables := map[string]string{"a parent": "others", "a trigger's table": "notes"}
	each(t, func(t *testing.T, s *stage) {
		s.copy.exec(t, "CREATE TABLE others (id int PRIMARY KEY)")
		s.copy.exec(t, "CREATE TABLE notes (id int)")
		s.copy.exec(t, "INSERT INTO others VALUES (7)")
		for name, statements := range reach {
			t.Run(name, func(t *testing.T) {
				s.empty(t)
				s.set(t, 1, 5, junk)
				s.authority.exec(t, "UPDATE accounts SET code = 7 WHERE id = 1")
				for _, statement := range statements[s.copy.engine] {
					s.copy.exec(t, statement)
				}
				var free func()
				var served <-chan time.Duration
				config := s.config(newPoints(t).at(afterLock, func() {
					free = s.copy.lockTable(t, tables[name])
					served = s.copy.want(t, 1)
				}))
				config.Observer = waiting(func(error) { free() })
				if o := s.repair(t, config, 1); o.Result != event.Repaired {
					t.Errorf("%s, class %s: %s", o.Result, o.Class, o.Reason)
				}
				free()
				if waited := <-served; waited > limit {
					t.Errorf("an application waited %v for its row", waited)
				}
				s.wantEqual(t)
			})
		}
	})
}

// Somebody alters the copy's table itself, or the authority's.
func TestATableThatIsLockedIsWaitedForWithNothingHeld(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		for _, side := range []struct {
			name  string
			owner *server
			point string
		}{{"the copy", s.copy, beforeLock}, {"the authority", s.authority, afterLock}} {
			t.Run(side.name, func(t *testing.T) {
				s.empty(t)
				s.set(t, 1, 5, junk)
				var free func()
				var served <-chan time.Duration
				config := s.config(newPoints(t).at(side.point, func() {
					free = side.owner.lockTable(t, "accounts")
					if side.owner != s.copy {
						served = s.copy.want(t, 1)
					}
				}))
				waits := make(chan error, 1)
				config.Observer = waiting(func(why error) {
					select {
					case waits <- why:
						if served != nil {
							if waited := <-served; waited > limit {
								t.Errorf("an application waited %v for its row", waited)
							}
						}
						free()
					default:
					}
				})
				if o := s.repair(t, config, 1); o.Result != event.Repaired {
					t.Errorf("%s, class %s: %s", o.Result, o.Class, o.Reason)
				}
				if len(waits) == 0 {
					t.Error("the repair did not wait")
				}
				s.wantEqual(t)
			})
		}
	})
}
