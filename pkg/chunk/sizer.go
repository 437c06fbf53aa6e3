package chunk

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// The sizing law follows what block/spirit and pt-table-checksum settled on:
// aim at a duration, believe the slow end of the recent ranges rather than
// their mean, grow gently, shrink at once.
const (
	// recentRanges is how many ranges the estimate remembers. Ten make the
	// second slowest the 90th percentile.
	recentRanges = 10
	// maxGrowth is the most a step may grow by: a cheap stretch of a table
	// says little about the next one.
	maxGrowth = 1.5
	// farTooSlow is the multiple of the target beyond which one range alone is
	// reason enough to shrink.
	farTooSlow = 5
	// shrinkBy is by how much.
	shrinkBy = 10
)

// SizerConfig bounds the size of ranges. The zero value of a field takes its default.
type SizerConfig struct {
	// Target is how long one range should take; default 500ms. It is short so
	// that a governor can stop the work soon, without cancelling a query.
	Target time.Duration `yaml:"target"`
	// Bytes is how much one range should hold at most, as digested or read from one
	// side; default 8 MiB. A server concatenates the range to digest it, and
	// MariaDB ships with max_allowed_packet at 16 MiB: half of it leaves room
	// for ranges whose rows are larger than those seen so far.
	Bytes int64 `yaml:"bytes"`
	// MinRows and MaxRows bound the number of rows; defaults 100 and 100000.
	MinRows int `yaml:"min_rows"`
	MaxRows int `yaml:"max_rows"`
}

// WithDefaults returns c with its defaults filled in.
func (c SizerConfig) WithDefaults() SizerConfig {
	if c.Target == 0 {
		c.Target = 500 * time.Millisecond
	}
	if c.Bytes == 0 {
		c.Bytes = 8 << 20
	}
	if c.MaxRows == 0 {
		c.MaxRows = max(100_000, c.MinRows)
	}
	if c.MinRows == 0 {
		c.MinRows = min(100, c.MaxRows)
	}
	return c
}

// Validate says what is wrong with the configuration, defaults filled in.
func (c SizerConfig) Validate() error {
	switch {
	case c.Target <= 0:
		return fmt.Errorf("target is %s; it must be more than 0", c.Target)
	case c.Bytes < 1:
		return fmt.Errorf("bytes is %d; it must be at least 1", c.Bytes)
	case c.MinRows < 1:
		return fmt.Errorf("min_rows is %d; it must be at least 1", c.MinRows)
	case c.MaxRows < c.MinRows:
		return fmt.Errorf("max_rows is %d; it must be at least min_rows, which is %d", c.MaxRows, c.MinRows)
	}
	return nil
}

// Sample is what one range cost.
type Sample struct {
	Rows  int64
	Bytes int64
	Took  time.Duration
}

// Sizer decides how many rows the next range should hold. It is safe for
// concurrent use.
type Sizer struct {
	config SizerConfig

	mu       sync.Mutex
	rows     int
	ceiling  int       // lowered when a server refused a range as too large
	perRow   []float64 // seconds per row of the recent ranges, oldest first
	rowBytes float64   // largest recent mean size of a row; 0 when not known
	guessed  bool      // rowBytes was not seen yet
}

// firstRows is the size of the first range when the size of a row is known:
// large enough to measure, small enough not to hurt before anything is known.
const firstRows = 10_000

// firstRowsBlind is the same when it is not.
const firstRowsBlind = 1_000

// textGrowth is how much larger than stored a row may be as text: a byte string
// is two digits a byte, and a number of 8 bytes up to 20 digits. Several ranges
// are cut before the first has been seen.
const textGrowth = 3

// slack is the part of the byte ceiling that ranges aim at: the rows of the next
// may be a little larger than those seen.
const slack = 7.0 / 8

// NewSizer returns a Sizer for a table whose rows are stored in about rowBytes
// (0: unknown). The configuration must be valid.
func NewSizer(config SizerConfig, rowBytes int64) *Sizer {
	s := &Sizer{config: config, ceiling: config.MaxRows, rowBytes: textGrowth * float64(rowBytes), guessed: true}
	first := firstRowsBlind
	if rowBytes > 0 {
		first = firstRows
	}
	s.rows = s.bound(first)
	return s
}

// Rows is how many rows the next range should hold.
func (s *Sizer) Rows() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rows
}

// RowsWithin is how many rows of the size seen so far fit in that many bytes,
// at least 1 and at most limit.
func (s *Sizer) RowsWithin(bytes int64, limit int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rowBytes <= 0 {
		return limit
	}
	return max(1, min(limit, int(float64(bytes)/s.rowBytes)))
}

// Observe learns from a range that was worked through. Ranges without rows
// teach nothing.
func (s *Sizer) Observe(sample Sample) {
	if sample.Rows <= 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rows := float64(sample.Rows)
	if s.guessed {
		s.rowBytes, s.guessed = 0, false
	}
	// The size decays slowly and rises at once: rows of one table may differ a
	// lot, and too small a range only costs a round trip.
	s.rowBytes = max(float64(sample.Bytes)/rows, s.rowBytes*0.9)
	if sample.Took > farTooSlow*s.config.Target {
		s.perRow = s.perRow[:0]
		s.rows = s.bound(min(s.rows, int(sample.Rows)) / shrinkBy)
		return
	}
	if len(s.perRow) == recentRanges {
		s.perRow = slices.Delete(s.perRow, 0, 1)
	}
	s.perRow = append(s.perRow, sample.Took.Seconds()/rows)
	s.rows = s.bound(s.aim())
}

// TooLarge learns that a server refused a range for its size although it was
// asked for no more rows than Rows said. Its limit will not grow during a run.
func (s *Sizer) TooLarge() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ceiling = max(1, min(s.ceiling, s.rows)/2)
	s.rows = s.bound(s.rows)
}

// aim is the number of rows that would have taken the target's time at the
// pace of the slow end of the recent ranges, grown by no more than a step.
func (s *Sizer) aim() int {
	sorted := slices.Sorted(slices.Values(s.perRow))
	slow := sorted[(len(sorted)*9-1)/10]
	most := float64(s.rows)*maxGrowth + 1
	if slow <= 0 {
		return int(most)
	}
	return int(min(most, s.config.Target.Seconds()/slow))
}

// bound keeps rows within the limits. The byte ceiling is a matter of memory
// and of what servers accept, so it wins over MinRows, which is only thrift.
func (s *Sizer) bound(rows int) int {
	rows = max(rows, s.config.MinRows)
	rows = min(rows, s.ceiling)
	if s.rowBytes > 0 {
		rows = min(rows, int(slack*float64(s.config.Bytes)/s.rowBytes))
	}
	return max(rows, 1)
}
