package chunk

import (
	"testing"
	"time"
)

func sizer(c SizerConfig, rowBytes int64) *Sizer { return NewSizer(c.WithDefaults(), rowBytes) }

// settle lets ranges of a steady cost pass and returns the size they end at.
func settle(s *Sizer, perRow time.Duration, rowBytes int64) int {
	for range 200 {
		rows := int64(s.Rows())
		s.Observe(Sample{Rows: rows, Bytes: rows * rowBytes, Took: time.Duration(rows) * perRow})
	}
	return s.Rows()
}

func TestSizesSettleAtTheTarget(t *testing.T) {
	for _, test := range []struct {
		name   string
		perRow time.Duration
		bytes  int64
		want   int
	}{
		{"cheap rows meet the most rows", time.Nanosecond, 10, 100_000},
		{"half a second", 10 * time.Microsecond, 10, 50_000},
		{"dear rows meet the fewest rows", 50 * time.Millisecond, 10, 100},
		{"large rows stay below the byte ceiling", time.Microsecond, 8 << 10, 896},
		{"the byte ceiling wins over the fewest rows", time.Microsecond, 1 << 20, 7},
		{"a row beyond the ceiling is a range", time.Microsecond, 32 << 20, 1},
	} {
		if got := settle(sizer(SizerConfig{}, 0), test.perRow, test.bytes); got < test.want*99/100 || got > test.want {
			t.Errorf("%s: %d rows, want %d", test.name, got, test.want)
		}
	}
}

func TestAStepGrowsByHalfAtMost(t *testing.T) {
	s := sizer(SizerConfig{}, 0)
	for last := s.Rows(); s.Rows() < 100_000; last = s.Rows() {
		s.Observe(Sample{Rows: int64(last), Bytes: int64(last), Took: time.Microsecond})
		if s.Rows() <= last || float64(s.Rows()) > float64(last)*maxGrowth+1 {
			t.Fatalf("from %d to %d", last, s.Rows())
		}
	}
}

func TestOneRangeFarTooSlowShrinksAtOnce(t *testing.T) {
	s := sizer(SizerConfig{}, 0)
	before := settle(s, 10*time.Microsecond, 10)
	s.Observe(Sample{Rows: int64(before), Bytes: 10, Took: 2600 * time.Millisecond})
	if got := s.Rows(); got != before/shrinkBy {
		t.Errorf("from %d to %d rows", before, got)
	}
}

func TestTheSlowEndOfTheRecentRangesDecides(t *testing.T) {
	s := sizer(SizerConfig{}, 0)
	settle(s, 10*time.Microsecond, 10)
	for range 2 { // two of ten are three times slower
		s.Observe(Sample{Rows: 1000, Bytes: 10, Took: 30 * time.Millisecond})
	}
	if got := s.Rows(); got > 17_000 {
		t.Errorf("%d rows although a fifth of the ranges takes three times as long", got)
	}
}

func TestTheFirstRangeIsCarefulWithLargeRows(t *testing.T) {
	for rowBytes, want := range map[int64]int{0: 1000, 100: 10_000, 1 << 20: 2} {
		if got := sizer(SizerConfig{}, rowBytes).Rows(); got != want {
			t.Errorf("rows of %d bytes: first range of %d rows, want %d", rowBytes, got, want)
		}
	}
}

func TestTheFirstRangeCorrectsTheGuess(t *testing.T) {
	s := sizer(SizerConfig{}, 1<<20)
	s.Observe(Sample{Rows: 2, Bytes: 2 << 20, Took: time.Millisecond})
	if got := s.RowsWithin(8<<20, 100); got != 8 {
		t.Errorf("%d rows of 1 MiB within 8 MiB", got)
	}
}

func TestARefusedSizeIsNotTriedAgain(t *testing.T) {
	s := sizer(SizerConfig{}, 0)
	refused := settle(s, time.Nanosecond, 10)
	s.TooLarge()
	if got := settle(s, time.Nanosecond, 10); got != refused/2 {
		t.Errorf("%d rows after %d were refused", got, refused)
	}
	for range 100 {
		s.TooLarge()
	}
	if got := s.Rows(); got != 1 {
		t.Errorf("%d rows after everything was refused", got)
	}
}

func TestAFixedSizeStaysFixed(t *testing.T) {
	for _, n := range []int{1, 7, 1000, 100_000} {
		s := sizer(SizerConfig{MinRows: n, MaxRows: n}, 0)
		if first, last := s.Rows(), settle(s, time.Millisecond, 1); first != n || last != n {
			t.Errorf("%d rows, then %d, want %d", first, last, n)
		}
	}
}

func TestSizerConfigNamesTheFieldThatIsWrong(t *testing.T) {
	for want, c := range map[string]SizerConfig{
		"target is -1s; it must be more than 0":                         {Target: -time.Second},
		"bytes is -1; it must be at least 1":                            {Bytes: -1},
		"min_rows is -1; it must be at least 1":                         {MinRows: -1},
		"max_rows is 5; it must be at least min_rows, which is 10":      {MinRows: 10, MaxRows: 5},
		"max_rows is -3; it must be at least min_rows, which is 100000": {MinRows: 100_000, MaxRows: -3},
	} {
		if err := c.WithDefaults().Validate(); err == nil || err.Error() != want {
			t.Errorf("%+v: %v, want %s", c, err, want)
		}
	}
	if err := (SizerConfig{}).WithDefaults().Validate(); err != nil {
		t.Error(err)
	}
}
