package assembly

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/trueup/trueup/pkg/config"
	"github.com/trueup/trueup/pkg/governor"
	"github.com/trueup/trueup/pkg/schedule"
)

// Governor bounds the load put on each database.
type Governor struct {
	Source Budget `yaml:"source"`
	Target Budget `yaml:"target"`
	// PauseFile names a file that pauses both while it is there: its text is a
	// duration from its last change, an hour when it has none, and a reason.
	PauseFile string `yaml:"pause_file"`
}

// Budget is what one database may be asked for, and how it is told that it has
// other things to do.
type Budget struct {
	// Concurrency is the largest number of statements at once, 1 to 64;
	// DefaultConcurrency when left out.
	Concurrency int `yaml:"concurrency"`
	// Processes is the number of processes that share the database: concurrency,
	// and what others leave over, is divided by it. When left out the services
	// divide both among those of them that have work.
	Processes int `yaml:"processes"`
	// Adapt says whether the load follows the signals; true when left out. With
	// false it is concurrency, whatever happens.
	Adapt *bool `yaml:"adapt"`
	// Cores is the number of the server's cores. MariaDB and MySQL tell it.
	Cores float64 `yaml:"cores"`
	// Limits say at what value of a signal the database is busy.
	Limits Limits `yaml:"limits"`
	// Checks are statements that give a number each.
	Checks []Check `yaml:"checks"`
	// HTTP is asked whether there may be load.
	HTTP HTTPCheck `yaml:"http"`
	// Pauses are times in which nothing is done.
	Pauses []Pause `yaml:"pauses"`
}

// Limits are the values at which a database is busy; 0 turns a signal off.
type Limits struct {
	// Canary is the time of a point read on a connection of its own; when left
	// out DefaultCanary beyond the network's round trip.
	Canary *time.Duration `yaml:"canary"`
	// Threads is the number of others' sessions at work; when left out two for
	// each core and six.
	Threads *float64 `yaml:"threads"`
	// LockWaits is the number of transactions that wait for a lock;
	// DefaultLockWaits when left out.
	LockWaits *float64 `yaml:"lock_waits"`
	// History is the length of InnoDB's history list; DefaultHistory when left out.
	History *float64 `yaml:"history"`
	// SnapshotAge is the age of PostgreSQL's oldest snapshot; off when left out.
	SnapshotAge *time.Duration `yaml:"snapshot_age"`
	// ReplicaLag is how far replicas may be behind; DefaultReplicaLag when left
	// out. It holds writes back, and reads of the replica itself.
	ReplicaLag *time.Duration `yaml:"replica_lag"`
	// Connections is the part of the allowed connections that may be taken, in
	// per cent; DefaultConnections when left out.
	Connections *float64 `yaml:"connections"`
	// Latency is the mean time of others' statements, and PerRow that of reading
	// one row of a range; off when left out: see trueup governor calibrate.
	Latency *time.Duration `yaml:"latency"`
	PerRow  *time.Duration `yaml:"per_row"`
}

// Check is a statement that gives a number, and the limit it is held to.
type Check struct {
	Name  string  `yaml:"name"`
	SQL   string  `yaml:"sql"`
	Limit float64 `yaml:"limit"`
	// For is reads, writes, or empty for both.
	For string `yaml:"for"`
	// Hard pauses while the check cannot be made.
	Hard bool `yaml:"hard"`
}

// HTTPCheck is a URL that answers 200 while there may be load.
type HTTPCheck struct {
	URL string `yaml:"url"`
}

// Pause is a time of doing nothing, again and again.
type Pause struct {
	// At is a cron expression for its beginning, in Zone, UTC when empty.
	At   string `yaml:"at"`
	Zone string `yaml:"zone"`
	// For is how long it lasts.
	For time.Duration `yaml:"for"`
}

