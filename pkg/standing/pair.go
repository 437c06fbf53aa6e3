package standing

import (
	"maps"
	"slices"
	"time"

	"github.com/trueup/trueup/pkg/event"
)

// Watermark is how far a run without an end has come: what changed before Until
// was looked at, and of what differed findings were published.
type Watermark struct {
	// Mode is incremental or triggered.
	Mode string `json:"mode"`
	// Since is when it began to follow changes; zero when nobody knows. Both it
	// and Until are by the authority's clock.
	Since time.Time `json:"since,omitzero"`
	Until time.Time `json:"until"`
	// Behind is how far Until was behind the authority's clock at the moment At
	// of this machine's.
	Behind time.Duration `json:"-"`
	At     time.Time     `json:"at"`
	// BehindSeconds is how far it is behind now. It grows while nothing is verified.
	BehindSeconds float64 `json:"behind_seconds"`
	// Held says what keeps Until back; empty for nothing.
	Held string `json:"held,omitempty"`
	// Stalled: it has been standing still for longer than StallAfter. Only of
	// incremental runs: the others move with the events they read, and there
	// may be none.
	Stalled bool `json:"stalled,omitempty"`
}

// StallAfter is how far a watermark is behind when it is said to stand still:
// far above the settling time and the transactions of an application that is
// well.
const StallAfter = 5 * time.Minute

// Modes of runs: full ones see everything, and the watermark of incremental ones
// moves although nothing changes.
const (
	full        = "full"
	incremental = "incremental"
)

// Pair is how a pair stands, in plain values.
type Pair struct {
	Pair string `json:"pair"`
	// Config is the digest of the configuration of which all this is told.
	Config string `json:"-"`
	// Line says it in a sentence.
	Line string `json:"line"`
	// Open is the number of rows that are known to differ; there are more when
	// AtLeast is set.
	Open    int  `json:"open"`
	AtLeast bool `json:"at_least,omitempty"`
	// Oldest is when the first of them was found.
	Oldest        time.Time `json:"oldest,omitzero"`
	OldestSeconds float64   `json:"oldest_seconds"`
	// Kinds counts the open rows by kind of finding.
	Kinds map[string]int `json:"kinds"`
	// Ages has them besides by how long they have been open.
	Ages map[string]Ages `json:"ages"`
	// What holds some of them up: PutOff wait for another transaction or another
	// row, Hot were still changing, Held are held back on purpose, Dead need a person,
	// Undone were given back what they had before their repair.
	PutOff int `json:"put_off"`
	Hot    int `json:"hot"`
	Held   int `json:"held"`
	Dead   int `json:"dead"`
	Undone int `json:"undone"`
	// Outcomes counts the outcomes that were read, by result.
	Outcomes map[string]int64 `json:"outcomes"`
	// Verified is how far runs without an end have come, by mode.
	Verified []Watermark `json:"verified"`
	// Whole is when the last complete full run began that left nothing undecided.
	Whole time.Time `json:"whole,omitzero"`
	// Verdict is the last one; nil when there is none.
	Verdict *event.Verdict `json:"verdict,omitempty"`
	// Known is false until the topics were read to their end once. Then AsOf is
	// the moment up to which everything in them was read.
	Known            bool      `json:"known"`
	AsOf             time.Time `json:"as_of,omitzero"`
	KnownAsOfSeconds float64   `json:"known_as_of_seconds"`
}

// Ages counts open rows by how long they have been open: for less than each of
// AgeSteps, and longer than the last.
type Ages [len(AgeSteps) + 1]int

// AgeSteps tell what is being repaired from what is left over.
var AgeSteps = [...]time.Duration{time.Minute, time.Hour, 24 * time.Hour}

// add counts a row that has been open for so long.
func (a *Ages) add(age time.Duration) {
	for step, limit := range AgeSteps {
		if age < limit {
			a[step]++
			return
		}
	}
	a[len(AgeSteps)]++
}

// Snapshot is how the pairs stand, by name. asOf is the moment up to which
// everything in the topics was read; zero before they were read to their end.
func (b *Board) Snapshot(now, asOf time.Time) []Pair {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := map[*pair]*Pair{}
	var out []*Pair
	for _, name := range slices.Sorted(maps.Keys(b.pairs)) {
		p := b.pairs[name]
		all[p] = p.snapshot(name, now)
		out = append(out, all[p])
	}
	for id, r := range b.rows {
		if !r.open {
			continue
		}
		if seen := b.review(id, r); r.open {
			all[r.pair].count(r, seen, now)
		}
	}
	pairs := make([]Pair, len(out))
	for i, p := range out {
		p.know(now, asOf)
		p.Line = p.line(now)
		pairs[i] = *p
	}
	return pairs
}

// Verdicts are the verdicts of a pair that are kept, the oldest first.
func (b *Board) Verdicts(name string) []event.Verdict {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.pairs[name]; p != nil {
		return slices.Clone(p.verdicts.List)
	}
	return nil
}

func (p *pair) snapshot(name string, now time.Time) *Pair {
	s := &Pair{
		Pair: name, Config: p.config, AtLeast: !p.missed.IsZero() && !p.superseded(p.missed), Kinds: map[string]int{}, Ages: map[string]Ages{}, Outcomes: map[string]int64{}, Verified: []Watermark{}, Whole: p.whole,
	}
	for result, n := range p.outcomes {
		s.Outcomes[result.String()] = n
	}
	for _, mode := range slices.Sorted(maps.Keys(p.verified)) {
		s.Verified = append(s.Verified, p.verified[mode].now(now))
	}
	if n := len(p.verdicts.List); n > 0 {
		last := p.verdicts.List[n-1]
		s.Verdict = &last
	}
	return s
}

func (w Watermark) now(now time.Time) Watermark {
	behind := w.Behind + max(now.Sub(w.At), 0)
	w.BehindSeconds = behind.Seconds()
	w.Stalled = w.Mode == incremental && behind > StallAfter
	return w
}

func (s *Pair) count(r *row, g glance, now time.Time) {
	s.Open++
	kind, since := r.kind(g).String(), r.openSince(g)
	s.Kinds[kind]++
	ages := s.Ages[kind]
	ages.add(now.Sub(since))
	s.Ages[kind] = ages
	if s.Oldest.IsZero() || since.Before(s.Oldest) {
		s.Oldest = since
	}
	switch g.last {
	case held:
		s.Held++
	case dead:
		s.Dead++
	case undone:
		s.Undone++
	case changing:
		s.Hot++
	case settled:
		if slices.ContainsFunc(g.pending, func(q request) bool { return q.putOff }) {
			s.PutOff++
		}
	}
}

func (s *Pair) know(now, asOf time.Time) {
	if !s.Oldest.IsZero() {
		s.OldestSeconds = max(now.Sub(s.Oldest), 0).Seconds()
	}
	if !asOf.IsZero() {
		s.Known, s.AsOf, s.KnownAsOfSeconds = true, asOf, max(now.Sub(asOf), 0).Seconds()
	}
}
