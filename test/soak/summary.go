package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// summary is what a soak did and found.
type summary struct {
	options    options
	began      time.Time
	directions []*direction
	broker     tally
	found      []string
}

func (s *summary) violations() []string { return s.found }

// markdown is a table with a column for each direction.
func (s *summary) markdown() string {
	var out strings.Builder
	verdict := "nothing is wrong"
	if len(s.found) > 0 {
		verdict = fmt.Sprintf("%d violations", len(s.found))
	}
	way := "from source to target"
	if s.options.cutOver {
		way = "from target to source, as after a cut-over"
	}
	fmt.Fprintf(&out, "\n## %g minutes, seed %d, repairs %s: %s\n\n", s.options.minutes, s.options.seed, way, verdict)
	fmt.Fprintf(&out, "%s. %s. Everything on one machine. Of each direction: %d writers of %d keys in each of %d tables, %d fixers, 1 validator.\n\n",
		s.began.UTC().Format("2006-01-02 15:04 MST"), machine(), s.options.writers, s.options.rows, len(tables), s.options.fixers)
	var names []string
	for _, d := range s.directions {
		names = append(names, d.name)
	}
	fmt.Fprintf(&out, "| | %s |\n|---|%s\n", strings.Join(names, " | "), strings.Repeat("---:|", len(names)))
	s.group(&out, "writers' transactions", func(d *direction) map[string]int64 { return d.operations.snapshot() })
	s.group(&out, "rows they changed", func(d *direction) map[string]int64 { return d.rows.snapshot() })
	s.group(&out, "replicator", (*direction).replication)
	s.group(&out, "damage, rows", func(d *direction) map[string]int64 { return d.damage.snapshot() })
	s.group(&out, "mishaps", func(d *direction) map[string]int64 { return d.mishap.snapshot() })
	s.group(&out, "outcomes", func(d *direction) map[string]int64 {
		counts := map[string]int64{}
		for name, n := range d.results {
			counts[name] = int64(n)
		}
		return counts
	})
	s.group(&out, "in the end", (*direction).ending)
	if counts := s.broker.snapshot(); len(counts) > 0 {
		out.WriteString("\nKafka, which all share:")
		for _, name := range slices.Sorted(maps.Keys(counts)) {
			fmt.Fprintf(&out, " %s %d times;", name, counts[name])
		}
		out.WriteString("\n")
	}
	for _, line := range s.found {
		fmt.Fprintf(&out, "- VIOLATION: %s\n", line)
	}
	return out.String()
}

// group prints a row for each name that any direction counts, and their sum.
func (s *summary) group(out *strings.Builder, title string, of func(*direction) map[string]int64) {
	columns := make([]map[string]int64, len(s.directions))
	names := map[string]bool{}
	for i, d := range s.directions {
		columns[i] = of(d)
		for name := range columns[i] {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		fmt.Fprintf(out, "| %s: %s |", title, name)
		for _, c := range columns {
			fmt.Fprintf(out, " %d |", c[name])
		}
		out.WriteString("\n")
	}
}

func (d *direction) replication() map[string]int64 {
	r := &d.replicated
	counts := map[string]int64{
		"transactions":                      r.transactions.Load(),
		"rows in the way, removed":          r.removed.Load(),
		"tried again":                       r.retries.Load(),
		"longest transaction, ms":           time.Duration(r.longest.Load()).Milliseconds(),
		"furthest behind the authority, ms": time.Duration(r.furthest.Load()).Milliseconds(),
	}
	deadlocks := r.deadlocks.snapshot()
	for _, who := range []opponent{product, others, unknown} {
		counts["victim of a deadlock with "+string(who)] = deadlocks[string(who)]
	}
	return counts
}

func (d *direction) ending() map[string]int64 {
	return map[string]int64{
		"findings":                                int64(d.findings),
		"findings without an outcome":             int64(d.lost),
		"put off, messages":                       int64(d.retries),
		"dead letters":                            int64(d.dead),
		"looks at the copy for older rows":        d.watch.looks,
		"clean verdicts held against it":          d.watch.cleans,
		"longest that a deleted row was seen, ms": d.watch.longest.Milliseconds(),
		"seconds to clean":                        int64(d.toClean.Seconds() + 0.5),
		"rows compared":                           int64(d.compared),
		"differences left":                        int64(len(d.different)),
	}
}
