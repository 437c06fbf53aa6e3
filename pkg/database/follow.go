package database

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/trueup/trueup/pkg/dialect"
)

// Follower measures how far a copy has followed its authority. It is safe for
// concurrent use.
type Follower struct {
	how string

	mu      sync.Mutex
	applied func(context.Context) (time.Time, error)
}

// How says in a few words what is measured.
func (f *Follower) How() string { return f.how }

// Applied is a moment by this machine's clock: everything that the authority
// had committed by then has been applied at the copy. It errs towards the past.
// An error means that nothing is known at the moment.
func (f *Follower) Applied(ctx context.Context) (time.Time, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.applied(ctx)
}

// Follow finds out how the copy's delay can be measured: by a heartbeat, a
// statement on the copy that gives the authority's time of the last beat
// applied; else by what the servers say of their replication. It returns nil
// when the copy is no replica as far as its server knows, and an error when the
// measure exists and cannot be taken: the heartbeat's statement is wrong, or the
// user may not ask.
func Follow(ctx context.Context, authority, replica *DB, heartbeat string) (*Follower, error) {
	var f *Follower
	switch {
	case heartbeat != "":
		b := beat{authority: authority, replica: replica, sql: heartbeat}
		f = &Follower{how: "the heartbeat", applied: b.applied}
	case authority.Engine() == "postgres" && replica.Engine() == "postgres":
		return followPostgres(ctx, authority, replica)
	case authority.Engine() != "postgres" && replica.Engine() != "postgres":
		return followMySQL(ctx, replica)
	default: // no server knows of a replicator between two engines
		return nil, nil
	}
	_, err := f.Applied(ctx)
	return f, err
}

// beat is a row that the authority writes regularly and replication carries.
type beat struct {
	authority, replica *DB
	sql                string
}

// applied brings the authority's time of the beat to this machine's clock. The
// clock is asked first and the authority's after, so that the way there makes
// the moment earlier rather than later.
func (b *beat) applied(ctx context.Context) (time.Time, error) {
	asked := time.Now()
	theirs, err := b.authority.Now(ctx)
	if err != nil {
		return time.Time{}, err
	}
	what := subject{op: "read the heartbeat at " + b.replica.redacted}
	line, err := b.replica.readLine(ctx, dialect.Query{SQL: b.sql}, 1)
	if err != nil {
		return time.Time{}, b.replica.fail(ctx, what, err)
	}
	last, err := parseBeat(line[0])
	if err != nil {
		return time.Time{}, b.replica.fail(ctx, what, err)
	}
	return last.Add(-theirs.Sub(asked)), nil
}

// beatLayouts are the times of the engines' types, and those that heartbeat
// tools write as text. Without an offset a time is UTC, as sessions are.
var beatLayouts = []string{
	"2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999Z07", "2006-01-02 15:04:05.999999999",
	"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999",
}

// parseBeat reads the time of a beat: a date and time, or seconds since 1970.
func parseBeat(text *string) (time.Time, error) {
	if text == nil {
		return time.Time{}, errors.New("the statement gives NULL: no beat has arrived; see that the heartbeat is written at the authority and replicated")
	}
	for _, layout := range beatLayouts {
		if t, err := time.Parse(layout, *text); err == nil {
			return t, nil
		}
	}
	whole, fraction, _ := strings.Cut(*text, ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("the statement gives %q, which is no time; select a timestamp in UTC, or seconds since 1970", *text)
	}
	nanos, err := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("the statement gives %q, which is no time; select a timestamp in UTC, or seconds since 1970", *text)
	}
	return time.Unix(seconds, nanos), nil
}
