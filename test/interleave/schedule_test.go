package interleave

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
)

// schedule is what happens to one row while its repair stands at a point.
type schedule struct {
	point string
	// The row before the repair.
	authority, copied int
	// The authority's versions that follow while the repair stands at the point.
	then []int
	// late: the replicator brings them after the repair, otherwise at once,
	// as far as it is not kept waiting.
	late   bool
	rounds int // fix.Config.MaxRounds
}

func (s schedule) String() string {
	return fmt.Sprintf("%s, authority %d, copy %d, then %v, late %t, %d rounds", s.point, s.authority, s.copied, s.then, s.late, s.rounds)
}

// schedules are all combinations.
func schedules() []schedule {
	var out []schedule
	for _, point := range allPoints {
		for _, copied := range []int{junk, gone, 5} {
			for _, then := range [][]int{{6}, {gone}, {gone, 7}, {6, gone}} {
				for _, late := range []bool{false, true} {
					for _, rounds := range []int{1, 5} {
						out = append(out, schedule{point, 5, copied, then, late, rounds})
					}
				}
			}
			for _, then := range [][]int{{6}, {6, gone}} {
				out = append(out, schedule{point, gone, copied, then, false, 1})
			}
		}
	}
	return out
}

// play returns whether the sides are equal in the end, when the replicator has
// brought everything, and whether the repair wrote an older version.
func (s *stage) play(t testing.TB, c schedule, alter func(*fix.Config)) (equal, older bool) {
	s.empty(t)
	s.set(t, 1, c.authority, c.copied)
	replicator := &replicator{t: t, copy: s.copy, id: 1}
	p := newPoints(t).at(c.point, func() {
		for _, v := range c.then {
			s.authority.bring(t, 1, v)
			if !c.late {
				replicator.send(v)
			}
		}
	})
	p.always = func() { replicator.send() } // what waited tries again
	config := s.config(p)
	config.MaxRounds = c.rounds
	if alter != nil {
		alter(&config)
	}
	s.repair(t, config, 1)
	if _, unreached := p.do[c.point]; unreached { // nothing was to be written
		p.reach(c.point)
	}
	if c.late {
		replicator.late = c.then
	}
	if replicator.send(); len(replicator.late) > 0 {
		t.Errorf("%s: the row is held after the repair", c)
	}
	return s.equal(t), p.older
}

func TestWhateverHappensBetweenTwoStepsTheSidesEndEqual(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		for _, c := range schedules() {
			equal, older := s.play(t, c, nil)
			if !equal {
				t.Errorf("%s: the authority has %q and the copy %q", c, s.authority.content(t), s.copy.content(t))
			}
			if older {
				t.Errorf("%s: an older version was written over a newer one", c)
			}
		}
	})
}

// waiting is an Observer that hears when a repair waits.
type waiting func(error)

func (waiting) Batch(string, int, time.Duration)               {}
func (waiting) Settled(event.Outcome)                          {}
func (w waiting) Waiting(_ string, why error, _ time.Duration) { w(why) }

// TestTwoRepairsOfOneRow stops the first at each point until the second has
// ended or waits.
func TestTwoRepairsOfOneRowEndEqual(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		for _, point := range allPoints {
			for _, copied := range []int{junk, gone} {
				for _, now := range []int{6, gone} {
					s.empty(t)
					s.set(t, 1, 5, copied)
					second := make(chan struct{})
					p := newPoints(t).at(point, func() {
						s.authority.bring(t, 1, now)
						pauses := make(chan struct{}, 1)
						config := s.config(newPoints(t))
						config.Observer = waiting(func(error) {
							select {
							case pauses <- struct{}{}:
							default:
							}
						})
						go func() {
							defer close(second)
							s.repair(t, config, 1)
						}()
						select {
						case <-second:
						case <-pauses:
						}
					})
					s.repair(t, s.config(p), 1)
					<-second
					s.copy.bring(t, 1, now) // the replicator comes last
					s.wantEqual(t)
				}
			}
		}
	})
}

// TestALockedRowIsNoAbsentRow has an application hold the row throughout. The
// authority has none: a repair that took the row for absent would be content.
func TestALockedRowIsNoAbsentRow(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		if equal := s.playLocked(t, nil); !equal {
			t.Errorf("the authority has %q and the copy %q", s.authority.content(t), s.copy.content(t))
		}
	})
}

func (s *stage) playLocked(t testing.TB, alter func(*fix.Config)) (equal bool) {
	s.empty(t)
	s.set(t, 1, gone, junk)
	application, err := s.copy.raw.BeginTx(context.Background(), nil)
	if err != nil {
		t.Error(err)
		return false
	}
	defer func() { _ = application.Rollback() }()
	if _, err := application.ExecContext(t.Context(), "SELECT id FROM accounts WHERE id = 1 FOR UPDATE"); err != nil {
		t.Error(err)
	}
	config := s.config(newPoints(t))
	config.Observer = waiting(func(error) { _ = application.Rollback() })
	if alter != nil {
		alter(&config)
	}
	s.repair(t, config, 1)
	return s.equal(t)
}

// TestARepairThatLosesItsConnection is killed at each point; what it then had
// written and not committed is undone, and it starts over.
func TestARepairThatLosesItsConnectionRepairsAllTheSame(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		for _, point := range allPoints {
			for _, copied := range []int{junk, gone} {
				s.empty(t)
				s.set(t, 1, 5, copied)
				p := newPoints(t).at(point, func() {
					s.authority.bring(t, 1, 6)
					s.copy.killOthers(t)
				})
				if o := s.repair(t, s.config(p), 1); o.Result != event.Repaired {
					t.Errorf("%s: %s", point, o.Result)
				}
				s.copy.bring(t, 1, 6) // the replicator comes last
				s.wantEqual(t)
			}
		}
	})
}
