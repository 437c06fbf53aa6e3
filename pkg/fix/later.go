package fix

import (
	"fmt"

	"github.com/trueup/trueup/pkg/event"
)

// Waiting is a finding that nothing was done about yet, with the outcome it is
// to have when it has waited for too long.
type Waiting DeadLetter

// Later is the error of Repair when some findings had better be tried again
// after a while; nothing else went wrong.
type Later struct{ Findings []Waiting }

func (l *Later) Error() string {
	return fmt.Sprintf("%d findings wait for rows that others hold, or for rows that foreign keys refer to; give them again after a while", len(l.Findings))
}

// maxBusy is how many rounds a row that somebody else holds is waited for: with
// the pauses between them about a second, longer than transactions of an
// application take that do well.
const maxBusy = 6

// putOff gives up for now on the rows that others keep holding.
func (s *session) putOff(jobs []*job) {
	if !s.r.cfg.PutOff {
		return
	}
	for _, j := range unsettled(jobs) {
		if j.busy >= maxBusy && j.wrote.Action == event.NoAction {
			s.later(j, result{result: event.Dead, class: ClassBusy, reason: "another transaction holds the row, one that stands in its way, or the whole table, for long"})
		}
	}
}

// later has the findings of j come again. What is begun is not put off.
func (s *session) later(j *job, res result) {
	j.settled = true
	for _, f := range j.findings {
		o := s.r.outcome(*f, res)
		o.Attempts = j.attempts
		s.waiting = append(s.waiting, Waiting{Finding: *f, Outcome: o})
	}
}

// begun are the rows that were brought in, written, and want another look.
func (s *session) begun() []*job {
	var out []*job
	for _, j := range s.brought {
		if !j.settled && j.wrote.Action != event.NoAction {
			out = append(out, j)
		}
	}
	s.brought = nil
	return out
}
