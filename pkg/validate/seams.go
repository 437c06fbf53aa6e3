package validate

import (
	"context"
	"time"

	"github.com/trueup/trueup/pkg/chunk"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// Reader reads one database. Every method is a completed read or an error: an
// error says nothing about what the database holds.
//
// An error may say more about itself: one that has a method `Permanent() bool`
// returning true (missing privilege, missing table) stops the run at once; one
// with `TooLarge() bool` returning true (a server's limit on the size of a
// result) makes the range be read in another way. All others are taken to pass,
// and the read is tried again.
type Reader interface {
	// Boundary returns the n-th key after the given one (nil: from the start)
	// in key order, or nil when fewer than n rows are left.
	Boundary(ctx context.Context, v *schema.View, after row.Key, n int) (row.Key, error)
	// Digest returns the number of rows in the range and their digest.
	Digest(ctx context.Context, v *schema.View, r row.Range) (row.Digest, error)
	// Rows streams the rows of the range in key order.
	Rows(ctx context.Context, v *schema.View, r row.Range) (row.Cursor, error)
	// Lookup returns the rows with the given keys, in any order. The rows are
	// the caller's to keep.
	Lookup(ctx context.Context, v *schema.View, keys []row.Key) ([]row.Row, error)
	// Akin returns, beside keys, the keys of the view's table that its server's
	// collations hold equal to them though their texts differ; nil for none.
	Akin(ctx context.Context, v *schema.View, keys []row.Key) ([]row.Key, error)
	// Count returns the number of rows of the view.
	Count(ctx context.Context, v *schema.View) (int64, error)
	// Table describes a table as it is now.
	Table(ctx context.Context, name schema.Name) (*schema.Table, error)
	// Ping says whether the server answers at all.
	Ping(ctx context.Context) error
}

// Publisher carries findings to whoever repairs them. A nil error means that
// all of them are durable. It blocks while it cannot deliver and may yet: the
// run stops advancing then and goes on when Publish returns. An error is final
// and ends the run.
type Publisher interface {
	Publish(ctx context.Context, findings []event.Finding) error
}

// Pacer is asked before every read of a database. It waits until the read may
// start, and release says that it is over. A comparison holds a place on both
// sides at once; it asks for the source's first, so that two comparisons never
// wait for each other. Sides that share one budget need a budget of more places
// than there are threads, for the same reason.
//
// A Pacer that has a method `InTurn() bool` may say that the sides are one server
// with room for less than one statement of each: digests are asked for one after the
// other then, with a place on one side at a time.
type Pacer interface {
	Acquire(ctx context.Context, side event.Side) (release func(), err error)
}

// Checkpoints keeps positions under a name. Load returns nil when there is
// none; Save returns when the position is durable, and forgets an empty one.
type Checkpoints interface {
	Load(ctx context.Context, id string) ([]byte, error)
	Save(ctx context.Context, id string, position []byte) error
}

// Gate is one database's share of a Pacer. One that has a method `Size()
// float64`, like a Pacer that has, asks for ranges smaller by that factor.
type Gate interface {
	Acquire(ctx context.Context) (release func(), err error)
}

// Paced joins the two sides' gates into a Pacer.
func Paced(source, target Gate) Pacer { return gates{source: source, target: target} }

type gates struct{ source, target Gate }

func (g gates) Acquire(ctx context.Context, side event.Side) (func(), error) {
	if side == event.Target {
		return g.target.Acquire(ctx)
	}
	return g.source.Acquire(ctx)
}

// Size is the smaller of the two sides'.
func (g gates) Size() float64 { return min(sizeOf(g.source), sizeOf(g.target)) }

// sizeOf is what a gate or a pacer asks for: 1 when it asks for nothing.
func sizeOf(asked any) float64 {
	if sizer, ok := asked.(interface{ Size() float64 }); ok {
		return sizer.Size()
	}
	return 1
}

// inTurn is what a pacer says of digests; false when it says nothing.
func inTurn(pacer Pacer) bool {
	p, ok := pacer.(interface{ InTurn() bool })
	return ok && p.InTurn()
}

// Observer is told what a run does, for logs, metrics and progress. Calls come
// from several goroutines at once and must not block. Embed NopObserver to
// implement only some of them.
type Observer interface {
	// Started comes once, before the first read.
	Started(Start)
	// RangeDone comes after each range was examined, in no order.
	RangeDone(RangeReport)
	// Suspects comes whenever suspects were found or settled.
	Suspects(SuspectReport)
	// ReadFailed comes after each failed attempt to read.
	ReadFailed(Failure)
	// Warn says what an operator should know and the verdict does not tell.
	Warn(pair, message string)
}

// Start says what a run is about to do.
type Start struct {
	Pair, Mode, Method string
	// Rows is the engine's estimate of the rows to scan; for progress only.
	Rows int64
	// Done is how many of them an earlier process has settled.
	Done    int64
	Resumed bool
}

// RangeReport says how a range went.
type RangeReport struct {
	Pair  string
	Range row.Range
	Place Place
	// Scanned is what the range adds to progress; the others are zero where
	// the method does not count a side.
	Scanned, SourceRows, TargetRows int64
	// Differences counts rows that differed when first read.
	Differences int
	// Took includes waiting for the pacer and drilling down.
	Took time.Duration
	// Cost is what reading the whole range once took, waiting left out; it has
	// no rows where that is not known.
	Cost chunk.Sample
	// Unreadable is why part of the range could not be read; nil when all was.
	Unreadable error
	// Endless says that this is rows of a run without an end, and no part of
	// anybody's progress.
	Endless bool
}

// Place says where in a run a range lies. A run walks a key index once or, with
// the method lookup, twice; the ranges of a pass are numbered in the order of
// its keys, from 0, and a resumed run counts from where it went on.
type Place struct {
	Pass, Number int
}

// SuspectReport counts what became of suspects since the last report.
type SuspectReport struct {
	Pair string
	// Seen are new suspects; Confirmed, Cleared and Open are settled ones, and
	// Hot changed while they waited and wait once more.
	Seen, Confirmed, Cleared, Hot, Open int
	// Placed says of each of the confirmed ones what it is and in which range
	// it lies.
	Placed []Placed
	// Endless says that the run has no end at which the confirmed ones would be
	// counted.
	Endless bool
}

// Placed is the kind of a finding and the range it lies in.
type Placed struct {
	Kind  event.Kind
	Place Place
}

// Failure is one failed attempt to read.
type Failure struct {
	Pair    string
	Reading string // what was read
	Attempt int
	Err     error
}

// NopObserver ignores everything.
type NopObserver struct{}

// Started does nothing.
func (NopObserver) Started(Start) {}

// RangeDone does nothing.
func (NopObserver) RangeDone(RangeReport) {}

// Suspects does nothing.
func (NopObserver) Suspects(SuspectReport) {}

// ReadFailed does nothing.
func (NopObserver) ReadFailed(Failure) {}

// Warn does nothing.
func (NopObserver) Warn(string, string) {}
