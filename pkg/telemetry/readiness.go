package telemetry

import (
	"slices"
	"sync"
	"time"
)

// Condition is one thing a service needs, and how it stands.
type Condition struct {
	Name  string `json:"name"`
	Ready bool   `json:"ready"`
	// Detail is a sentence for the operator: why not, or a warning.
	Detail string `json:"detail,omitempty"`
	// Since is when Ready last changed, as far as is known.
	Since time.Time `json:"since,omitzero"`
}

// Readiness collects what a service needs to do its work. It is about the
// service itself, not about how much is left to do: lag does not make it
// unready, since sending the traffic elsewhere would not help.
type Readiness struct {
	mu    sync.Mutex
	names []string // in the order of their first appearance
	sets  map[string]Condition
	asks  map[string]func() (ready bool, detail string, since time.Time)
	// now is time.Now, but for tests.
	now func() time.Time
}

// NewReadiness returns a Readiness without conditions, which is ready.
func NewReadiness() *Readiness {
	return &Readiness{
		sets: map[string]Condition{},
		asks: map[string]func() (bool, string, time.Time){},
		now:  time.Now,
	}
}

// Set says how the condition stands from now on.
func (r *Readiness) Set(name string, ready bool, detail string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.know(name)
	since := r.sets[name].Since
	if since.IsZero() || r.sets[name].Ready != ready {
		since = r.now()
	}
	r.sets[name] = Condition{Name: name, Ready: ready, Detail: detail, Since: since}
}

// Watch has the condition asked for whenever somebody wants to know. The
// function must answer at once, from memory.
func (r *Readiness) Watch(name string, ask func() (ready bool, detail string, since time.Time)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.know(name)
	r.asks[name] = ask
}

func (r *Readiness) know(name string) {
	if !slices.Contains(r.names, name) {
		r.names = append(r.names, name)
	}
}

// Conditions returns all conditions and whether every one of them is met.
func (r *Readiness) Conditions() (ready bool, all []Condition) {
	r.mu.Lock()
	names, asks := slices.Clone(r.names), make([]func() (bool, string, time.Time), len(r.names))
	all = make([]Condition, len(names))
	for i, name := range names {
		all[i], asks[i] = r.sets[name], r.asks[name]
	}
	r.mu.Unlock()
	ready = true
	for i, ask := range asks {
		if ask != nil { // outside the lock: a slow answer must not hold up Set
			c := Condition{Name: names[i]}
			c.Ready, c.Detail, c.Since = ask()
			all[i] = c
		}
		ready = ready && all[i].Ready
	}
	return ready, all
}
