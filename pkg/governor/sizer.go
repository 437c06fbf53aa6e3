package governor

import (
	"math"
	"slices"
	"time"
)

// The zone law, after block/spirit: raise by one in the lowest zone, keep in
// the next, lower by one near the limit, halve beyond. Halving at every sample
// near the limit would go up and down all the time.
const (
	raiseBelow = 0.4
	lowerFrom  = 0.7
	halveFrom  = 1.0
	// sizeEvery is the time between two moves: enough samples to see what the
	// last one did.
	sizeEvery = 3 * time.Second
	// leastLevel is an eighth of one worker, to which signals near their limits
	// lower it.
	leastLevel = -5
	// leastRoom is what all processes together may use where others leave nothing: a
	// thirty-second of a worker, so that without a pause work comes to an end some day.
	// It is twice that from manyCores up, of which a statement takes less.
	leastRoom = 0.03125
	manyCores = 4
	// ours is the share of a server's cores that others and this process may
	// fill together. What is left over absorbs bursts: at three quarters of
	// capacity a queue's delay is what a foreground can stand.
	ours = 0.75
	// quiet is the share of the cores below which others count as absent and
	// all that is asked for may be used.
	quiet = 0.1
)

// level is how much work is admitted: that many workers from 1 up, and of one below
// three quarters (0), a half, three eighths, a quarter (-3) and so on.
type level int

// workers is the number of statements at a time.
func (l level) workers() int { return max(int(l), 1) }

// share is the part of the time that a worker works; 1 from one worker up. The
// size of ranges follows it too, so that what runs ends sooner.
func (l level) share() float64 {
	if l >= 1 {
		return 1
	}
	if l%2 == 0 {
		return 0.75 * math.Exp2(float64(l/2))
	}
	return math.Exp2(float64(l-1) / 2)
}

// sizer moves the level between an eighth of a worker and most, and lower still where
// that is more than this process's part of the room.
type sizer struct {
	most level // of all processes together
	// own is the number of statements of them that are this process's, and its
	// part of the room.
	own float64
	// top is the number of statements for which there is room.
	top   float64
	level level
	next  time.Time // when it may move again
}

func newSizer(most int, own float64) sizer {
	s := sizer{most: level(most), own: own}
	s.level = s.ceiling(nil)
	return s
}

// restart begins again with one worker, or what room there is.
func (s *sizer) restart(now time.Time, readings []Reading) {
	s.level = min(1, s.ceiling(readings))
	s.next = now.Add(sizeEvery)
}

// step moves the level by the readings and says whether it did.
func (s *sizer) step(now time.Time, readings []Reading) bool {
	if now.Before(s.next) && s.next.Sub(now) <= sizeEvery { // further away, the clock went back
		return false
	}
	to := s.aim(readings)
	if to == s.level {
		return false
	}
	s.level, s.next = to, now.Add(sizeEvery)
	return true
}

func (s *sizer) aim(readings []Reading) level {
	top := s.ceiling(readings)
	worst, unknown := 0.0, false
	for _, r := range readings {
		if r.Stale {
			unknown = true
			continue
		}
		worst = max(worst, r.Smoothed)
	}
	to := s.level
	switch {
	case worst >= halveFrom && s.level > 1:
		to = s.level / 2
	case worst >= lowerFrom && s.level <= 1:
		to = s.level - 2 // half of it
	case worst >= lowerFrom:
		to = s.level - 1
	case worst < raiseBelow && !unknown && s.level < 1:
		to = min(s.level+2, 1)
	case worst < raiseBelow && !unknown:
		to = s.level + 1
	}
	return min(max(to, leastLevel), top)
}

// allot changes what is this process's. A level that nothing else holds down
// follows at once: what it gains, others have lost.
func (s *sizer) allot(own float64, readings []Reading) {
	held := s.level >= s.ceiling(readings)
	s.own = own
	if top := s.ceiling(readings); held || s.level > top {
		s.level = top
	}
}

// first is the level to begin with: all there is where nothing is going on, so
// that an idle database is worked on at full speed from the start, else 1.
func (s *sizer) first(now time.Time, readings []Reading) {
	s.restart(now, readings)
	for _, r := range readings {
		if r.Stale || r.Utilisation >= raiseBelow {
			return
		}
	}
	s.level = s.ceiling(readings)
}

// ceiling is the highest level for which there is room.
func (s *sizer) ceiling(readings []Reading) level {
	s.top = min(s.own, max(room(readings), least(readings))*s.own/float64(s.most))
	return levelOf(s.top)
}

// share is the part of the time that a worker works: the level's, or all for which
// there is room where nothing else holds the level down.
func (s *sizer) share() float64 {
	if s.top < 1 && s.level == levelOf(s.top) {
		return s.top
	}
	return s.level.share()
}

// room is the number of cores that others leave to all processes together; infinite
// when they are absent, or when it is not known.
func room(readings []Reading) float64 {
	free := math.Inf(1)
	for _, r := range readings {
		cores := r.Signal.Cores
		if cores <= 0 || r.Stale || r.slow < quiet*cores {
			continue
		}
		free = min(free, ours*cores-r.slow)
	}
	return free
}

// least is what all processes together may use however little room there is.
func least(readings []Reading) float64 {
	if slices.ContainsFunc(readings, func(r Reading) bool { return r.Signal.Cores >= manyCores }) {
		return 2 * leastRoom
	}
	return leastRoom
}

// levelOf is the highest level of no more than so many statements; more than 0.
func levelOf(statements float64) level {
	if whole := statements + rounding; whole >= 1 {
		return level(whole)
	}
	half := math.Floor(math.Log2(statements + rounding))
	if statements+rounding >= 1.5*math.Exp2(half) {
		return 2 * level(half+1)
	}
	return 2*level(half) + 1
}