// Defaults of the limits.
const (
	// DefaultCanary is what a person notices where a page takes a dozen reads.
	DefaultCanary = 25 * time.Millisecond
	// DefaultLockWaits is a queue that does not form by chance.
	DefaultLockWaits = 20
	// DefaultHistory is where purging has fallen behind for minutes of a busy server.
	DefaultHistory = 1_000_000
	// DefaultReplicaLag is more than a replica that is well has.
	DefaultReplicaLag = 10 * time.Second
	// DefaultConnections leaves a seventh of them for others to come.
	DefaultConnections = 85
)

func (g *Governor) validate() error {
	if err := g.Source.validate(); err != nil {
		return config.At("governor.source", err)
	}
	if err := g.Target.validate(); err != nil {
		return config.At("governor.target", err)
	}
	return nil
}

func (b *Budget) validate() error {
	if b.Concurrency == 0 {
		b.Concurrency = DefaultConcurrency
	}
	if err := within("concurrency", b.Concurrency, 1, maxThreads); err != nil {
		return err
	}
	if b.Processes < 0 || b.Processes > b.Concurrency {
		return config.At("processes", fmt.Errorf("%d processes cannot share %d statements at once; at least one each", b.Processes, b.Concurrency))
	}
	if b.Cores < 0 {
		return config.At("cores", fmt.Errorf("%v is no number of cores; leave it out if it is not known", b.Cores))
	}
	if err := b.Limits.validate(); err != nil {
		return config.At("limits", err)
	}
	for i := range b.Checks {
		if err := b.Checks[i].validate(); err != nil {
			return config.At(fmt.Sprintf("checks[%d]", i), err)
		}
	}
	if u, err := url.Parse(b.HTTP.URL); b.HTTP.URL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return config.At("http.url", errors.New("want a URL that begins with http:// or https://"))
	}
	for i, p := range b.Pauses {
		if _, err := p.window(); err != nil {
			return config.At(fmt.Sprintf("pauses[%d]", i), err)
		}
	}
	return nil
}

func (l Limits) validate() error {
	for name, value := range map[string]*time.Duration{
		"canary": l.Canary, "snapshot_age": l.SnapshotAge, "replica_lag": l.ReplicaLag, "latency": l.Latency, "per_row": l.PerRow,
	} {
		if value != nil && *value < 0 {
			return config.At(name, fmt.Errorf("%v is less than 0s, which turns the signal off", *value))
		}
	}
	for name, value := range map[string]*float64{
		"threads": l.Threads, "lock_waits": l.LockWaits, "history": l.History, "connections": l.Connections,
	} {
		if value != nil && *value < 0 {
			return config.At(name, fmt.Errorf("%v is less than 0, which turns the signal off", *value))
		}
	}
	return nil
}

func (c Check) validate() error {
	switch {
	case c.Name == "" || c.SQL == "":
		return errors.New("a check needs a name and the sql that gives one number")
	case c.Limit <= 0:
		return config.At("limit", fmt.Errorf("%v is no limit; it must be more than 0", c.Limit))
	}
	_, err := parseUse(c.For)
	return err
}

func parseUse(text string) (governor.Use, error) {
	switch text {
	case "":
		return governor.Reads | governor.Writes, nil
	case "reads":
		return governor.Reads, nil
	case "writes":
		return governor.Writes, nil
	default:
		return 0, config.At("for", fmt.Errorf("%q is unknown; say reads or writes, or leave it out for both", text))
	}
}

// maxPauseFor is shorter than any schedule's year, so that a pause ends.
const maxPauseFor = 7 * 24 * time.Hour

func (p Pause) window() (governor.Window, error) {
	spec, err := schedule.Parse(p.At, p.Zone)
	if err != nil {
		return governor.Window{}, config.At("at", err)
	}
	if p.For <= 0 || p.For > maxPauseFor {
		return governor.Window{}, config.At("for", fmt.Errorf("%v is outside 1s to %v", p.For, maxPauseFor))
	}
	return governor.Window{Starts: spec, For: p.For}, nil
}

// adapts says whether the load follows the signals.
func (b *Budget) adapts() bool { return b.Adapt == nil || *b.Adapt }

// or is a limit as given, or its default.
func or[T any](given *T, otherwise T) T {
	if given != nil {
		return *given
	}
	return otherwise
}
