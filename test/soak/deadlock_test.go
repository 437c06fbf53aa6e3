package main

import (
	"fmt"
	"testing"
)

// TestTheOpponentOfADeadlockIsTold has two sessions run into each other, of which
// the second is the soak's own or speaks as a fixer does.
func TestTheOpponentOfADeadlockIsTold(t *testing.T) {
	onBothEngines(t, func(t *testing.T, e engine) {
		db, _, _ := freshPair(t, e)
		must(t, db, "CREATE TABLE knots (id INT PRIMARY KEY, n INT)")
		must(t, db, "INSERT INTO knots VALUES (1, 0), (2, 0)")
		for _, second := range []opponent{others, product} {
			mark, name := ours, ""
			if second == product {
				mark, name = "/* trueup-fixer */ ", "trueup-fixer"
			}
			failed := make(chan error, 2)
			var steps [2]func(id int) error
			for i, mark := range []string{ours, mark} {
				conn, err := db.Conn(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				if e == postgres && i == 1 {
					if _, err := conn.ExecContext(t.Context(), fmt.Sprintf("SET application_name = '%s'", name)); err != nil {
						t.Fatal(err)
					}
				}
				tx, err := conn.BeginTx(t.Context(), nil)
				if err != nil {
					t.Fatal(err)
				}
				steps[i] = func(id int) error {
					_, err := tx.ExecContext(t.Context(), fmt.Sprintf("%sUPDATE knots SET n = n + 1 WHERE id = %d", mark, id))
					if id != i+1 || err != nil {
						_ = tx.Rollback() // there is nothing to keep
					}
					return err
				}
				if err := steps[i](i + 1); err != nil {
					t.Fatal(err)
				}
			}
			for i := range steps {
				go func() { failed <- steps[i](2 - i) }()
			}
			victims := 0
			for range steps {
				err := <-failed
				if !victim(err) {
					continue
				}
				victims++
				if got := db.opponentOf(t.Context(), err); got != second {
					t.Errorf("the opponent is %q, want %q", got, second)
				}
			}
			if victims != 1 {
				t.Errorf("%d victims", victims)
			}
		}
	})
}
