package validate

import (
	"fmt"
	"time"

	"github.com/trueup/trueup/pkg/chunk"
)

// Config tunes the runs of a Validator. The zero value of a field takes its
// default. What it bounds, it bounds for each run: memory is at most about
// (Threads × MemoryBytes × 2) plus Suspects keys.
type Config struct {
	// Threads is how many ranges are worked on at the same time; default 4.
	// Each uses one connection on each side.
	Threads int `yaml:"threads"`
	// Range sizes the ranges.
	Range chunk.SizerConfig `yaml:"range"`
	// DrillRows is the size of an unequal range, in rows, up to which its rows
	// are read rather than smaller ranges digested; default 2000. See drill.go
	// for the reasoning.
	DrillRows int64 `yaml:"drill_rows"`
	// BatchRows is how many keys are looked up at a time; default 500.
	BatchRows int `yaml:"batch_rows"`
	// MemoryRows and MemoryBytes bound what the comparison of one range keeps:
	// rows without a partner yet, and differences; defaults 100000 and 4 MiB,
	// which is several thousand rows. A range that holds more is cut, at the
	// price of reading about twice what differs densely.
	MemoryRows  int   `yaml:"memory_rows"`
	MemoryBytes int64 `yaml:"memory_bytes"`
	// Attempts is how often a read is tried before its range counts as
	// unreadable; default 5. Backoff is the wait before the second attempt,
	// doubled and jittered from then on; default 250ms.
	Attempts int           `yaml:"attempts"`
	Backoff  time.Duration `yaml:"backoff"`
	// ReadTimeout is how long one read may take before it is given up as
	// failed, so that a connection that died silently does not hold a run for
	// ever; default 5m.
	ReadTimeout time.Duration `yaml:"read_timeout"`
	// Patience is how long a server that does not answer is waited for before
	// the run ends; default 5m, which is a restart with recovery. Attempts are
	// counted only while the servers answer.
	Patience time.Duration `yaml:"patience"`
	// InspectEvery is how often a run makes sure that the tables still are
	// defined as they were when it began; default 1m. It does so at its end too.
	InspectEvery time.Duration `yaml:"inspect_every"`
	// Suspects is how many differences may wait for confirmation; default
	// 100000. When that many wait, no further range is examined.
	Suspects int `yaml:"suspects"`
	// Rounds is how often a row that keeps changing is looked at before it is
	// left open; default 10.
	Rounds int `yaml:"rounds"`
	// ConfirmMax bounds how long a difference waits for a copy that is late:
	// where replication is measured, what still differs then stays open; where
	// it is not, it is the longest that a difference has to last; default 1m.
	ConfirmMax time.Duration `yaml:"confirm_max"`
	// CheckpointEvery is the shortest time between two saved positions; default 1s.
	CheckpointEvery time.Duration `yaml:"checkpoint_every"`
}

// WithDefaults returns c with its defaults filled in.
func (c Config) WithDefaults() Config {
	setDefault(&c.Threads, 4)
	setDefault(&c.DrillRows, 2000)
	setDefault(&c.BatchRows, 500)
	setDefault(&c.MemoryRows, 100_000)
	setDefault(&c.MemoryBytes, 4<<20)
	setDefault(&c.Attempts, 5)
	setDefault(&c.Backoff, 250*time.Millisecond)
	setDefault(&c.ReadTimeout, 5*time.Minute)
	setDefault(&c.Patience, 5*time.Minute)
	setDefault(&c.InspectEvery, time.Minute)
	setDefault(&c.Suspects, 100_000)
	setDefault(&c.Rounds, 10)
	setDefault(&c.ConfirmMax, time.Minute)
	setDefault(&c.CheckpointEvery, time.Second)
	c.Range = c.Range.WithDefaults()
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Validate says what is wrong with the configuration, defaults filled in.
func (c Config) Validate() error {
	for _, f := range []struct {
		name  string
		value int64
	}{
		{"threads", int64(c.Threads)},
		{"drill_rows", c.DrillRows},
		{"batch_rows", int64(c.BatchRows)},
		{"memory_rows", int64(c.MemoryRows)},
		{"memory_bytes", c.MemoryBytes},
		{"attempts", int64(c.Attempts)},
		{"suspects", int64(c.Suspects)},
		{"rounds", int64(c.Rounds)},
	} {
		if f.value < 1 {
			return fmt.Errorf("validate: %s is %d; it must be at least 1", f.name, f.value)
		}
	}
	for _, f := range []struct {
		name  string
		value time.Duration
	}{
		{"backoff", c.Backoff},
		{"read_timeout", c.ReadTimeout},
		{"patience", c.Patience},
		{"inspect_every", c.InspectEvery},
		{"confirm_max", c.ConfirmMax},
		{"checkpoint_every", c.CheckpointEvery},
	} {
		if f.value <= 0 {
			return fmt.Errorf("validate: %s is %s; it must be more than 0", f.name, f.value)
		}
	}
	if err := c.Range.Validate(); err != nil {
		return fmt.Errorf("validate: range: %w", err)
	}
	return nil
}
