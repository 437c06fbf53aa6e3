package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// markdown is a table with a column for each route.
func (c *continuous) markdown() string {
	var out strings.Builder
	verdict, found := "nothing is wrong", c.violations()
	if len(found) > 0 {
		verdict = fmt.Sprintf("%d violations", len(found))
	}
	o := c.options
	fmt.Fprintf(&out, "\n## %g minutes of following changes, seed %d: %s\n\n", o.minutes, o.seed, verdict)
	fmt.Fprintf(&out, "%s. %s. Everything on one machine, with one Kafka Connect worker for the %d connectors. Of each direction: %d writers of %d keys in each of %d tables, %g transactions a second, %d fixers, 1 validator; changes settle for %v, and differences are looked at again after %v.\n\n",
		c.began.UTC().Format("2006-01-02 15:04 MST"), machine(), 2*len(c.routes), o.writers, o.rows, len(followedTables), o.rate, o.fixers, settleTime, confirmTime)
	var names []string
	for _, r := range c.routes {
		names = append(names, r.name)
	}
	fmt.Fprintf(&out, "| | %s |\n|---|%s\n", strings.Join(names, " | "), strings.Repeat("---:|", len(names)))
	c.group(&out, "writers", func(r *route) map[string]string { return counts(r.writes.snapshot()) })
	c.group(&out, "damage, rows", func(r *route) map[string]string { return counts(r.damage.snapshot()) })
	c.group(&out, "what became of it", (*route).fates)
	c.group(&out, "seconds from damage to finding, p50; p99; max", (*route).detection)
	c.group(&out, "seconds that what is verified was behind, p50; p99; max", (*route).behind)
	c.group(&out, "outcomes", func(r *route) map[string]string {
		out := map[string]string{}
		for name, n := range r.results {
			out[name] = fmt.Sprint(n)
		}
		return out
	})
	c.group(&out, "in the end", (*route).ending)
	fmt.Fprintf(&out, "\nClean %.0f s after the last write. Mishaps:", c.settling.Seconds())
	befell := c.mishap.snapshot()
	for _, name := range slices.Sorted(maps.Keys(befell)) {
		fmt.Fprintf(&out, " %s %d times;", name, befell[name])
	}
	out.WriteString("\n")
	for _, line := range found {
		fmt.Fprintf(&out, "- VIOLATION: %s\n", line)
	}
	return out.String()
}

// group prints a row for each name that any route has a figure for.
func (c *continuous) group(out *strings.Builder, title string, of func(*route) map[string]string) {
	columns := make([]map[string]string, len(c.routes))
	names := map[string]bool{}
	for i, r := range c.routes {
		columns[i] = of(r)
		for name := range columns[i] {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		fmt.Fprintf(out, "| %s: %s |", title, name)
		for _, figures := range columns {
			figure, has := figures[name]
			if !has {
				figure = "0"
			}
			fmt.Fprintf(out, " %s |", figure)
		}
		out.WriteString("\n")
	}
}

func counts(of map[string]int64) map[string]string {
	out := map[string]string{}
	for name, n := range of {
		out[name] = fmt.Sprint(n)
	}
	return out
}

func (r *route) fates() map[string]string {
	return counts(map[string]int64{
		"found": r.judged.fates[found], "written over by the replicator before it was found": r.judged.fates[overtaken],
		"repaired together with an earlier finding of the row": r.judged.fates[swept], "missed": r.judged.fates[missed],
	})
}

// detection is how long it took to find what was damaged.
func (r *route) detection() map[string]string {
	out := map[string]string{fmt.Sprintf("all, no mishap within %v", nearTime): spreadOf(r.judged.undisturbed)}
	var all []time.Duration
	for kind, list := range r.judged.took {
		out[kind] = spreadOf(list)
		all = append(all, list...)
	}
	slices.Sort(all)
	out["all"] = spreadOf(all)
	return out
}

func (r *route) behind() map[string]string {
	out := map[string]string{}
	for name := range r.claims.said {
		out[name] = spreadOf(r.claims.behind(name))
	}
	return out
}

func (r *route) ending() map[string]string {
	return counts(map[string]int64{
		"findings":                        int64(r.judged.findings),
		"rows that the journal knows":     int64(len(r.journal.rows)),
		"rows compared":                   int64(r.compared),
		"differences left":                int64(len(r.different)),
		"replicator: furthest behind, ms": time.Duration(r.replicated.furthest.Load()).Milliseconds(),
		"replicator: transactions":        r.replicated.transactions.Load(),
		"replicator: tried again":         r.replicated.retries.Load(),
	})
}

// spreadOf are the median, the 99th percentile and the last of sorted times.
func spreadOf(sorted []time.Duration) string {
	if len(sorted) == 0 {
		return "–"
	}
	at := func(p int) float64 { return sorted[(len(sorted)*p+99)/100-1].Seconds() }
	return fmt.Sprintf("%.1f; %.1f; %.1f", at(50), at(99), at(100))
}
