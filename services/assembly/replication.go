package assembly

import (
	"context"
	"fmt"
	"sync"

	"github.com/trueup/trueup/pkg/config"
	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/validate"
)

// Replication says how the copy's delay is measured, so that a difference is
// looked at again only when the copy has followed.
type Replication struct {
	// Measure is auto, by the heartbeat if there is one and else by what the
	// servers say of their replication, or off; auto when empty.
	Measure string `yaml:"measure"`
	// Heartbeat is a statement, in the SQL of the copy's engine, that gives one
	// value there: the authority's time, in UTC, of the last beat that has been
	// applied; or seconds since 1970.
	Heartbeat string `yaml:"heartbeat"`
}

// measureOff turns measuring off.
const measureOff = "off"

func (r *Replication) validate() error {
	switch r.Measure {
	case "", "auto":
		return nil
	case measureOff:
		if r.Heartbeat != "" {
			return config.At("replication", fmt.Errorf("measure is off and a heartbeat is given; leave one of them out"))
		}
		return nil
	default:
		return config.At("replication.measure", fmt.Errorf("%q is unknown; say auto or off", r.Measure))
	}
}

// Followers are the measures of replication for each authority. They are safe
// for concurrent use.
type Followers struct {
	databases *Databases
	settings  Replication

	mu    sync.Mutex
	known map[event.Side]validate.Follower
	told  map[event.Side]bool
}

// Followers prepares to measure replication between the databases.
func (d *Databases) Followers(r Replication) *Followers {
	return &Followers{databases: d, settings: r, known: map[event.Side]validate.Follower{}, told: map[event.Side]bool{}}
}

// Of is what measures how far the copy of an authority has followed; nil when
// nothing does. An error says, the first time only, why a measure that exists
// cannot be taken: the run then waits for the fixed time, and the next one asks
// again.
func (f *Followers) Of(ctx context.Context, authority event.Side) (validate.Follower, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	follower, known := f.known[authority]
	if known || f.settings.Measure == measureOff {
		return follower, nil
	}
	found, err := database.Follow(ctx, f.databases.Of(authority), f.databases.Of(authority.Other()), f.settings.Heartbeat)
	if err != nil && f.told[authority] {
		return nil, nil
	}
	if err != nil {
		f.told[authority] = true
		return nil, fmt.Errorf("%s: the copy's delay cannot be measured, differences wait for the fixed time instead: %w", authority.Other(), err)
	}
	if found != nil { // a nil pointer would be a Follower that is not nil
		follower = found
	}
	f.known[authority] = follower
	return follower, nil
}
