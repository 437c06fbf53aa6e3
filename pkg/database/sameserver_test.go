package database

import (
	"testing"

	"github.com/trueup/trueup/internal/testenv"
)

// expectServers has databases found to be on one server, or on two.
func expectServers(t *testing.T, what string, one bool, a, b *DB) {
	t.Helper()
	for _, order := range [][2]*DB{{a, b}, {b, a}} {
		same, err := SameServer(t.Context(), order[0], order[1])
		if err != nil || same != one {
			t.Errorf("%s: on one server %v, %v", what, same, err)
		}
	}
}

func TestTwoDatabasesOfOneServerAreFoundToBe(t *testing.T) {
	mysql, postgres := openOn(t, Config{DSN: testenv.MySQL(t), ReadOnly: true}), openOn(t, Config{DSN: testenv.Postgres(t)})
	expectServers(t, "MariaDB", true, mysql, openOn(t, Config{DSN: testenv.MySQL(t)}))
	expectServers(t, "PostgreSQL", true, postgres, openOn(t, Config{DSN: testenv.Postgres(t), ReadOnly: true}))
	expectServers(t, "two engines", false, mysql, postgres)
}
