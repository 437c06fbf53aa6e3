package event

import (
	"errors"
	"strconv"
	"time"

	eventv1 "github.com/trueup/trueup/proto/trueup/event/v1"
)

// BreakerState says whether the repairs of a pair are held back. Of two states
// the one with the higher Number counts, and of two with the same Number the one
// that is tripped.
type BreakerState struct {
	Pair string
	// Number is how often the pair was released.
	Number  uint64
	Tripped bool
	// Reason is a sentence that says why it tripped, and what to do.
	Reason string
	// At is when it tripped or was released.
	At time.Time
	// Released is when it was released last, and repairs are counted from then
	// on; zero when it never was.
	Released time.Time
}

// BreakerState encodes a breaker's state. What decides which of two states counts
// is part of its key, so that compaction keeps them all, and one that comes late
// overwrites none.
func (e Encoder) BreakerState(s BreakerState) (Record, error) {
	value, err := MarshalBreakerState(s, e.ContentType)
	what := "released"
	if s.Tripped {
		what = "tripped"
	}
	key := StateKey(StateBreaker, strconv.FormatUint(s.Number, 10)+"/"+what+"/"+s.Pair)
	return Record{key, value, e.headers("BreakerState", string(key), s.At, "")}, err
}

// DecodeBreakerState reads a breaker's state from a record.
func DecodeBreakerState(r Record) (BreakerState, error) {
	return UnmarshalBreakerState(r.Value, r.Headers[HeaderContentType])
}

// MarshalBreakerState encodes a breaker's state, under the same terms as MarshalFinding.
func MarshalBreakerState(s BreakerState, contentType string) ([]byte, error) {
	m, err := breakerToWire(s)
	return marshal("breaker state", m, contentType, err)
}

// UnmarshalBreakerState decodes a breaker's state, under the same terms as UnmarshalFinding.
func UnmarshalBreakerState(data []byte, contentType string) (BreakerState, error) {
	return unmarshal("breaker state", data, contentType, new(eventv1.BreakerState), breakerFromWire)
}

// Newer says whether s counts rather than known.
func (s BreakerState) Newer(known BreakerState) bool {
	return s.Number > known.Number || s.Number == known.Number && s.Tripped && !known.Tripped
}

func breakerToWire(s BreakerState) (*eventv1.BreakerState, error) {
	at, errAt := timeToWire("at", s.At)
	released, errReleased := timeToWire("released_at", s.Released)
	return &eventv1.BreakerState{
		Pair: s.Pair, Number: s.Number, Tripped: s.Tripped, Reason: s.Reason, At: at, ReleasedAt: released,
	}, errors.Join(required("pair", s.Pair), errAt, errReleased)
}

func breakerFromWire(m *eventv1.BreakerState) (BreakerState, error) {
	at, errAt := timeFromWire("at", m.GetAt())
	released, errReleased := timeFromWire("released_at", m.GetReleasedAt())
	return BreakerState{
		Pair: m.GetPair(), Number: m.GetNumber(), Tripped: m.GetTripped(), Reason: m.GetReason(), At: at, Released: released,
	}, errors.Join(required("pair", m.GetPair()), errAt, errReleased)
}
