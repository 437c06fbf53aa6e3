package statuspage

import (
	"fmt"
	"strings"
)

// State is how a pair stands, in one word.
type State uint8

// The states, from the best to the gravest.
const (
	// Clean: the last run that counts was clean, and no row is open.
	Clean State = iota
	// Agree: only numbers of rows were compared, and they agree.
	Agree
	// Pending: nothing was compared yet.
	Pending
	// Incomplete: not everything could be looked at, or what is open is not known.
	Incomplete
	// Different: rows are known to differ.
	Different
)

// String is the state in a word or two.
func (s State) String() string {
	return [...]string{"Clean", "Counts agree", "No verdict yet", "Not complete", "Different"}[s]
}

// Class is the state as the style sheet knows it.
func (s State) Class() string {
	return [...]string{"clean", "counts", "pending", "incomplete", "different"}[s]
}

// Sign is the state as a sign, so that it does not hang on colour.
func (s State) Sign() string { return [...]string{"✓", "≈", "–", "!", "≠"}[s] }

// count is the mode that compares numbers of rows alone.
const count = "count"

// State is what a verdict says by itself.
func (v Verdict) State() State {
	switch {
	case !v.Complete:
		return Incomplete
	case v.Clean && v.Mode == count:
		return Agree
	case v.Clean:
		return Clean
	case v.Found == 0 && v.Mode != count: // rows were left undecided
		return Incomplete
	default:
		return Different
	}
}

// deciding is the verdict that speaks for the pair: the newest that compared rows,
// or else the newest; nil for none.
func (p Pair) deciding() *Verdict {
	for i := range p.Verdicts {
		if p.Verdicts[i].Mode != count {
			return &p.Verdicts[i]
		}
	}
	if len(p.Verdicts) > 0 {
		return &p.Verdicts[0]
	}
	return nil
}

// State is how the pair stands now: by its last verdict, and by what was found
// since. A verdict that found differences is not mended by their repair.
func (p Pair) State() State {
	if p.Standing.Open > 0 {
		return Different
	}
	v := p.deciding()
	switch {
	case v == nil:
		return Pending
	case !p.Standing.Known && v.State() < Incomplete:
		return Incomplete
	default:
		return v.State()
	}
}

// State is that of the pair which stands worst.
func (p Page) State() State {
	if len(p.Pairs) == 0 {
		return Pending
	}
	worst := Clean
	for _, pair := range p.Pairs {
		worst = max(worst, pair.State())
	}
	return worst
}

// Heading is the page in a few words.
func (p Page) Heading() string {
	switch s := p.State(); {
	case len(p.Pairs) == 0:
		return "Starting"
	case len(p.Pairs) == 1:
		return s.String()
	case s == Clean:
		return "All pairs clean"
	default:
		return s.String()
	}
}

// Sentence says how many pairs stand how, and what is open.
func (p Page) Sentence() string {
	if len(p.Pairs) == 0 {
		return "The databases and Kafka have not been reached yet."
	}
	var states [Different + 1]int
	open, least := 0, false
	for _, pair := range p.Pairs {
		states[pair.State()]++
		open += pair.Standing.Open
		least = least || pair.Standing.AtLeast || !pair.Standing.Known
	}
	var parts []string
	for s, n := range states {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, strings.ToLower(State(s).String())))
		}
	}
	rows := number(int64(open)) + " rows open"
	switch {
	case open == 1:
		rows = "1 row open"
	case open == 0 && !least:
		rows = "no row open"
	}
	if least {
		rows = "at least " + rows
	}
	if len(p.Pairs) == 1 {
		return p.Pairs[0].Name + ": " + rows + "."
	}
	return fmt.Sprintf("%d pairs: %s; %s.", len(p.Pairs), strings.Join(parts, ", "), rows)
}

// Paused says whether nothing may be begun.
func (g Governor) Paused() bool { return g.State == "paused" }

// Total is the lag of all partitions.
func (g Group) Total() int64 {
	n := int64(0)
	for _, p := range g.Lag {
		n += p.Lag
	}
	return n
}

// mostPartitions are listed one by one whatever their lag.
const mostPartitions = 48

// Listed are the partitions to show: all, or of very many those with a lag.
func (g Group) Listed() []Partition {
	if len(g.Lag) <= mostPartitions {
		return g.Lag
	}
	var out []Partition
	for _, p := range g.Lag {
		if p.Lag > 0 && len(out) < 2*mostPartitions {
			out = append(out, p)
		}
	}
	return out
}

// Unlisted is the number of partitions that are not.
func (g Group) Unlisted() int { return len(g.Lag) - len(g.Listed()) }
