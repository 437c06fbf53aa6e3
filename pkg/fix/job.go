package fix

import (
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
)

// The classes of held and dead outcomes: stable words, for alerts and filters.
const (
	// ClassStaleEpoch: held; found under an authority that is no longer it,
	// and the sides still differ.
	ClassStaleEpoch = "stale_epoch"
	// ClassEpochUnknown: held; found under an authority decision this fixer
	// does not know yet.
	ClassEpochUnknown = "epoch_unknown"
	// ClassBreaker: held; too many rows would be written, see Gate.
	ClassBreaker = "breaker"
	// ClassUnknownPair: dead; no pair of that name is configured.
	ClassUnknownPair = "unknown_pair"
	// ClassBadKey: dead; the key is not one of the pair's.
	ClassBadKey = "bad_key"
	// ClassSchema: dead; a table was altered, and the pair does not fit it.
	ClassSchema = "schema"
	// ClassOtherKind: held; the strategy leaves what is to be done to a finding
	// of another kind.
	ClassOtherKind = "other_kind"
	// ClassBusy goes with findings that wait: another transaction holds the row.
	ClassBusy = "busy"
	// ClassReference: dead, or waits; a foreign key is in the way.
	ClassReference = "reference"
	// ClassDuplicate: dead; another row of the copy holds a unique value.
	ClassDuplicate = "duplicate"
	// ClassRefused: dead; the copy refuses the row.
	ClassRefused = "refused"
	// ClassLimit: dead; the row alone is larger than a server sends or takes at once.
	ClassLimit = "limit"
	// ClassNotWritable: dead; only columns that the copy computes differ.
	ClassNotWritable = "not_writable"
	// ClassStillChanging goes with a repaired outcome: the authority's row
	// changed during every round.
	ClassStillChanging = "still_changing"
)

// job is the work on one key: all findings that name it get its one result.
type job struct {
	key      row.Key
	id       string // key.ID()
	findings []*event.Finding
	one      [1]*event.Finding // where findings begins: mostly there is one
	// cause is the finding on whose account a row is repaired that no finding
	// names: it stood in the way.
	cause *event.Finding

	attempts int
	// moved counts the rounds after which the authority's row had changed.
	moved int
	// refused counts the times the copy refused the row on its own.
	refused int
	// busy counts the rounds in which somebody else held the row, or one that
	// stood in its way; held says so of the present round.
	busy int
	held bool
	// stays is why a row that differs is left as it is; empty when it is not.
	stays result
	// admitted is what the gate gave leave for.
	admitted event.Action
	// alone keeps a row that failed a batch from failing it again.
	alone bool
	// wrote is the last change that was committed, or may have been: then
	// unsure is set. Its row is not kept.
	wrote  Change
	unsure bool
	// writes is what was committed, or may have been, for the outcome to tell.
	writes []event.Write
	// restart marks a job whose next round need not wait.
	restart bool

	settled bool
}

// result is what became of a job, before it is told for each finding.
type result struct {
	result  event.Result
	change  Change
	class   string
	reason  string
	columns []string
	writes  []event.Write
}

// session is one call of Repair: it collects outcomes.
type session struct {
	r        *Repairer
	start    time.Time
	outcomes []event.Outcome
	// repairs are the jobs to repair by their ID.
	repairs map[string]*job
	// brought are the jobs of no finding, which stood in the way of others.
	brought []*job
	// admitted are the jobs that the gate gave leave to.
	admitted []*job
	waiting  []Waiting
	// patience is how long the authority may take while rows are held. It is too
	// short since slow was set.
	patience time.Duration
	slow     bool
}

// settle gives every finding of j its outcome.
func (s *session) settle(j *job, res result) {
	j.settled = true
	res.writes = j.writes
	for _, f := range j.findings {
		s.tell(*f, max(j.attempts, 1), res)
	}
	if j.cause != nil && (res.result == event.Repaired || len(res.writes) > 0) {
		s.tell(s.r.onAccountOf(j), j.attempts, res)
	}
}

func (s *session) tell(f event.Finding, attempts int, res result) {
	o := s.r.outcome(f, res)
	o.Attempts = attempts
	o.Took = o.At.Sub(s.start)
	s.outcomes = append(s.outcomes, o)
	s.r.cfg.Observer.Settled(o)
}

func (r *Repairer) outcome(f event.Finding, res result) event.Outcome {
	o := outcomeOf(f, res)
	o.DryRun = r.cfg.DryRun
	return o
}

// GiveUp is the outcome of a finding that is dead for a reason beyond its row.
func GiveUp(f event.Finding, class, reason string) event.Outcome {
	return outcomeOf(f, result{result: event.Dead, class: class, reason: reason})
}

// outcomeOf is the outcome of one finding that took one attempt and no time.
func outcomeOf(f event.Finding, res result) event.Outcome {
	o := event.Outcome{
		FindingID: f.ID, Pair: f.Pair, Key: f.Key, Run: f.Run, Epoch: f.Epoch, Kind: f.Kind,
		Result: res.result, Class: res.class, Reason: res.reason,
		Attempts: 1, DetectedAt: f.DetectedAt, At: time.Now(), TraceParent: f.TraceParent,
		Writes: res.writes,
	}
	if res.result == event.Repaired {
		o.Action = res.change.Action
		o.Columns = res.columns
	}
	return o
}

// note remembers a change, and what is to be told of it, whose commit ended with err.
func (j *job) note(c Change, told event.Write, err error) {
	fault := FaultOf(err)
	if err != nil && fault != Transient && fault != Permanent {
		return // the server said no: nothing was committed
	}
	c.Row = nil
	j.wrote, j.unsure = c, err != nil
	j.writes = append(j.writes, told)
}

// unsettled are the jobs that still want work, in order.
func unsettled(jobs []*job) []*job {
	var left []*job
	for _, j := range jobs {
		if !j.settled {
			left = append(left, j)
		}
	}
	return left
}

func keysOf(jobs []*job) []row.Key {
	keys := make([]row.Key, len(jobs))
	for i, j := range jobs {
		keys[i] = j.key
	}
	return keys
}
