package canonical

import (
	"fmt"
	"time"
	_ "time/tzdata" // so that a machine without zones knows them as well

	"github.com/trueup/trueup/pkg/row"
)

// zone puts instants into the wall-clock time of a zone, in which a column
// without zone holds its own.
//
// An instant has one wall-clock time, but not the reverse: where clocks are put
// back an hour comes twice, where they are put forward one never comes. So
// instants are compared as wall-clock times. One of the repeated hour equals
// both of its instants; more cannot be known of it. One of the skipped hour
// equals none.
type zone struct {
	name     string
	location *time.Location
}

func newZone(name string) (*zone, error) {
	location, err := time.LoadLocation(name)
	// LoadLocation takes "Local" for the machine's own zone, which is another on
	// the next machine.
	if err != nil || name == "" || name == "Local" {
		return nil, fmt.Errorf("rule zone: no time zone is called %q; say UTC or a name of the IANA database such as Europe/Berlin", name)
	}
	return &zone{name, location}, nil
}

// Compared implements Translation. What is outside the calendar (infinity,
// zero dates) is so in every zone.
func (z *zone) Compared(own []byte) []byte {
	m, ok := parseMoment(own)
	if !ok {
		return own
	}
	at := time.Unix(m.seconds, m.micros*int64(time.Microsecond)).In(z.location)
	return appendCivil(make([]byte, 0, len(own)+1), at)
}

// Own implements Translation. Of the two instants of a repeated hour it returns
// the first, and for the skipped one an error.
func (z *zone) Own(compared row.Value) (row.Value, error) {
	m, ok := parseMoment(compared)
	if !ok {
		return compared, nil
	}
	seconds, ok := z.instant(m.seconds)
	if !ok {
		return nil, fmt.Errorf("the time is one that clocks in %s skipped, so it is no instant; correct it", z.name)
	}
	at := time.Unix(seconds, m.micros*int64(time.Microsecond)).UTC()
	return appendCivil(nil, at), nil
}

// Writable implements Translation.
func (*zone) Writable() error { return nil }

// furthest is more than any zone is, or was, away from UTC, and steady less than
// any kept one offset, in seconds.
const (
	furthest = 26 * 60 * 60
	steady   = 60 * 60
)

// instant is the first one at which clocks show wall, both in seconds: it tries
// the offsets in force around it.
func (z *zone) instant(wall int64) (first int64, found bool) {
	for near := wall - furthest; near <= wall+furthest; near += steady {
		candidate := wall - z.offset(near)
		if z.offset(candidate) == wall-candidate && (!found || candidate < first) {
			first, found = candidate, true
		}
	}
	return first, found
}

// offset is how many seconds clocks are ahead of UTC at an instant.
func (z *zone) offset(at int64) int64 {
	_, offset := time.Unix(at, 0).In(z.location).Zone()
	return int64(offset)
}
