package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// sample is one run of one command.
type sample struct {
	wall   time.Duration
	cpu    time.Duration
	maxRSS int64 // KiB
	exit   int
	output string
}

// command is one contender.
type command struct {
	name string
	argv []string
	env  []string
	// exits are the statuses that count as having done the work.
	exits []int
}

func (c command) run(ctx context.Context) (sample, error) {
	cmd := exec.CommandContext(ctx, c.argv[0], c.argv[1:]...)
	cmd.Env = append(os.Environ(), c.env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	start := time.Now()
	err := cmd.Run()
	s := sample{wall: time.Since(start), output: out.String()}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return s, fmt.Errorf("start %s: %w", c.name, err)
	}
	s.exit = cmd.ProcessState.ExitCode()
	s.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		s.maxRSS = usage.Maxrss
	}
	if !slices.Contains(c.exits, s.exit) {
		return s, fmt.Errorf("%s ended with status %d:\n%s", c.name, s.exit, tail(s.output))
	}
	return s, nil
}

// race runs the contenders in turn, one warm-up and then the counted runs, so
// that a change in the machine's speed meets all of them.
func race(ctx context.Context, runs int, contenders ...command) (map[string][]sample, error) {
	results := map[string][]sample{}
	for i := range runs + 1 {
		for _, c := range contenders {
			s, err := c.run(ctx)
			if err != nil {
				return nil, err
			}
			if i > 0 {
				results[c.name] = append(results[c.name], s)
			}
		}
	}
	return results, nil
}

// median returns the sample in the middle by wall time.
func median(samples []sample) sample {
	sorted := slices.Clone(samples)
	slices.SortFunc(sorted, func(a, b sample) int { return int(a.wall - b.wall) })
	return sorted[len(sorted)/2]
}

// table prints the medians and their ratio to the first contender.
func table(title string, results map[string][]sample, order ...command) {
	fmt.Printf("## %s\n\n| command | wall s (median; min–max) | client CPU s | client peak MiB | ratio to %s |\n|---|---|---|---|---|\n", title, order[0].name)
	base := median(results[order[0].name]).wall
	for _, c := range order {
		samples := results[c.name]
		m := median(samples)
		low, high := samples[0].wall, samples[0].wall
		for _, s := range samples {
			low, high = min(low, s.wall), max(high, s.wall)
		}
		fmt.Printf("| %s | %.2f; %.2f–%.2f | %.2f | %.1f | %.2f |\n", c.name,
			m.wall.Seconds(), low.Seconds(), high.Seconds(), m.cpu.Seconds(), float64(m.maxRSS)/1024,
			m.wall.Seconds()/base.Seconds())
	}
	fmt.Println()
}

// machine says what the figures were measured on.
func machine() string {
	model := "unknown processor"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%s: %s, %d processors, %s", time.Now().UTC().Format("2006-01-02"), model, runtime.NumCPU(), runtime.Version())
}

func tail(text string) string {
	const most = 2000
	if len(text) > most {
		return "…" + text[len(text)-most:]
	}
	return text
}
