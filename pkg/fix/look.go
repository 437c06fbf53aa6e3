package fix

import (
	"context"
	"fmt"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
)

// look compares without locking or writing: for dry runs, and for findings of
// an older epoch. The copy is read first, as in a repair, so that the
// authority's rows are never the older of the two reads.
func (s *session) look(ctx context.Context, jobs []*job) error {
	for _, j := range jobs {
		j.attempts++
	}
	rows, err := s.r.cfg.Sink.Read(ctx, keysOf(jobs))
	if err != nil {
		return fmt.Errorf("read the copy's rows: %w", err)
	}
	copies, err := index(s.r.to, jobs, rows)
	if err != nil {
		return fmt.Errorf("read the copy's rows: %w", err)
	}
	right, err := s.readAuthority(ctx, jobs)
	if err != nil {
		return err
	}
	s.r.size.observe(len(jobs), sizeOf(copies)+sizeOf(right))
	for _, j := range jobs {
		s.report(j, right[j.id], copies[j.id])
	}
	return nil
}

// report settles what look saw: in a dry run what would have been done, and
// otherwise nothing, or a finding held. A key can have findings of both kinds.
func (s *session) report(j *job, right, copied row.Row) {
	change, res := s.r.decide(j.key, right, copied)
	if change.Action == event.NoAction {
		s.settle(j, res)
		return
	}
	if res := s.r.otherKind(j, change); res.reason != "" {
		s.settle(j, res)
		return
	}
	j.settled = true
	scripted := false
	for _, f := range j.findings {
		if f.Epoch < s.r.cfg.Epoch {
			s.tell(*f, j.attempts, stale(f.Epoch, s.r.cfg.Epoch))
			continue
		}
		if !scripted {
			s.script(change)
			scripted = true
		}
		s.tell(*f, j.attempts, s.r.repaired(change))
	}
}

func stale(found, now uint64) result {
	return result{result: event.Held, class: ClassStaleEpoch, reason: fmt.Sprintf(
		"stale epoch: found under epoch %d and the pair is in epoch %d; the sides differ still, and a run under the present authority will find the row again", found, now)}
}

func (s *session) script(c Change) {
	if s.r.cfg.Script != nil {
		s.r.cfg.Script(s.r.cfg.Sink.(Scripter).Script(c))
	}
}
