package main

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/report"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/validate"
)

// record is what the report keeps of one pair's run, in bounded memory.
type record struct {
	resolved
	mode  validate.Mode
	start validate.Start
	// tracks has one for each pass.
	tracks   []report.Track
	ended    map[int]bool // the passes whose last range was looked at
	samples  [3]report.Sample[event.Finding]
	drawn    report.Sample[event.Finding]
	low      float64 // of the key's first column as far as ranges told; NaN before
	high     float64
	warnings []string
}

func newRecord(pair resolved, mode validate.Mode, keys int) *record {
	r := &record{resolved: pair, mode: mode, ended: map[int]bool{}, low: math.NaN(), high: math.NaN()}
	for i := range r.samples {
		r.samples[i].Limit = keys
	}
	r.drawn.Limit = plotted
	return r
}

// kindOf is a finding's kind as the report counts it.
func kindOf(k event.Kind) report.Kind {
	switch k {
	case event.TargetMissing:
		return report.Missing
	case event.BaseMissing:
		return report.Extra
	default:
		return report.NotEqual
	}
}

func (r *record) find(f event.Finding) {
	r.samples[kindOf(f.Kind)].Add(f)
	r.drawn.Add(f)
}

func (r *record) place(f validate.Placed) {
	r.track(f.Place.Pass).Find(f.Place.Number, kindOf(f.Kind))
}

func (r *record) track(pass int) *report.Track {
	for len(r.tracks) <= pass {
		r.tracks = append(r.tracks, report.Track{})
	}
	return &r.tracks[pass]
}

func (r *record) warn(message string) {
	if len(r.warnings) < maxReportWarnings && !slices.Contains(r.warnings, message) {
		r.warnings = append(r.warnings, message)
	}
}

func (r *record) rangeDone(done validate.RangeReport) {
	s := report.Stretch{
		Number: done.Place.Number, Rows: max(done.SourceRows, done.TargetRows, done.Scanned), Unreadable: done.Unreadable != nil,
		From: r.showKey(done.Range.After), Through: r.showKey(done.Range.Through),
	}
	if r.mode == validate.Count && done.Unreadable == nil {
		authority, replica := done.SourceRows, done.TargetRows
		if r.asked.Side() == event.Target {
			authority, replica = replica, authority
		}
		s.Found[report.Missing], s.Found[report.Extra] = max(authority-replica, 0), max(replica-authority, 0)
	}
	r.track(done.Place.Pass).Range(s)
	if done.Range.Through == nil {
		r.ended[done.Place.Pass] = true
	}
	for _, key := range []row.Key{done.Range.After, done.Range.Through} {
		if len(key) == 0 {
			continue
		}
		if at, ok := position(r.keyTypes()[0], key[0]); ok {
			r.low, r.high = math.Min(at, orElse(r.low, at)), math.Max(at, orElse(r.high, at))
		}
	}
}

func orElse(v, otherwise float64) float64 {
	if math.IsNaN(v) {
		return otherwise
	}
	return v
}

func (r *record) keyTypes() []canonical.Type {
	var out []canonical.Type
	for _, c := range r.pair.Source.KeyColumns() {
		out = append(out, c.As)
	}
	return out
}

// fill says in the report what the run concluded.
func (r *record) fill(out *report.Pair, v validate.Verdict, err error) {
	out.State, out.Reason = stateOf(v, err), v.Reason
	switch {
	case err != nil:
		out.Reason = err.Error()
	case v.Unreadable > 0 && len(v.UnreadableRanges) > 0:
		out.Reason = "something could not be read; the ranges are listed below, each with its reason"
	case out.State != report.Incomplete && v.Findings() == 0:
		out.Reason = "" // the state says it
	}
	out.Source.Rows, out.Target.Rows = v.SourceRows, v.TargetRows
	out.Found = report.Kinds{report.Missing: v.TargetMissing, report.NotEqual: v.NotEqual, report.Extra: v.BaseMissing}
	out.Open, out.Unreadable, out.Resumed = v.Open, v.Unreadable, v.Resumed
	out.Took = time.Duration(v.Seconds * float64(time.Second))
	slices.SortFunc(v.UnreadableRanges, func(a, b validate.UnreadableRange) int {
		return compareKeys(r.eventKey(a.Range.After), r.eventKey(b.Range.After))
	})
	for _, u := range v.UnreadableRanges {
		out.Ranges = append(out.Ranges, report.Unreadable{Range: r.showRange(u.Range), Reason: u.Reason})
	}
	out.Warnings = append(out.Warnings, r.warnings...)
	out.Space = r.space()
	out.ByKey = r.byKey()
	for kind := range r.samples {
		out.Samples = append(out.Samples, r.sampleKeys(report.Kind(kind), out.Found[kind])...)
	}
}

