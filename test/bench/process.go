package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sample is one run of one contender.
type sample struct {
	wall   time.Duration
	cpu    time.Duration // of the client
	maxRSS int64         // of the client, KiB
	server serverCPU
	stdout string
}

// contender is one way to do the work that is measured.
type contender struct {
	name string
	run  func(context.Context) (sample, error)
}

// command is a contender that is a program.
type command struct {
	name string
	argv []string
	// exits are the statuses that count as having done the work.
	exits []int
}

func (c command) contender() contender { return contender{c.name, c.run} }

func (c command) run(ctx context.Context) (sample, error) {
	cmd := exec.CommandContext(ctx, c.argv[0], c.argv[1:]...)
	// reladiff breaks its lines at the width of a terminal.
	cmd.Env = append(os.Environ(), "COLUMNS=100000")
	var out, trouble bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &trouble
	start := time.Now()
	p, err := startProcess(cmd)
	if err != nil {
		return sample{}, fmt.Errorf("start %s: %w", c.name, err)
	}
	err = p.wait()
	s := sample{wall: time.Since(start), stdout: out.String(), maxRSS: p.peak, cpu: p.cpu()}
	if err != nil && !isExit(err) {
		return s, fmt.Errorf("run %s: %w", c.name, err)
	}
	if status := cmd.ProcessState.ExitCode(); !slices.Contains(c.exits, status) {
		return s, &exitError{c.name, status, tail(trouble.String() + s.stdout)}
	}
	return s, nil
}

func isExit(err error) bool {
	_, ok := errors.AsType[*exec.ExitError](err)
	return ok
}

// exitError is a command that did not do its work.
type exitError struct {
	name   string
	status int
	output string
}

func (e *exitError) Error() string {
	return fmt.Sprintf("%s ended with status %d:\n%s", e.name, e.status, e.output)
}

// process is a program at work, whose memory is watched.
type process struct {
	*exec.Cmd
	peak  int64 // KiB, once it has ended
	ended chan struct{}
	seen  chan int64
}

// watchEvery is how often the memory of a process is looked at. The kernel
// keeps the peak, so that only the growth of the last moment escapes.
const watchEvery = 10 * time.Millisecond

func startProcess(cmd *exec.Cmd) (*process, error) {
	p := &process{Cmd: cmd, ended: make(chan struct{}), seen: make(chan int64, 1)}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go p.watch()
	return p, nil
}

// watch reads the peak from /proc. The kernel's own account of an ended
// process would not do: a program starts with the peak of the one that started
// it, which is this one.
func (p *process) watch() {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	peak := int64(0)
	for {
		if text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid)); err == nil {
			peak = max(peak, peakOf(string(text)))
		}
		select {
		case <-tick.C:
		case <-p.ended:
			p.seen <- peak
			return
		}
	}
}

// peakOf is the peak of resident memory, in KiB, that a process's status
// names; 0 when it names none, as that of a process that is about to end.
func peakOf(status string) int64 {
	for line := range strings.Lines(status) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err == nil {
				return n
			}
		}
	}
	return 0
}

// wait waits for the end.
func (p *process) wait() error {
	err := p.Wait()
	close(p.ended)
	p.peak = <-p.seen
	return err
}

// cpu is the processor time, user and system, of an ended process.
func (p *process) cpu() time.Duration { return p.ProcessState.UserTime() + p.ProcessState.SystemTime() }

// race runs the contenders in turn, one warm-up and then the counted runs, so
// that a change in the machine's speed meets all of them.
func race(ctx context.Context, o options, env services, contenders ...contender) (map[string][]sample, error) {
	results := map[string][]sample{}
	for i := range o.runs + 1 {
		for _, c := range contenders {
			s, err := measured(ctx, env, c)
			if err != nil {
				return nil, err
			}
			progress("%s: %.2f s", c.name, s.wall.Seconds())
			if i > 0 {
				results[c.name] = append(results[c.name], s)
			}
		}
	}
	return results, nil
}

// measured runs a contender once and adds what it cost the servers.
func measured(ctx context.Context, env services, c contender) (sample, error) {
	before, err := env.cpu.read()
	if err != nil {
		return sample{}, err
	}
	s, err := c.run(ctx)
	if err != nil {
		return s, err
	}
	after, err := env.cpu.read()
	s.server = after.minus(before)
	return s, err
}

func tail(text string) string {
	const most = 2000
	if len(text) > most {
		return "…" + text[len(text)-most:]
	}
	return text
}
