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
	// ClassGate: held; the gate's answer is the reason.
	ClassGate = "gate"
	// ClassUnknownPair: dead; no pair of that name is configured.
	ClassUnknownPair = "unknown_pair"
	// ClassBadKey: dead; the key is not one of the pair's.
	ClassBadKey = "bad_key"
	// ClassDuplicate: dead; another row of the copy holds a unique value.
	ClassDuplicate = "duplicate"
	// ClassRefused: dead; the copy refuses the row.
	ClassRefused = "refused"
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
	findings []event.Finding

	attempts int
	// moved counts the rounds after which the authority's row had changed.
	moved int
	// refused counts the times the copy refused the row on its own.
	refused int
	// alone keeps a row that failed a batch from failing it again.
	alone bool
	// wrote is the last change that was committed, or may have been: then
	// unsure is set. Its row is not kept.
	wrote  Change
	unsure bool
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
}

// session is one call of Repair: it collects outcomes.
type session struct {
	r        *Repairer
	start    time.Time
	outcomes []event.Outcome
}

// settle gives every finding of j its outcome.
func (s *session) settle(j *job, res result) {
	j.settled = true
	for _, f := range j.findings {
		s.tell(f, max(j.attempts, 1), res)
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

// outcomeOf is the outcome of one finding that took one attempt and no time.
func outcomeOf(f event.Finding, res result) event.Outcome {
	o := event.Outcome{
		FindingID: f.ID, Pair: f.Pair, Key: f.Key, Run: f.Run, Epoch: f.Epoch,
		Result: res.result, Class: res.class, Reason: res.reason,
		Attempts: 1, DetectedAt: f.DetectedAt, At: time.Now(), TraceParent: f.TraceParent,
	}
	if res.result == event.Repaired {
		o.Action = res.change.Action
		o.Columns = res.columns
	}
	return o
}

// note remembers a change whose commit ended with err.
func (j *job) note(c Change, err error) {
	fault := FaultOf(err)
	if err != nil && fault != Transient && fault != Permanent {
		return // the server said no: nothing was committed
	}
	c.Row = nil
	j.wrote, j.unsure = c, err != nil
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
