package kafka

import (
	"sync"
	"time"
)

// health is the set of things that are wrong now. Each has a key, so that the
// recovery of one does not hide another.
type health struct {
	mu      sync.Mutex
	wrong   map[any]ailment
	since   time.Time
	changed func(ok bool)
}

type ailment struct {
	reason string
	since  time.Time
}

// untried is the key of what is wrong in the beginning: nothing is known yet.
// Whatever becomes known replaces it.
const untried = "untried"

func newHealth(reason string, changed func(ok bool)) *health {
	now := time.Now()
	return &health{wrong: map[any]ailment{untried: {reason, now}}, since: now, changed: changed}
}

func (h *health) fail(key any, reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	since := time.Now()
	if known, ok := h.wrong[key]; ok {
		since = known.since
	} else if len(h.wrong) == 0 {
		h.since = since
		h.changed(false)
	}
	delete(h.wrong, untried)
	h.wrong[key] = ailment{reason, since}
}

func (h *health) heal(keys ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := len(h.wrong)
	delete(h.wrong, untried)
	for _, key := range keys {
		delete(h.wrong, key)
	}
	if before > 0 && len(h.wrong) == 0 {
		h.since = time.Now()
		h.changed(true)
	}
}

// now returns the reason that lasts longest, and since when the answer is what it is.
func (h *health) now() (ok bool, reason string, since time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	since = h.since
	for _, a := range h.wrong {
		if reason == "" || a.since.Before(since) {
			reason, since = a.reason, a.since
		}
	}
	return len(h.wrong) == 0, reason, since
}
