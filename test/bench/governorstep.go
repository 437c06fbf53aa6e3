package main

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"time"
)

const (
	// ordinary is the load before and after the overload, and beyondMost the
	// overload, over what the server can do at its most.
	ordinary   = 0.2
	beyondMost = 1.15
	// filled is the share of the cores up to which one who knows the load fills
	// them: the room beyond is what bursts need. The governor aims at it as well,
	// and so does the oracle of its model.
	filled = 0.75
	// The overload lasts as long as a steady load, and of an ordinary one there is so
	// many times that before and after it: a database is not overloaded most of the time.
	timesBefore, timesAfter = 2, 5
	// leastRecovery is longer than the minute within which work is to go on.
	leastRecovery = 75 * time.Second
)

// stepped is the step from an ordinary load to more than the server can do, and
// back, as it went.
type stepped struct {
	trials
	// up and down are when the rate changed, from the beginning of measuring.
	up, down time.Duration
	pauses   []span // of the governed trial
}

func (b *governorBench) step(ctx context.Context, steady trials, perRow float64) (*stepped, error) {
	up := timesBefore * b.o.steady
	s := &stepped{up: up, down: up + b.o.steady}
	// Time to work off what has piled up, to see that all is calm, and to work again.
	recovery := max(timesAfter*b.o.steady, leastRecovery)
	phases := []phase{{s.up, b.most * ordinary}, {s.down - s.up, b.most * beyondMost}, {recovery, b.most * ordinary}}
	for _, with := range []neighbour{{aloneName, nothing}, {governedName, b.validator(guarded, everySecond)}} {
		t, err := b.try(ctx, with, phases...)
		if err != nil {
			return nil, err
		}
		s.trials = append(s.trials, t)
	}
	governed := s.of(governedName)
	s.pauses = pauses(governed.changes, settling+governed.lasts)
	b.printStep(s, steady, perRow)
	return s, nil
}

func (b *governorBench) printStep(s *stepped, steady trials, perRow float64) {
	governed := s.of(governedName)
	var rows [][]string
	for _, name := range []string{aloneName, governedName} {
		t := s.of(name)
		p99 := func(from, to time.Duration) string { return milliseconds(percentile(t.in(from, to), 99)) }
		rows = append(rows, []string{
			name, p99(0, s.up), p99(s.up, s.down), p99(s.down, t.lasts), after(t.drained(s.up, s.down)),
			fmt.Sprintf("%.0f", t.rows), fmt.Sprintf("%.2f", t.cores(t.server)), fmt.Sprintf("%.2f", t.cores(t.generator)),
		})
	}
	printTable(fmt.Sprintf("Step to overload: %.0f statements a second for %s, %.0f for %s, %.0f for %s",
		b.most*ordinary, s.up, b.most*beyondMost, s.down-s.up, b.most*ordinary, governed.lasts-s.down),
		[]string{"beside it", "p99 ms before", "p99 ms in the overload", "p99 ms after it", "s until waits were as before", "rows examined", "server's cores", "generator's"}, rows)
	var story [][]string
	for _, c := range governed.changes {
		what := "resumed"
		if c.paused {
			what = "paused: " + c.reason
		}
		story = append(story, []string{seconds(c.at - settling), c.governor, what})
	}
	printTable("", []string{fmt.Sprintf("s (overload from %s to %s)", s.up, s.down), "governor", ""}, story)
	paused, resumed := answered(s.pauses, settling+s.up, settling+s.down)
	goals := []goal{
		{what: "seconds from the overload's beginning to the pause", figure: paused, want: 3},
		{what: "changes of a governor in any one minute", figure: float64(mostChanges(governed.changes)), want: 4},
		{what: "seconds from the overload's end to work again", figure: resumed, want: 60},
	}
	// Until the foreground alone has worked off what piled up it leaves nothing either.
	drain := min(s.of(aloneName).drained(s.up, s.down), (governed.lasts - s.down).Seconds())
	calm := governed.works() - (s.down - s.up) - time.Duration(drain*float64(time.Second))
	if could := oracle(steady, perRow, float64(runtime.NumCPU()), calm); could > 0 {
		fmt.Printf("Who knows the load examines %.0f rows: in the %s outside the overload, and outside the %.0f s in which the foreground alone works off what piled up, the rows whose reading fills the server's cores up to %.0f %%, the foreground included, at %.1f µs of a core for each on both sides together, which is what they cost an idle server, and none in these.\n\n", could, calm, drain, 100*filled, 1e6*perRow)
		goals = append(goals, goal{what: "rows examined over those of one who knows the load", figure: governed.rows / could, want: 0.5, least: true})
	}
	printGoals(goals...)
}

// oracle is how many rows one examines in that time who knows the load and leaves the
// rest of the cores alone. What the foreground costs the server is taken from the steady
// load, where it grows with its rate; perRow is what a row does, in seconds of a core.
// 0 when the server's processor time is not known.
func oracle(steady trials, perRow, cores float64, calm time.Duration) float64 {
	foreground := mean(steady.all(aloneName), func(t *trial) float64 { return t.cores(t.server) })
	if !(foreground > 0) || !(perRow > 0) {
		return 0
	}
	return max(filled*cores-foreground*ordinary/half, 0) * calm.Seconds() / perRow
}

// mean is that of a figure of trials. The time whose waits are in the middle need not
// be the one that took as much of the processors as most.
func mean(all []*trial, figure func(*trial) float64) float64 {
	sum := 0.0
	for _, t := range all {
		sum += figure(t)
	}
	return sum / float64(len(all))
}

// drained is how long after down it took until a second came whose waits were
// about those before the overload; never if none did.
func (t *trial) drained(up, down time.Duration) float64 {
	const about = 2
	usual := percentile(t.in(0, up), 99)
	for at := down; at < t.lasts; at += time.Second {
		if percentile(t.in(at, at+time.Second), 99) <= about*usual {
			return (at - down).Seconds()
		}
	}
	return never
}

// after is a number of seconds as text.
func after(seconds float64) string {
	if math.IsInf(seconds, 1) {
		return "not within the run"
	}
	return figure(seconds)
}

// span is a time in which at least one of the governors was paused: a range
// needs both. Times are from the foreground's start.
type span struct {
	from, to time.Duration
	reason   string // the first one's
}

// pauses puts the changes of all governors together. A pause without an end
// lasts until ends.
func pauses(changes []change, ends time.Duration) []span {
	var out []span
	paused := map[string]bool{}
	for _, c := range changes {
		was := len(paused) > 0
		if c.paused {
			paused[c.governor] = true
		} else {
			delete(paused, c.governor)
		}
		switch is := len(paused) > 0; {
		case is && !was:
			out = append(out, span{c.at, ends, c.reason})
		case was && !is:
			out[len(out)-1].to = c.at
		}
	}
	return out
}

// answered says how many seconds after up there was a pause, 0 if there was one
// already, and how many after down the one that lasted till then was over, if
// only because the trial was.
func answered(pauses []span, up, down time.Duration) (paused, resumed float64) {
	paused = never
	for _, p := range pauses {
		if p.to <= up {
			continue
		}
		paused = max(p.from-up, 0).Seconds()
		break
	}
	for _, p := range pauses {
		if p.from > down || p.to <= down {
			continue
		}
		resumed = (p.to - down).Seconds()
	}
	return paused, resumed
}

// mostChanges is how often one governor changed in the worst minute.
func mostChanges(changes []change) int {
	most := 0
	for i, first := range changes {
		n := 0
		for _, c := range changes[i:] {
			if c.governor == first.governor && c.at < first.at+time.Minute {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}