func stateOf(v validate.Verdict, err error) report.State {
	switch {
	case err != nil || !v.Complete:
		return report.Incomplete
	case v.Clean:
		return report.Clean
	case v.Mode == validate.Count.String() && v.SourceRows == v.TargetRows:
		return report.CountsAgree
	case v.Mode == validate.Count.String() || v.Findings() > 0:
		return report.Different
	default:
		return report.Unsettled
	}
}

// space names the walks and says what they left out.
func (r *record) space() []report.Track {
	authority, replica := r.asked.Side().String(), r.asked.Side().Other().String()
	for pass := range r.tracks {
		t := &r.tracks[pass]
		switch {
		case r.mode == validate.Reverse || pass > 0:
			t.Title = "By place among the " + replica + "'s keys."
		default:
			t.Title = "By place among the " + authority + "'s keys."
		}
	}
	if last := len(r.tracks) - 1; last >= 0 && !r.ended[last] {
		r.tracks[last].Left = r.left(last)
	}
	return r.tracks
}

// left is about how many rows a walk that did not reach its end did not see;
// 0 where a filter makes the engine's estimate worthless.
func (r *record) left(pass int) int64 {
	side := &r.pair.Source
	if (r.asked.Side() == event.Target) != (r.mode == validate.Reverse || pass > 0) {
		side = &r.pair.Target
	}
	if side.Filter() != "" {
		return 0
	}
	left := side.Table.Rows - r.tracks[pass].Rows()
	if pass == 0 {
		left -= r.start.Done
	}
	return max(left, 0)
}

// byKey is where findings lie by the first column of the key, where that has a
// measure.
func (r *record) byKey() *report.Histogram {
	var points []report.Point
	column := r.pair.Source.KeyColumns()[0]
	for _, f := range r.drawn.Items() {
		if at, ok := position(column.As, f.Key[0].Value); ok {
			points = append(points, report.Point{Kind: kindOf(f.Kind), At: at})
		}
	}
	if len(points) < 2 { // one stands in the samples
		return nil
	}
	var h *report.Histogram
	if isTime(column.As) {
		h = report.Times(points)
	} else {
		h = report.Numbers(points, r.low, r.high, column.As.Kind == canonical.Int)
	}
	if h != nil {
		h.Of, h.Sampled, h.Total = r.pair.KeyNames()[0], int64(len(points)), r.drawn.Seen()
	}
	return h
}

func (r *record) sampleKeys(kind report.Kind, total int64) []report.Samples {
	items := slices.Clone(r.samples[kind].Items())
	if len(items) == 0 {
		return nil
	}
	slices.SortFunc(items, func(a, b event.Finding) int { return compareKeys(a.Key, b.Key) })
	out := report.Samples{Kind: kind, Total: total}
	for _, f := range items {
		key := report.Key{Columns: f.Columns}
		for _, c := range f.Key {
			key.Values = append(key.Values, report.Value{Column: c.Column, Type: c.Type.String(), Text: showValue(c.Type, c.Value)})
		}
		out.Keys = append(out.Keys, key)
	}
	return []report.Samples{out}
}

func (r *record) eventKey(key row.Key) event.Key {
	types := r.keyTypes()
	out := make(event.Key, len(key))
	for i, v := range key {
		out[i] = event.KeyColumn{Type: types[i], Value: v}
	}
	return out
}

// compareKeys puts keys in an order a person can follow.
func compareKeys(a, b event.Key) int {
	for i := range min(len(a), len(b)) {
		x, okX := position(a[i].Type, a[i].Value)
		y, okY := position(b[i].Type, b[i].Value)
		switch {
		case okX && okY && x < y:
			return -1
		case okX && okY && x > y:
			return 1
		}
		if order := strings.Compare(string(a[i].Value), string(b[i].Value)); order != 0 {
			return order
		}
	}
	return len(a) - len(b) // the start of the index first
}
