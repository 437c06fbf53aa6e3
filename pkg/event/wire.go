package event

import (
	"fmt"
	"mime"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	eventv1 "github.com/trueup/trueup/proto/trueup/event/v1"
)

// The content types of an event. The content type a message carries decides
// how it is read; a message without one is Protobuf.
const (
	Protobuf = "application/protobuf"
	JSON     = "application/json"
)

// MarshalFinding encodes a finding. It refuses one that a reader would not
// accept: without ID, pair or key, of an unknown kind, or with a key value that
// is not the canonical text of its type.
func MarshalFinding(f Finding, contentType string) ([]byte, error) {
	m, err := findingToWire(f)
	return marshal("finding", m, contentType, err)
}

// UnmarshalFinding decodes a finding. Whatever it does not understand is an
// error that names it, never a zero value.
func UnmarshalFinding(data []byte, contentType string) (Finding, error) {
	return unmarshal("finding", data, contentType, new(eventv1.Finding), findingFromWire)
}

// MarshalOutcome encodes an outcome, under the same terms as MarshalFinding.
func MarshalOutcome(o Outcome, contentType string) ([]byte, error) {
	m, err := outcomeToWire(o)
	return marshal("outcome", m, contentType, err)
}

// UnmarshalOutcome decodes an outcome, under the same terms as UnmarshalFinding.
func UnmarshalOutcome(data []byte, contentType string) (Outcome, error) {
	return unmarshal("outcome", data, contentType, new(eventv1.Outcome), outcomeFromWire)
}

// MarshalRangeTask encodes a range task, under the same terms as MarshalFinding.
func MarshalRangeTask(t RangeTask, contentType string) ([]byte, error) {
	m, err := taskToWire(t)
	return marshal("range task", m, contentType, err)
}

// UnmarshalRangeTask decodes a range task, under the same terms as UnmarshalFinding.
func UnmarshalRangeTask(data []byte, contentType string) (RangeTask, error) {
	return unmarshal("range task", data, contentType, new(eventv1.RangeTask), taskFromWire)
}

// MarshalPairState encodes a pair's state, under the same terms as MarshalFinding.
func MarshalPairState(s PairState, contentType string) ([]byte, error) {
	m, err := stateToWire(s)
	return marshal("pair state", m, contentType, err)
}

// UnmarshalPairState decodes a pair's state, under the same terms as UnmarshalFinding.
func UnmarshalPairState(data []byte, contentType string) (PairState, error) {
	return unmarshal("pair state", data, contentType, new(eventv1.PairState), stateFromWire)
}

func marshal(what string, m proto.Message, contentType string, err error) ([]byte, error) {
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", what, err)
	}
	form, err := formOf(contentType)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", what, err)
	}
	data, err := form.marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode %s as %s: %w", what, contentType, err)
	}
	return data, nil
}

func unmarshal[M proto.Message, T any](what string, data []byte, contentType string, m M, from func(M) (T, error)) (T, error) {
	var zero T
	form, err := formOf(contentType)
	if err != nil {
		return zero, fmt.Errorf("decode %s: %w", what, err)
	}
	if len(data) == 0 {
		return zero, fmt.Errorf("decode %s: the message has no value", what)
	}
	if err := form.unmarshal(data, m); err != nil {
		return zero, fmt.Errorf("decode %s of %d bytes as %s: %w", what, len(data), form.name, err)
	}
	v, err := from(m)
	if err != nil {
		return zero, fmt.Errorf("decode %s: %w", what, err)
	}
	return v, nil
}

// form is one encoding of a message.
type form struct {
	name      string
	marshal   func(proto.Message) ([]byte, error)
	unmarshal func([]byte, proto.Message) error
}

// Fields a newer sender added are ignored in both forms, so that services may
// be updated one after the other. A newer enum value or key kind is dropped the
// same way and is then refused by the conversion, which knows it is missing.
var forms = map[string]form{
	Protobuf: {Protobuf, proto.MarshalOptions{Deterministic: true}.Marshal, proto.Unmarshal},
	JSON:     {JSON, protojson.Marshal, protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal},
}

func formOf(contentType string) (form, error) {
	if contentType == "" {
		return forms[Protobuf], nil
	}
	if f, ok := forms[contentType]; ok {
		return f, nil // as our own services spell it: parsing costs as much as decoding
	}
	name, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return form{}, fmt.Errorf("content-type %q: %w", contentType, err)
	}
	f, ok := forms[name]
	if !ok {
		return form{}, fmt.Errorf("content-type %q is unknown; use %s or %s", contentType, Protobuf, JSON)
	}
	return f, nil
}
