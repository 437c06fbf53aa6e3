package database

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/trueup/trueup/pkg/dialect"
)

// followPostgres measures by positions in the authority's log, which needs no
// clock: a standby tells up to where it has replayed, and the authority's slot
// how far a subscriber has confirmed.
func followPostgres(ctx context.Context, authority, replica *DB) (*Follower, error) {
	what := subject{op: "ask " + replica.redacted + " whether it is a replica"}
	standby, err := replica.readLine(ctx, dialect.Query{SQL: "SELECT pg_is_in_recovery()::text"}, 1)
	if err != nil {
		return nil, replica.fail(ctx, what, err)
	}
	if *standby[0] == "true" {
		same, err := sameCluster(ctx, authority, replica)
		if err != nil || !same {
			return nil, err
		}
		t := &trail{authority: authority, reached: func(ctx context.Context, position string) (bool, error) {
			return replica.holds(ctx, "SELECT (pg_last_wal_replay_lsn() >= '"+position+"')::text")
		}}
		return &Follower{how: "the standby's replay position", applied: t.applied}, t.mark(ctx)
	}
	slots, err := subscriptions(ctx, authority, replica)
	if err != nil || slots == "" {
		return nil, err
	}
	t := &trail{authority: authority, reached: func(ctx context.Context, position string) (bool, error) {
		// A table that is still being copied has a slot of its own, and the
		// subscription's runs ahead of it.
		if copied, err := replica.holds(ctx, allCopied); err != nil || !copied {
			return false, err
		}
		return authority.holds(ctx, "SELECT bool_and(active AND confirmed_flush_lsn >= '"+position+
			"')::text FROM pg_catalog.pg_replication_slots WHERE slot_name IN ("+slots+")")
	}}
	return &Follower{how: "the subscription's slot", applied: t.applied}, t.mark(ctx)
}

// ofThisDatabase chooses the enabled subscriptions of the database, and allCopied
// asks whether the first copy of all their tables is done (state "r": PostgreSQL
// manual, "pg_subscription_rel").
const (
	ofThisDatabase = "subenabled AND subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())"
	allCopied      = "SELECT (NOT EXISTS (SELECT FROM pg_catalog.pg_subscription_rel r JOIN pg_catalog.pg_subscription s ON s.oid = r.srsubid WHERE " +
		ofThisDatabase + " AND r.srsubstate <> 'r'))::text"
)

// sameCluster says whether one server is a physical copy of the other.
func sameCluster(ctx context.Context, a, b *DB) (bool, error) {
	var identifiers [2]string
	for i, db := range []*DB{a, b} {
		line, err := db.readLine(ctx, dialect.Query{SQL: "SELECT system_identifier::text FROM pg_catalog.pg_control_system()"}, 1)
		if err != nil {
			return false, db.fail(ctx, subject{op: "identify " + db.redacted}, err)
		}
		identifiers[i] = *line[0]
	}
	return identifiers[0] == identifiers[1], nil
}

// subscriptions are the authority's slots, as SQL literals, that subscriptions
// of the copy's database read from; empty when there are none.
func subscriptions(ctx context.Context, authority, replica *DB) (string, error) {
	names, err := replica.lines(ctx, "SELECT subslotname::text FROM pg_catalog.pg_subscription WHERE subslotname IS NOT NULL AND "+ofThisDatabase)
	if err != nil {
		return "", replica.fail(ctx, subject{op: "ask " + replica.redacted + " for its subscriptions"}, err)
	}
	present, err := authority.lines(ctx, "SELECT slot_name::text FROM pg_catalog.pg_replication_slots WHERE slot_type = 'logical' AND database = current_database()")
	if err != nil {
		return "", authority.fail(ctx, subject{op: "ask " + authority.redacted + " for its replication slots"}, err)
	}
	known := map[string]bool{}
	for _, name := range present {
		known[name] = true
	}
	var slots []string
	for _, name := range names {
		if known[name] { // lower case letters, digits and _ (PostgreSQL manual, "Replication Slots")
			slots = append(slots, "'"+name+"'")
		}
	}
	return strings.Join(slots, ", "), nil
}

// trail remembers when the authority's log stood where, until the copy gets
// there.
type trail struct {
	authority *DB
	reached   func(ctx context.Context, position string) (bool, error)
	marks     []mark
	last      time.Time
}

type mark struct {
	at       time.Time
	position string
}

// trailSteps is the precision of a trail: the distance of its marks is at least
// this share of its length. So a delay is known to about two per cent, and a
// trail of days holds some hundred marks. A mark left out makes the moment
// earlier and never later.
const trailSteps = 64

var logPosition = regexp.MustCompile(`^[0-9A-F]+/[0-9A-F]+$`)

// applied is the moment of the last mark that the copy has reached. Everything
// committed by a mark's moment lies before its position.
func (t *trail) applied(ctx context.Context) (time.Time, error) {
	if err := t.mark(ctx); err != nil {
		return time.Time{}, err
	}
	return t.advance(ctx)
}

// mark notes where the authority's log stands.
func (t *trail) mark(ctx context.Context) error {
	now := time.Now()
	line, err := t.authority.readLine(ctx, dialect.Query{SQL: "SELECT pg_current_wal_insert_lsn()::text"}, 1)
	if err == nil && (line[0] == nil || !logPosition.MatchString(*line[0])) {
		err = errors.New("the server gives no position of its log")
	}
	if err != nil {
		return t.authority.fail(ctx, subject{op: "ask " + t.authority.redacted + " for the position of its log"}, err)
	}
	t.add(mark{now, *line[0]})
	return nil
}

func (t *trail) add(m mark) {
	if n := len(t.marks); n > 0 && m.at.Sub(t.marks[n-1].at) < m.at.Sub(t.marks[0].at)/trailSteps {
		return
	}
	t.marks = append(t.marks, m)
}

// advance takes the marks reached off the trail, by bisection: when the newest
// is reached, which is usual, it asks once.
func (t *trail) advance(ctx context.Context) (time.Time, error) {
	low, high := 0, len(t.marks) // marks before low are reached, those from high on are not
	for probe := high - 1; low < high; probe = (low + high) / 2 {
		reached, err := t.reached(ctx, t.marks[probe].position)
		if err != nil {
			return time.Time{}, err
		}
		if !reached {
			high = probe
			continue
		}
		low = probe + 1
	}
	if low > 0 {
		t.last = t.marks[low-1].at
		t.marks = append(t.marks[:0], t.marks[low:]...)
	}
	if t.last.IsZero() {
		return time.Time{}, errors.New("the copy has not reached the position at which the authority's log stood when it was first asked")
	}
	return t.last, nil
}

// holds runs a query that gives one truth value; NULL is no.
func (db *DB) holds(ctx context.Context, sql string) (bool, error) {
	line, err := db.readLine(ctx, dialect.Query{SQL: sql}, 1)
	if err != nil {
		return false, db.fail(ctx, subject{op: "ask " + db.redacted + " how far replication is"}, err)
	}
	return line[0] != nil && *line[0] == "true", nil
}

// lines runs a query that gives texts in one column.
func (db *DB) lines(ctx context.Context, sql string) ([]string, error) {
	var out []string
	err := db.session(ctx, func(s session) error {
		out = nil
		rows, err := readTexts(ctx, s, dialect.Query{SQL: sql})
		for _, line := range rows {
			if len(line) != 1 || line[0] == nil {
				return fmt.Errorf("%q gives something else than texts in one column", sql)
			}
			out = append(out, *line[0])
		}
		return err
	})
	return out, err
}
