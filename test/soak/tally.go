package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
)

// tally counts what happens, by name.
type tally struct {
	mu     sync.Mutex
	counts map[string]int64
}

func (t *tally) add(name string, n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil {
		t.counts = map[string]int64{}
	}
	t.counts[name] += n
}

func (t *tally) one(name string) func() { return func() { t.add(name, 1) } }

func (t *tally) snapshot() map[string]int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.counts)
}

// violations are what must not be, each kept once, up to a limit.
type violations struct {
	mu    sync.Mutex
	seen  map[string]bool
	texts []string
	more  int
}

const mostViolations = 200

func (v *violations) add(prefix string) func(string) {
	return func(text string) {
		v.mu.Lock()
		defer v.mu.Unlock()
		text = prefix + ": " + text
		if v.seen == nil {
			v.seen = map[string]bool{}
		}
		switch {
		case v.seen[text]:
		case len(v.texts) >= mostViolations:
			v.more++
		default:
			v.seen[text] = true
			v.texts = append(v.texts, text)
			fmt.Fprintln(os.Stderr, "soak: VIOLATION:", text)
		}
	}
}

func (v *violations) all() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	out := slices.Clone(v.texts)
	if v.more > 0 {
		out = append(out, fmt.Sprintf("and %d more", v.more))
	}
	return out
}
