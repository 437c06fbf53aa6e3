package validate

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// An incremental run reads the authority's rows in the order in which a column
// says that they changed, from where it stopped up to a horizon. Behind the
// horizon nothing may appear any more, and that is what makes it safe to move
// on: a row gets its time when it is written, and is seen when its transaction
// commits, which may be much later. So the horizon never passes the start of
// the oldest transaction that is open at the authority.
//
// What the column does not tell is not seen here: deleted rows, rows written
// without setting it, or with an earlier time than that of their writing. Full
// and reverse runs see them.

// ChangeReader reads what an incremental run needs of the authority. What
// Reader says of completed reads and errors holds here as well.
type ChangeReader interface {
	// Changes returns at most n rows of a view whose key begins with a time, in
	// key order: those behind the key after (nil: all) with times from from on
	// and before until.
	Changes(ctx context.Context, v *schema.View, after row.Key, from, until time.Time, n int) ([]row.Row, error)
	// OpenTransactions tells of those that may still write, and the clock.
	OpenTransactions(ctx context.Context) (schema.OpenTransactions, error)
	// Count counts the rows of a view.
	Count(ctx context.Context, v *schema.View) (int64, error)
	// During is the condition that a column lies in a stretch of time, in the
	// engine's SQL: a zero time leaves that end open, two ask for NULL.
	During(c schema.Column, from, until time.Time) string
}

// Progress keeps how far a stream has come. Load returns nil when nothing is
// kept. Save returns when it is durable; verified is for people to read.
type Progress interface {
	Load(ctx context.Context) ([]byte, error)
	Save(ctx context.Context, position []byte, verified time.Time) error
}

// ByChange is what an incremental run needs beyond what every run does.
type ByChange struct {
	schema.Changes
	Reader   ChangeReader
	Progress Progress
	// Next is when to look again.
	Next func(time.Time) time.Time
	// Settle is how old a change is before it is looked at: longer than a
	// transaction needs to show among the open ones, and a copy usually to follow.
	Settle time.Duration
	// Margin takes the place of the oldest transaction where those cannot be
	// seen: no transaction may last longer.
	Margin time.Duration
	// Verified is told how far the run has come; it must not block.
	Verified func(Verified)
}

// Verified says up to when the rows changed at the authority were looked at:
// they agree, or findings were published of them.
type Verified struct {
	Pair string
	// Since and Until bound the changes, by the authority's clock. Since is
	// zero when the run does not know when it was started first.
	Since, Until time.Time
	// Behind is how far Until is behind the authority's clock at the moment At
	// of this machine's.
	Behind time.Duration
	At     time.Time
	// Held says what keeps Until back; empty for nothing but the settling.
	Held string
}

// incremental is such a run at work.
type incremental struct {
	*stream
	ByChange
	position    changed
	fingerprint string
	// horizon is the last one, and seen the authority's clock then, at the
	// moment looked of this machine's.
	horizon, seen, looked time.Time
	told, blind           bool // what was said already
	nextOddities          time.Time
	kept                  time.Time // when the position was saved last

	mu  sync.Mutex
	hot map[string]row.Key
}

// Incremental runs until ctx ends or something has to be started anew; it never
// returns nil.
func (v *Validator) Incremental(ctx context.Context, spec Run, by ByChange) error {
	spec.Mode = Incremental
	i := &incremental{ByChange: by, hot: map[string]row.Key{}}
	s, err := v.newStream(ctx, spec, i.requeue)
	if err != nil {
		return err
	}
	i.stream = s
	if i.fingerprint, err = fingerprint(s.aspects()); err != nil {
		return err
	}
	if err := i.load(ctx); err != nil {
		return err
	}
	return s.flow(ctx, i.produce, i.keep)
}

// requeue has a row looked at once more that changed while it was looked at,
// whether or not the column tells of it.
func (i *incremental) requeue(key row.Key) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.hot[key.ID()] = key
}

func (i *incremental) takeHot() []row.Key {
	i.mu.Lock()
	defer i.mu.Unlock()
	var keys []row.Key
	for _, key := range i.hot {
		keys = append(keys, key)
	}
	clear(i.hot)
	return keys
}

// unindexedShare is how much longer than a look the pause behind it is where no
// index serves, so that scans of the table take a twentieth of the time.
const unindexedShare = 19

