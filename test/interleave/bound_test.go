package interleave

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// hanging is an authority whose first answer does not come.
type hanging struct {
	fix.Reader
	asked chan struct{}
	once  bool
}

func (h *hanging) Lookup(ctx context.Context, view *schema.View, keys []row.Key) ([]row.Row, error) {
	if h.once {
		return h.Reader.Lookup(ctx, view, keys)
	}
	h.once = true
	close(h.asked)
	<-ctx.Done()
	return nil, &fix.Error{Fault: fix.Transient, Err: ctx.Err()}
}

// An application that wants a row which a repair holds gets it, though the
// authority that the repair asks never answers.
func TestNobodyWaitsForAnAuthorityThatHangs(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		s.set(t, 1, 5, junk)
		config := s.config(newPoints(t))
		authority := &hanging{Reader: config.Authority, asked: make(chan struct{})}
		config.Authority = authority
		served := make(chan time.Duration, 1)
		go func() {
			<-authority.asked
			start := time.Now()
			s.copy.bring(t, 1, 4)
			served <- time.Since(start)
		}()
		if o := s.repair(t, config, 1); o.Result != event.Repaired {
			t.Errorf("%s: %s", o.Result, o.Reason)
		}
		// A second is what a repair gives the authority; see fix/round.go.
		if waited := <-served; waited > 5*time.Second {
			t.Errorf("an application waited %v for a row", waited)
		}
		s.wantEqual(t)
	})
}

// The repair holds row 1 and wants the code that an application gave to its new
// row 2; the application holds that and wants row 1. One has to give in.
func TestTheVictimOfADeadlockIsTheRepair(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		s.set(t, 1, 5, junk)
		s.authority.exec(t, "UPDATE accounts SET code = 7 WHERE id = 1")
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		tx, err := s.copy.raw.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(t.Context(), "INSERT INTO accounts (id, version, code) VALUES (2, 1, 7)"); err != nil {
			t.Fatal(err)
		}
		answer := make(chan error, 1)
		config := s.config(newPoints(t).at(afterLock, func() {
			name := s.copy.database(t)
			go func() {
				_, err := tx.ExecContext(t.Context(), "UPDATE accounts SET version = 6 WHERE id = 1 /* "+name+" */")
				if end := tx.Commit(); err == nil {
					err = end
				}
				answer <- err
			}()
			s.copy.awaitWaiter(t, name)
		}))
		if o := s.repair(t, config, 1); o.Result != event.Repaired {
			t.Errorf("%s, class %s: %s", o.Result, o.Class, o.Reason)
		}
		if err := <-answer; err != nil {
			t.Errorf("the application had to give in: %v", err)
		}
		s.wantEqual(t)
	})
}

func (s *server) database(t testing.TB) (name string) {
	t.Helper()
	query := "SELECT DATABASE()"
	if s.engine == "postgres" {
		query = "SELECT current_database()"
	}
	if err := s.raw.QueryRowContext(t.Context(), query).Scan(&name); err != nil {
		t.Error(err)
	}
	return name
}

// awaitWaiter returns once the statement that has mark in it waits for a row.
func (s *server) awaitWaiter(t testing.TB, mark string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !s.waits(t, mark) {
		if time.Now().After(deadline) {
			t.Error("nobody waits for the row")
			return
		}
	}
}

func (s *server) waits(t testing.TB, mark string) bool {
	t.Helper()
	if s.engine == "postgres" {
		var n int
		query := "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%/* " + mark + " */'"
		if err := s.raw.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
			t.Error(err)
		}
		return n > 0
	}
	var kind, name, status sql.NullString
	if err := s.raw.QueryRowContext(t.Context(), "SHOW ENGINE INNODB STATUS").Scan(&kind, &name, &status); err != nil {
		t.Error(err)
	}
	for _, transaction := range strings.Split(status.String, "---TRANSACTION") {
		if strings.Contains(transaction, "LOCK WAIT") && strings.Contains(transaction, mark) {
			return true
		}
	}
	return false
}

// lost is a sink whose first commit is done and not answered.
type lost struct {
	fix.Sink
	once *bool
}

func (l lost) Begin(ctx context.Context, keys []row.Key) (fix.Batch, error) {
	b, err := l.Sink.Begin(ctx, keys)
	if err != nil || *l.once {
		return b, err
	}
	return unanswered{b, l.once}, nil
}

type unanswered struct {
	fix.Batch
	once *bool
}

func (u unanswered) Commit(ctx context.Context) error {
	*u.once = true
	if err := u.Batch.Commit(ctx); err != nil {
		return err
	}
	return &fix.Error{Fault: fix.Transient, Reason: "the answer was lost"}
}

func TestACommitWhoseAnswerIsLostIsLookedAtAgain(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		for _, copied := range []int{junk, gone} {
			for _, now := range []int{6, gone} {
				s.empty(t)
				s.set(t, 1, 5, copied)
				p := newPoints(t).at(afterRead, func() { s.authority.bring(t, 1, now) })
				config := s.config(p)
				config.Sink = lost{config.Sink, new(bool)}
				if o := s.repair(t, config, 1); o.Result != event.Repaired {
					t.Errorf("%s: %s", o.Result, o.Reason)
				}
				s.copy.bring(t, 1, now) // the replicator comes last
				s.wantEqual(t)
			}
		}
	})
}
