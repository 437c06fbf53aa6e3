package governor

import (
	"context"
	"time"
)

// take passes on the parts of a round. They are this process's for a while from
// when it last was known to live.
func (s *Sharing) take(part Part, sent time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.why, s.held = nil, true
	s.extend(sent)
	for _, g := range s.governors {
		g.allot(part.Statements[g.config.Name], "")
	}
	if s.Neighbours != nil {
		s.Neighbours(part.Neighbours)
	}
}

// renew keeps the parts for longer, and says whether there still are any.
func (s *Sharing) renew(sent time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.extend(sent)
	return s.held
}

// extend is called with the lock held.
func (s *Sharing) extend(sent time.Time) {
	s.until = sent.Add(lease)
	s.expiry.Reset(time.Until(s.until))
}

func (s *Sharing) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.why = err
}

// expire gives the parts up when their time is over.
func (s *Sharing) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if left := time.Until(s.until); left > 0 { // renewed meanwhile
		s.expiry.Reset(left)
		return
	}
	s.giveUp()
}

func (s *Sharing) lose(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.why = err
	s.giveUp()
}

// giveUp is called with the lock held.
func (s *Sharing) giveUp() {
	s.held = false
	reason := "this process's part of the budget is not known"
	if s.why != nil {
		reason += ": " + s.why.Error()
	}
	for _, g := range s.governors {
		g.allot(0, reason+s.wayOut)
	}
}

// leave lets go of everything: what runs is counted by nobody, and ends with the
// process.
func (s *Sharing) leave(ctx context.Context) {
	s.mu.Lock()
	s.expiry.Stop()
	for _, g := range s.governors {
		g.allot(0, "")
	}
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
	defer cancel()
	_ = s.circle.Leave(ctx) // who cannot say farewell is taken for dead in time
}
