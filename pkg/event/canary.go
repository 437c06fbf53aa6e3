package event

import (
	"errors"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	eventv1 "github.com/trueup/trueup/proto/trueup/event/v1"
)

// CanaryReport is what became of a canary, as it is kept for later.
type CanaryReport struct {
	Pair string
	// Authority is the side that was right.
	Authority Side
	Kind      Kind
	// Run is the run that found it.
	Run string
	// Asked says whether a validator was asked to look.
	Asked bool
	// At is when the difference was made; Found, Repaired and Equal are how long
	// after that each was seen, 0 for what was not.
	At                     time.Time
	Found, Repaired, Equal time.Duration
	// Missed is what did not come to pass, "found", "repaired" or "equal", and Reason
	// why; empty when everything did.
	Missed, Reason string
}

// Proven says whether everything came to pass.
func (c CanaryReport) Proven() bool { return c.Missed == "" }

func (c CanaryReport) key() []byte {
	result := "missed"
	if c.Proven() {
		result = "proven"
	}
	return StateKey(StateCanary, result+"/"+c.Kind.String()+"/"+c.Pair)
}

// CanaryReport encodes a report. One that is proven and one that is not have
// different keys, so that when something was proven last outlives what was missed
// since, without a look at the topic before.
func (e Encoder) CanaryReport(c CanaryReport) (Record, error) {
	value, err := MarshalCanaryReport(c, e.ContentType)
	key := c.key()
	return Record{key, value, e.headers("CanaryReport", string(key)+"/"+c.At.UTC().Format(time.RFC3339Nano), c.At, "")}, err
}

// DecodeCanaryReport reads a report from a record.
func DecodeCanaryReport(r Record) (CanaryReport, error) {
	return UnmarshalCanaryReport(r.Value, r.Headers[HeaderContentType])
}

// MarshalCanaryReport encodes a report, under the same terms as MarshalFinding.
func MarshalCanaryReport(c CanaryReport, contentType string) ([]byte, error) {
	m, err := canaryToWire(c)
	return marshal("canary report", m, contentType, err)
}

// UnmarshalCanaryReport decodes a report, under the same terms as UnmarshalFinding.
func UnmarshalCanaryReport(data []byte, contentType string) (CanaryReport, error) {
	return unmarshal("canary report", data, contentType, new(eventv1.CanaryReport), canaryFromWire)
}

func canaryToWire(c CanaryReport) (*eventv1.CanaryReport, error) {
	kind, errKind := kinds.toWire(c.Kind)
	side, errSide := sides.toWire(c.Authority)
	at, errAt := timeToWire("planted_at", c.At)
	seen := func(d time.Duration) *durationpb.Duration {
		if d == 0 {
			return nil
		}
		return durationpb.New(d)
	}
	return &eventv1.CanaryReport{
		Pair: string(c.key()), Authority: side, OfPair: c.Pair, Kind: kind, ByRun: c.Run, Asked: c.Asked, PlantedAt: at,
		Found: seen(c.Found), Repaired: seen(c.Repaired), Equal: seen(c.Equal),
		Missed: c.Missed, Reason: strings.ToValidUTF8(c.Reason, "\uFFFD"),
	}, errors.Join(required("pair", c.Pair), errSide, errKind, errAt)
}

func canaryFromWire(m *eventv1.CanaryReport) (CanaryReport, error) {
	kind, errKind := kinds.fromWire(m.GetKind())
	side, errSide := sides.fromWire(m.GetAuthority())
	at, errAt := timeFromWire("planted_at", m.GetPlantedAt())
	found, errFound := durationFromWire("found", m.GetFound())
	repaired, errRepaired := durationFromWire("repaired", m.GetRepaired())
	equal, errEqual := durationFromWire("equal", m.GetEqual())
	return CanaryReport{
		Pair: m.GetOfPair(), Authority: side, Kind: kind, Run: m.GetByRun(), Asked: m.GetAsked(), At: at, Found: found, Repaired: repaired, Equal: equal,
		Missed: m.GetMissed(), Reason: m.GetReason(),
	}, errors.Join(required("pair", m.GetOfPair()), errSide, errKind, errAt, errFound, errRepaired, errEqual)
}
