package fix

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Limits say how much of a copy may be rewritten before somebody has to look.
// A wrong rule, a wrong filter or a wrong authority makes rows differ that do
// not: what is repaired then is damage.
type Limits struct {
	// Share bounds the rows changed or deleted within BreakerSpan, as a share of
	// the table. An insert does not count: it replaces nothing.
	Share Bound
	// Deletes bounds the rows deleted within BreakerSpan.
	Deletes Bound
	// PerMinute bounds the repairs of any kind within 60 seconds.
	PerMinute Bound
}

// BreakerSpan is how far back rows are counted. A day holds one run of a table
// that is compared every night, and is over when the next one begins.
const BreakerSpan = 24 * time.Hour

// FewRows is what a share allows at the least: of a small table, or one whose
// size the server does not know, a share says little, and so many rows a person
// can still look through.
const FewRows = 1000

// DefaultLimits let through what goes wrong between two databases that are meant
// to be alike, and stop what rewrites one of them. Deletes have less: what they
// take with them stands nowhere else. A million a minute is more than one fixer
// makes: for that, a table has to be so large that its share comes late.
func DefaultLimits() Limits {
	return Limits{Share: Bound{Share: 0.2}, Deletes: Bound{Share: 0.05}, PerMinute: Bound{Rows: 1_000_000}}
}

// Bound is a number of rows, or a share of the table's. The zero Bound is none.
type Bound struct {
	Rows int64
	// Share is above 0 and up to 1; FewRows or more are allowed always.
	Share float64
}

// ParseBound reads "off" or "0", a number of rows ("1000"), or a share of the
// table ("5%", "0.05").
func ParseBound(text string) (Bound, error) {
	text = strings.TrimSpace(text)
	if text == "off" || text == "0" {
		return Bound{}, nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > 0 {
		return Bound{Rows: n}, nil
	}
	number, percent := strings.CutSuffix(text, "%")
	share, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		share /= 100
	}
	if err != nil || !(share > 0 && share <= 1) || !percent && share == 1 {
		return Bound{}, fmt.Errorf("%q is no limit; write a number of rows (1000), a share of the table (5%% or 0.05), or off", text)
	}
	return Bound{Share: share}, nil
}

// String is the limit as ParseBound reads it.
func (b Bound) String() string {
	switch {
	case b.Rows > 0:
		return strconv.FormatInt(b.Rows, 10)
	case b.Share > 0:
		return strconv.FormatFloat(100*b.Share, 'g', 6, 64) + "%"
	default:
		return "off"
	}
}

// Check says whether the limits are of the kinds they can be.
func (l Limits) Check() error {
	switch {
	case l.Share.Rows > 0:
		return errors.New("share is a share of the table, such as 5%, or off; deletes and per_minute take numbers of rows")
	case l.PerMinute.Share > 0:
		return errors.New("per_minute is a number of rows, such as 20000, or off")
	}
	return nil
}

// of is how many rows the limit allows of a table of about that many.
func (b Bound) of(rows int64) (allowed int64) {
	switch {
	case b.Rows > 0:
		return b.Rows
	case b.Share > 0:
		return max(FewRows, int64(b.Share*float64(rows)))
	default:
		return math.MaxInt64
	}
}

// explain says what the limit comes to.
func (b Bound) explain(rows int64) string {
	switch {
	case b.Share == 0:
		return ""
	case b.of(rows) == FewRows:
		return fmt.Sprintf(" (%s of about %d rows is less than %d, which are always allowed)", b, rows, FewRows)
	default:
		return fmt.Sprintf(" (%s of about %d rows)", b, rows)
	}
}
