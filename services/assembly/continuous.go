package assembly

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/trueup/trueup/pkg/config"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/schedule"
	"github.com/trueup/trueup/pkg/schema"
)

// Continuous are the settings of runs that never end.
type Continuous struct {
	// Settle is how old a change is before it is looked at; 2s when left out.
	Settle time.Duration `yaml:"settle"`
	// Margin is how much older it must be where the authority's open
	// transactions cannot be seen: no transaction may last longer. 1m when left
	// out.
	Margin time.Duration `yaml:"margin"`
	// Pending is how many rows named by change events may wait, for each pair;
	// 100000 when left out. When there are more, ranges are compared instead.
	Pending int `yaml:"pending"`
	// Start is where reading change events begins that were never read: oldest,
	// which is everything the topic still has, or newest; oldest when empty.
	Start string `yaml:"start"`
}

// Changes are the topics with a pair's change events, as Debezium writes them;
// either or both may be given.
type Changes struct {
	Source string `yaml:"source"`
	Target string `yaml:"target"`
}

// Defaults and bounds of Continuous.
const (
	// DefaultSettle lets a replicator that is well bring a change over.
	DefaultSettle = 2 * time.Second
	minSettle     = 200 * time.Millisecond // MySQL's list of transactions is up to 100 ms old
	maxSettle     = time.Hour
	DefaultMargin = time.Minute
	maxMargin     = 24 * time.Hour
	// DefaultPending is some ten megabytes of keys.
	DefaultPending = 100_000
)

// IncrementalState begins the key under which the position of a pair's
// incremental run stands in the state topic, and OnceState those of runs that
// were begun with --once: a service that runs the pair goes on beside them.
const (
	IncrementalState = "incremental/"
	OnceState        = "once/"
)

// Places to start.
const (
	StartOldest = "oldest"
	StartNewest = "newest"
)

func (c *Continuous) validate() error {
	if c.Settle == 0 {
		c.Settle = DefaultSettle
	}
	if c.Margin == 0 {
		c.Margin = DefaultMargin
	}
	if c.Pending == 0 {
		c.Pending = DefaultPending
	}
	if c.Start == "" {
		c.Start = StartOldest
	}
	const at = "validator.continuous."
	switch {
	case c.Settle < minSettle || c.Settle > maxSettle:
		return config.At(at+"settle", fmt.Errorf("%v is outside %v to %v", c.Settle, minSettle, maxSettle))
	case c.Margin < 0 || c.Margin > maxMargin:
		return config.At(at+"margin", fmt.Errorf("%v is outside 0 to %v", c.Margin, maxMargin))
	case c.Start != StartOldest && c.Start != StartNewest:
		return config.At(at+"start", fmt.Errorf("%q is no place to start; say %s or %s", c.Start, StartOldest, StartNewest))
	}
	return within(at+"pending", c.Pending, 100, 10_000_000)
}

// validateContinuous checks what a pair says about runs that never end.
func (p *Pair) validateContinuous() error {
	for _, taken := range []string{IncrementalState, OnceState} {
		if strings.HasPrefix(p.Name, taken) {
			return config.At("name", fmt.Errorf("%q begins like the key of another record in the state topic; choose one that does not begin with %s", p.Name, taken))
		}
	}
	if p.UpdatedAtZone != "" {
		if _, err := time.LoadLocation(p.UpdatedAtZone); err != nil {
			return config.At("updated_at_zone", fmt.Errorf("%q is not known; use an IANA name such as Europe/Berlin", p.UpdatedAtZone))
		}
	}
	if p.Changes.Source != "" && p.Changes.Source == p.Changes.Target {
		return config.At("changes.target", errors.New("both sides name the same topic; events of a table stand in one of its own"))
	}
	if p.Schedule.Incremental == "" {
		return nil
	}
	if p.UpdatedAt == "" {
		return config.At("updated_at", errors.New("schedule.incremental needs the column that tells when a row changed; name it"))
	}
	if _, err := schedule.Parse(p.Schedule.Incremental, p.Schedule.Zone); err != nil {
		return config.At("schedule.incremental", err)
	}
	return nil
}

// ChangesOf are the authority's rows in the order in which updated_at says that
// they changed.
func (p *Pair) ChangesOf(pair *schema.Pair) (schema.Changes, error) {
	view, column := &pair.Source, p.UpdatedAt
	if p.Side() == event.Target {
		view = &pair.Target
		if renamed, ok := p.Map[column]; ok {
			column = renamed
		}
	}
	return schema.ChangesOf(view, column, p.UpdatedAtZone)
}