func (i *incremental) produce(ctx context.Context) error {
	if !i.Indexed {
		i.observer.Warn(i.spec.Pair.Name, fmt.Sprintf("%s has no index that begins with %s: every look for changes scans the table, and looks are %d times as far apart as they take; create one there",
			i.View.Table.Name, i.View.Columns[0].Name, unindexedShare))
	}
	for {
		began := time.Now()
		if err := i.look(ctx); err != nil {
			return err
		}
		next := i.Next(time.Now())
		if rest := time.Now().Add(unindexedShare * time.Since(began)); !i.Indexed && rest.After(next) {
			next = rest
		}
		select {
		case <-time.After(time.Until(next)):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// look hands out everything that changed from the position up to the horizon.
func (i *incremental) look(ctx context.Context) error {
	mark := &changed{Since: i.position.Since}
	if err := i.moveHorizon(ctx, mark); err != nil {
		return err
	}
	if i.position.From.IsZero() {
		return nil
	}
	i.countOddities(ctx)
	for _, keys := range batches(i.takeHot(), i.config.BatchRows) {
		if !i.check(keys, nil) {
			return context.Cause(ctx)
		}
	}
	until := i.Local(i.horizon)
	for caughtUp := false; !caughtUp; {
		rows, err := i.changes(ctx, until)
		if err != nil {
			return err
		}
		keys := make([]row.Key, len(rows))
		for n, r := range rows {
			keys[n] = row.Key(r[1:])
		}
		if caughtUp = len(rows) < i.config.BatchRows; caughtUp {
			i.position = changed{Since: i.position.Since, From: until, Verified: i.horizon}
		} else {
			i.position.After = row.Key(rows[len(rows)-1]).Clone()
		}
		reached := i.position
		reached.now, reached.at, reached.held = mark.now, mark.at, mark.held
		if !i.check(keys, &reached) {
			return context.Cause(ctx)
		}
	}
	return nil
}

// changes reads the next batch before the time until.
func (i *incremental) changes(ctx context.Context, until time.Time) ([]row.Row, error) {
	if !i.position.From.Before(until) {
		return nil, nil
	}
	return retry(ctx, i.run, "changes", func(ctx context.Context) ([]row.Row, error) {
		return read(ctx, i.run, func(ctx context.Context) ([]row.Row, error) {
			return i.Reader.Changes(ctx, i.View, i.position.After, i.position.From, until, i.config.BatchRows)
		}, i.authority.which)
	})
}

// moveHorizon finds out up to when changes are complete.
func (i *incremental) moveHorizon(ctx context.Context, mark *changed) error {
	asked := time.Now()
	open, err := retry(ctx, i.run, "the open transactions", func(ctx context.Context) (schema.OpenTransactions, error) {
		return read(ctx, i.run, i.Reader.OpenTransactions, i.authority.which)
	})
	if err != nil {
		return err
	}
	if err := i.checkZone(open); err != nil {
		return err
	}
	if open.Hidden != "" && !i.told {
		i.told = true
		i.observer.Warn(i.spec.Pair.Name, fmt.Sprintf("the %s's open transactions cannot be seen; changes are looked at %s after their time instead, and what commits later than that only full runs see; %s",
			i.authority.which, i.Margin, open.Hidden))
	}
	if open.AsOf.IsZero() && i.horizon.IsZero() {
		if !i.blind {
			i.blind = true
			i.observer.Warn(i.spec.Pair.Name, "changes are not followed yet: "+listKept+"; have them ask less often")
		}
		return nil
	}
	horizon, held := horizonOf(open, i.horizon, i.Settle, i.Margin)
	i.goBack(open.Now, asked, horizon)
	i.horizon, i.seen, i.looked = horizon, open.Now, asked
	mark.now, mark.at, mark.held = open.Now, asked, held
	if i.position.From.IsZero() {
		i.position = changed{Since: horizon, From: i.Local(horizon), Verified: horizon}
	}
	return nil
}

// goBack goes back to where the authority's clock was set back to: rows get
// times anew that lie before the position.
func (i *incremental) goBack(now, asked, horizon time.Time) {
	from := i.Local(horizon)
	back := time.Duration(0)
	if !i.seen.IsZero() {
		back = i.seen.Add(asked.Sub(i.looked)).Sub(now)
	}
	if back > i.Settle {
		from = i.Local(i.horizon.Add(-back))
	}
	if !from.Before(i.position.From) || i.position.From.IsZero() {
		return
	}
	i.observer.Warn(i.spec.Pair.Name, fmt.Sprintf("the %s's clock, or what is open there, went back; changes are looked at again from %s on",
		i.authority.which, from.Format(time.DateTime)))
	i.position.From, i.position.After = from, nil
}

// listKept says why nobody knows which transactions are open.
const listKept = "others read the server's list of open transactions all the time, and keep it from being made anew"

// horizonOf is the moment behind which no change can appear any more, and what
// holds it back. It is pure.
func horizonOf(open schema.OpenTransactions, before time.Time, settle, margin time.Duration) (horizon time.Time, held string) {
	horizon = open.AsOf.Add(-settle)
	if !horizon.After(before) && open.AsOf.Before(open.Now) && !before.After(open.Now) {
		// What was found out before still holds: who began since began later.
		horizon, held = before, listKept
	}
	if open.Hidden != "" {
		return open.Now.Add(-max(settle, margin)), "open transactions cannot be seen"
	}
	if !open.Oldest.IsZero() && open.Oldest.Before(horizon) {
		horizon, held = open.Oldest, fmt.Sprintf("a transaction of connection %s is open since %s", open.Connection, open.Oldest.Format(time.DateTime))
	}
	if open.Prepared == 0 {
		return horizon, held
	}
	if before.IsZero() {
		before = open.Now.Add(-max(settle, margin))
	}
	if before.Before(horizon) {
		horizon, held = before, fmt.Sprintf("%d prepared transactions wait to be committed or rolled back", open.Prepared)
	}
	return horizon, held
}

// inUTC are the names under which servers know UTC.
var inUTC = map[string]bool{"UTC": true, "Etc/UTC": true, "+00:00": true, "GMT": true, "Etc/GMT": true, "UCT": true, "Etc/UCT": true, "Zulu": true, "Universal": true, "Greenwich": true}

// checkZone refuses times of which nobody said what they mean. Taken for UTC,
// those of a zone behind it would lie before every horizon and never be seen.
func (i *incremental) checkZone(open schema.OpenTransactions) error {
	column := i.View.Columns[0]
	if i.ZoneKnown || open.Zone == "" || inUTC[open.Zone] {
		return nil
	}
	return permanentError{fmt.Errorf("%s of %s (%s) keeps no time zone, and sessions of the %s are in %s by default: say in updated_at_zone which one its times are of, %s or UTC",
		column.Name, i.View.Table.Name, column.Native, i.authority.which, open.Zone, open.Zone)}
}

// permanentError is one that no later attempt can pass.
type permanentError struct{ error }

// Permanent says so.
func (permanentError) Permanent() bool { return true }

// odditiesEvery is the time between two counts of rows whose time says nothing.
const odditiesEvery = time.Hour

// farAhead is how far a time lies ahead of the clock to be one that no clock
// gave.
const farAhead = time.Minute

// countOddities tells of rows that this mode does not see, where an index makes
// that cheap to know.
func (i *incremental) countOddities(ctx context.Context) {
	if !i.Indexed || time.Now().Before(i.nextOddities) {
		return
	}
	i.nextOddities = time.Now().Add(odditiesEvery)
	column := i.View.Columns[0]
	for _, odd := range []struct {
		what      string
		condition string
	}{
		{"lie in the future", i.Reader.During(column.Column, i.Local(i.seen.Add(farAhead)), schema.LastTime)},
		{"are NULL", i.Reader.During(column.Column, time.Time{}, time.Time{})},
	} {
		view := *i.View
		if view.Where != "" {
			odd.condition += " AND (" + view.Where + "\n)"
		}
		view.Where = odd.condition
		n, err := read(ctx, i.run, func(ctx context.Context) (int64, error) { return i.Reader.Count(ctx, &view) }, i.authority.which)
		if err == nil && n > 0 {
			i.observer.Warn(i.spec.Pair.Name, fmt.Sprintf("the times of %d rows in %s %s: incremental runs do not see these rows, full runs do", n, column.Name, odd.what))
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			i.observer.Warn(i.spec.Pair.Name, fmt.Sprintf("rows whose times %s could not be counted: %v", odd.what, err))
		}
	}
}

// keptEvery is the shortest time between two saved positions, and so the work
// that a crash has done twice. What was verified stays so without them.
const keptEvery = 10 * time.Second

// keep tells of a mark, and makes it durable now and then.
func (i *incremental) keep(ctx context.Context, mark any, last bool) error {
	reached := mark.(*changed) //nolint:forcetypeassert // look hands out no other
	i.tell(reached)
	if !last && time.Since(i.kept) < keptEvery {
		return nil
	}
	data, err := reached.encode(i.fingerprint)
	if err != nil {
		return err
	}
	i.kept = time.Now()
	return i.Progress.Save(ctx, data, reached.Verified)
}

func (i *incremental) tell(reached *changed) {
	if i.Verified != nil && !reached.Verified.IsZero() {
		i.Verified(Verified{
			Pair: i.spec.Pair.Name, Since: reached.Since, Until: reached.Verified,
			Behind: reached.now.Sub(reached.Verified), At: reached.at, Held: reached.held,
		})
	}
}

func batches(keys []row.Key, n int) (out [][]row.Key) {
	for len(keys) > n {
		out, keys = append(out, keys[:n]), keys[n:]
	}
	if len(keys) > 0 {
		out = append(out, keys)
	}
	return out
}
