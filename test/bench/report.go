package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// median returns the middle of the samples by wall time, the lower one of two.
func median(samples []sample) sample {
	sorted := slices.SortedFunc(slices.Values(samples), func(a, b sample) int { return cmp.Compare(a.wall, b.wall) })
	return sorted[(len(sorted)-1)/2]
}

// spread is "median; min–max" of the wall times, in seconds.
func spread(samples []sample) string {
	low, high := samples[0].wall, samples[0].wall
	for _, s := range samples {
		low, high = min(low, s.wall), max(high, s.wall)
	}
	return fmt.Sprintf("%.2f; %.2f–%.2f", median(samples).wall.Seconds(), low.Seconds(), high.Seconds())
}

// fastest is the name of the contender with the least median among those that
// took part, "" when none did.
func fastest(results map[string][]sample, names ...string) string {
	best := ""
	for _, name := range names {
		if len(results[name]) == 0 {
			continue
		}
		if best == "" || median(results[name]).wall < median(results[best]).wall {
			best = name
		}
	}
	return best
}

// ratio is the median of one contender over that of another.
func ratio(results map[string][]sample, name, to string) float64 {
	return median(results[name]).wall.Seconds() / median(results[to]).wall.Seconds()
}

// printTable prints a Markdown table under a heading.
func printTable(title string, header []string, rows [][]string) {
	if title != "" {
		fmt.Printf("## %s\n\n", title)
	}
	fmt.Printf("| %s |\n|%s\n", strings.Join(header, " | "), strings.Repeat("---|", len(header)))
	for _, row := range rows {
		fmt.Printf("| %s |\n", strings.Join(row, " | "))
	}
	fmt.Println()
}

// printRace prints the medians and their ratio to one contender.
func printRace(title string, env services, m match, results map[string][]sample, base string, order ...contender) {
	toPostgres := m.target.engine == "PostgreSQL"
	header := []string{"command", "wall s (median; min–max)", "client CPU s", "client peak MiB"}
	if toPostgres {
		header = append(header, "MariaDB CPU s", "PostgreSQL CPU s")
	} else {
		header = append(header, "MariaDB CPU s, both sides")
	}
	var rows [][]string
	for _, c := range order {
		typical, memory := median(results[c.name]), "–"
		if typical.maxRSS > 0 {
			memory = mib(typical.maxRSS)
		}
		line := []string{c.name, spread(results[c.name]), seconds(typical.cpu), memory, env.cpu.text(env.cpu.mysql, typical.server.mysql)}
		if toPostgres {
			line = append(line, env.cpu.text(env.cpu.postmaster, typical.server.postgres))
		}
		rows = append(rows, append(line, fmt.Sprintf("%.2f", ratio(results, c.name, base))))
	}
	printTable(title, append(header, "ratio to "+base), rows)
}

// text is the time a server used, or that it is not known.
func (cpuMeter) text(pid int, used time.Duration) string {
	if pid == 0 {
		return "unknown"
	}
	return seconds(used)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f", d.Seconds()) }

func mib(kib int64) string { return fmt.Sprintf("%.1f", float64(kib)/1024) }

// goal is a figure beside what it should be.
type goal struct {
	what   string
	figure float64
	// want is the bound; least says that the figure may not be below it
	// rather than not above it.
	want  float64
	least bool
}

func (g goal) met() bool {
	if g.least {
		return g.figure >= g.want
	}
	return g.figure <= g.want
}

func printGoals(goals ...goal) {
	if len(goals) == 0 {
		return
	}
	var rows [][]string
	for _, g := range goals {
		bound, verdict := "at most", "**met**"
		if g.least {
			bound = "at least"
		}
		if !g.met() {
			verdict = "**not met**"
		}
		rows = append(rows, []string{g.what, figure(g.figure), bound + " " + figure(g.want), verdict})
	}
	printTable("", []string{"goal", "measured", "wanted", ""}, rows)
}

// figure is a whole number as it is, any other with four digits.
func figure(f float64) string {
	if f == math.Trunc(f) {
		return fmt.Sprintf("%.0f", f)
	}
	return fmt.Sprintf("%.4g", f)
}

// printMachine says what the figures were measured on and with.
func printMachine(ctx context.Context, o options, env services) error {
	db, err := env.openMySQL("")
	if err != nil {
		return err
	}
	defer closeQuietly(db)
	var mysqlVersion, postgresVersion string
	if err := db.QueryRowContext(ctx, "SELECT VERSION()").Scan(&mysqlVersion); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, env.postgres)
	if err != nil {
		return err
	}
	defer closePostgres(ctx, conn)
	if err := conn.QueryRow(ctx, "SHOW server_version").Scan(&postgresVersion); err != nil {
		return err
	}
	parts := []string{
		fmt.Sprintf("%s, %d processors, %s of memory; servers, tools and trueup on this one machine", fromProc("/proc/cpuinfo", "model name"), runtime.NumCPU(), fromProc("/proc/meminfo", "MemTotal")),
		"MariaDB " + mysqlVersion, "PostgreSQL " + postgresVersion, runtime.Version(),
	}
	for _, tool := range []string{o.reladiff, o.ptSync, o.ptChecksum} {
		if tool != "" {
			parts = append(parts, toolVersion(ctx, tool))
		}
	}
	fmt.Printf("# %s\n\n%s.\n\nCommand: `go run ./test/bench %s`. %d counted runs of each command after a warm-up, in turn, unless it says otherwise.\n\n",
		time.Now().UTC().Format(time.DateOnly), strings.Join(parts, "; "), strings.Join(os.Args[1:], " "), o.runs)
	return nil
}

// fromProc is the first value of that name in a file of "name: value" lines.
func fromProc(path, name string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func toolVersion(ctx context.Context, tool string) string {
	out, err := exec.CommandContext(ctx, tool, "--version").Output()
	name := tool[strings.LastIndexByte(tool, '/')+1:]
	if err != nil {
		return name
	}
	version := strings.TrimSpace(string(out))
	if strings.HasPrefix(version, name) {
		return version
	}
	return name + " " + strings.TrimPrefix(version, "v")
}
