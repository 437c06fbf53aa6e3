package database

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/trueup/trueup/pkg/dialect"
)

// SameServer says whether two databases are on one server, which they load together.
// Servers on one machine are two. An error of a class that does not pass says that
// the servers do not tell.
func SameServer(ctx context.Context, a, b *DB) (bool, error) {
	if a.Engine() != b.Engine() {
		return false, nil
	}
	if a.Engine() == "postgres" {
		return sameStart(ctx, a, b)
	}
	return sameLocks(ctx, a, b)
}

// sameStart compares what a copy of a server has as well, its identifier, and what
// no two servers share beside that, the microsecond of their start.
func sameStart(ctx context.Context, a, b *DB) (bool, error) {
	same, err := sameCluster(ctx, a, b)
	if err != nil || !same {
		return false, err
	}
	var starts [2]string
	for i, db := range []*DB{a, b} {
		line, err := db.readLine(ctx, dialect.Query{SQL: "SELECT extract(epoch FROM pg_catalog.pg_postmaster_start_time())::text"}, 1)
		if err != nil {
			return false, db.fail(ctx, subject{op: "ask " + db.redacted + " when it was started"}, err)
		}
		starts[i] = *line[0]
	}
	return starts[0] == starts[1], nil
}

// sameLocks takes a lock by name in one session and looks whether it is held where
// the other database is. Names, addresses and even the identifiers of two servers may
// be alike, as those of containers and of copied data are; a lock that nobody else
// can have named is seen on one server only.
func sameLocks(ctx context.Context, a, b *DB) (same bool, err error) {
	name := "'trueup-" + rand.Text() + "'"
	err = a.session(ctx, func(s session) (err error) {
		defer func() {
			if err != nil {
				s.discard() // and the lock with it
			}
		}()
		lock := func(function string) error {
			answer, err := readTexts(ctx, s, dialect.Query{SQL: "SELECT " + function})
			if err == nil && (len(answer) != 1 || len(answer[0]) != 1 || answer[0][0] == nil || *answer[0][0] != "1") {
				err = errors.New("the server does not lock by name")
			}
			return err
		}
		if err := lock("GET_LOCK(" + name + ", 0)"); err != nil {
			return err
		}
		holder, looked := b.readLine(ctx, dialect.Query{SQL: "SELECT IS_USED_LOCK(" + name + ")"}, 1)
		if looked != nil {
			return fmt.Errorf("look for the lock at %s: %w", b.redacted, looked)
		}
		same = holder[0] != nil
		return lock("RELEASE_LOCK(" + name + ")")
	})
	if err != nil {
		return false, a.fail(ctx, subject{op: "find out whether " + a.redacted + " is on one server with " + b.redacted}, err)
	}
	return same, nil
}
