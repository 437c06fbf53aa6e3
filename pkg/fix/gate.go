package fix

import "github.com/trueup/trueup/pkg/event"

// admit asks the gate once for each row, however many rounds it takes. A row
// that wants something else in a later round, before anything was written, asks
// for that.
func (s *session) admit(j *job, a event.Action) (reason string) {
	gate := s.r.cfg.Gate
	if gate == nil || j.admitted == a {
		return ""
	}
	if j.admitted != event.NoAction {
		gate.Settle(j.admitted, false)
		j.admitted = event.NoAction
	}
	if reason := gate.Admit(a); reason != "" {
		return reason
	}
	j.admitted = a
	s.admitted = append(s.admitted, j)
	return ""
}

// leaveGate tells the gate which of the rows it admitted were written.
func (s *session) leaveGate() {
	for _, j := range s.admitted {
		if j.admitted != event.NoAction {
			s.r.cfg.Gate.Settle(j.admitted, j.wrote.Action != event.NoAction)
			j.admitted = event.NoAction
		}
	}
}
