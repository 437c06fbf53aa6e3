package event

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/row"
	eventv1 "github.com/trueup/trueup/proto/trueup/event/v1"
)

var errNoKey = errors.New("key has no columns")

func keyToWire(k Key) (*eventv1.Key, error) {
	if len(k) == 0 {
		return nil, errNoKey
	}
	m := &eventv1.Key{Columns: make([]*eventv1.KeyColumn, len(k))}
	for i, c := range k {
		if c.Column == "" {
			return nil, fmt.Errorf("key column %d has no name", i+1)
		}
		v, err := valueToWire(c.Type, c.Value)
		if err != nil {
			return nil, fmt.Errorf("key column %s: %w", c.Column, err)
		}
		m.Columns[i] = &eventv1.KeyColumn{Column: c.Column, Value: v}
	}
	return m, nil
}

func keyFromWire(m *eventv1.Key) (Key, error) {
	if len(m.GetColumns()) == 0 {
		return nil, errNoKey
	}
	k := make(Key, len(m.GetColumns()))
	for i, c := range m.GetColumns() {
		if c.GetColumn() == "" {
			return nil, fmt.Errorf("key column %d has no name", i+1)
		}
		t, v, err := valueFromWire(c.GetValue())
		if err != nil {
			return nil, fmt.Errorf("key column %s: %w", c.GetColumn(), err)
		}
		k[i] = KeyColumn{Column: c.GetColumn(), Type: t, Value: v}
	}
	return k, nil
}

// An open bound is absent on the wire. A bound that is there has columns.
func boundToWire(k Key) (*eventv1.Key, error) {
	if k == nil {
		return nil, nil
	}
	return keyToWire(k)
}

func boundFromWire(m *eventv1.Key) (Key, error) {
	if m == nil {
		return nil, nil
	}
	return keyFromWire(m)
}

func keysToWire(keys []Key) ([]*eventv1.Key, error) {
	var out []*eventv1.Key
	for _, k := range keys {
		m, err := keyToWire(k)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

func keysFromWire(keys []*eventv1.Key) ([]Key, error) {
	var out []Key
	for _, m := range keys {
		k, err := keyFromWire(m)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, nil
}

// valueToWire gives a value its typed form. It refuses a text that its typed
// form would not give back byte for byte: a reader would look for another row.
func valueToWire(t canonical.Type, v row.Value) (*eventv1.KeyValue, error) {
	if v.IsNull() {
		return nil, errors.New("a key value cannot be NULL")
	}
	m, err := typedValue(t, v)
	if err != nil {
		return nil, err
	}
	backType, back, err := valueFromWire(m)
	if err != nil {
		return nil, err
	}
	if backType != t || !bytes.Equal(back, v) {
		return nil, fmt.Errorf("%q is not the canonical text of a value of type %s", v, t)
	}
	return m, nil
}

// typedValue has a raw form for each type that is canonical.Type.Free: protobuf
// strings hold UTF-8 only, and such a column may hold anything.
func typedValue(t canonical.Type, v row.Value) (*eventv1.KeyValue, error) {
	s := string(v)
	switch t.Kind {
	case canonical.Bool:
		return &eventv1.KeyValue{Value: &eventv1.KeyValue_BoolValue{BoolValue: s == "1"}}, nil
	case canonical.Int:
		return wholeNumber(s), nil
	case canonical.Decimal:
		return &eventv1.KeyValue{Value: &eventv1.KeyValue_DecimalValue{DecimalValue: s}}, nil
	case canonical.Float32:
		return &eventv1.KeyValue{Value: &eventv1.KeyValue_Float32Value{Float32Value: s}}, nil
	case canonical.Float64:
		return &eventv1.KeyValue{Value: &eventv1.KeyValue_Float64Value{Float64Value: s}}, nil
	case canonical.Text:
		if !utf8.Valid(v) {
			return &eventv1.KeyValue{Value: &eventv1.KeyValue_RawTextValue{RawTextValue: v}}, nil
		}
		return &eventv1.KeyValue{Value: &eventv1.KeyValue_TextValue{TextValue: s}}, nil
	case canonical.Bytes:
		b, err := hex.DecodeString(s)
		return &eventv1.KeyValue{Value: &eventv1.KeyValue_BytesValue{BytesValue: b}}, err
	case canonical.UUID:
		b, err := canonical.DecodeUUID(v)
		if err != nil {
			return &eventv1.KeyValue{Value: &eventv1.KeyValue_RawUuidValue{RawUuidValue: v}}, nil
		}
		return &eventv1.KeyValue{Value: &eventv1.KeyValue_UuidValue{UuidValue: b}}, nil
	case canonical.Date:
		return &eventv1.KeyValue{Value: &eventv1.KeyValue_DateValue{DateValue: s}}, nil
	case canonical.Time:
		return &eventv1.KeyValue{Value: &eventv1.KeyValue_TimeValue{TimeValue: s}}, nil
	case canonical.Timestamp:
		return &eventv1.KeyValue{Value: &eventv1.KeyValue_TimestampValue{TimestampValue: s}}, nil
	case canonical.Instant:
		return &eventv1.KeyValue{Value: &eventv1.KeyValue_InstantValue{InstantValue: s}}, nil
	case canonical.Interval:
		return &eventv1.KeyValue{Value: &eventv1.KeyValue_IntervalValue{IntervalValue: s}}, nil
	case canonical.Bits:
		b := &eventv1.BitString{Width: uint32(max(t.Width, 0)), Digits: s}
		return &eventv1.KeyValue{Value: &eventv1.KeyValue_BitsValue{BitsValue: b}}, nil
	case canonical.JSON:
		if !utf8.Valid(v) {
			return &eventv1.KeyValue{Value: &eventv1.KeyValue_RawJsonValue{RawJsonValue: v}}, nil
		}
		return &eventv1.KeyValue{Value: &eventv1.KeyValue_JsonValue{JsonValue: s}}, nil
	case canonical.Inet:
		if !utf8.Valid(v) {
			return &eventv1.KeyValue{Value: &eventv1.KeyValue_RawInetValue{RawInetValue: v}}, nil
		}
		return &eventv1.KeyValue{Value: &eventv1.KeyValue_InetValue{InetValue: s}}, nil
	case canonical.Unsupported:
	}
	return nil, fmt.Errorf("type %s cannot be part of a key", t)
}

func wholeNumber(s string) *eventv1.KeyValue {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return &eventv1.KeyValue{Value: &eventv1.KeyValue_IntValue{IntValue: n}}
	}
	if n, err := strconv.ParseUint(s, 10, 64); err == nil {
		return &eventv1.KeyValue{Value: &eventv1.KeyValue_UintValue{UintValue: n}}
	}
	return &eventv1.KeyValue{Value: &eventv1.KeyValue_BigIntValue{BigIntValue: s}}
}

func valueFromWire(m *eventv1.KeyValue) (canonical.Type, row.Value, error) {
	switch v := m.GetValue().(type) {
	case *eventv1.KeyValue_BoolValue:
		text := "0"
		if v.BoolValue {
			text = "1"
		}
		return canonical.Type{Kind: canonical.Bool}, row.Value(text), nil
	case *eventv1.KeyValue_IntValue:
		return canonical.Type{Kind: canonical.Int}, strconv.AppendInt(nil, v.IntValue, 10), nil
	case *eventv1.KeyValue_UintValue:
		return canonical.Type{Kind: canonical.Int}, strconv.AppendUint(nil, v.UintValue, 10), nil
	case *eventv1.KeyValue_BigIntValue:
		return bigInt(v.BigIntValue)
	case *eventv1.KeyValue_DecimalValue:
		return plain(canonical.Decimal, v.DecimalValue, number)
	case *eventv1.KeyValue_Float32Value:
		return plain(canonical.Float32, v.Float32Value, number)
	case *eventv1.KeyValue_Float64Value:
		return plain(canonical.Float64, v.Float64Value, number)
	case *eventv1.KeyValue_TextValue:
		return free(canonical.Text, []byte(v.TextValue))
	case *eventv1.KeyValue_RawTextValue:
		return free(canonical.Text, v.RawTextValue)
	case *eventv1.KeyValue_BytesValue:
		return canonical.Type{Kind: canonical.Bytes}, hex.AppendEncode([]byte{}, v.BytesValue), nil
	case *eventv1.KeyValue_UuidValue:
		text, err := canonical.AppendUUID(nil, v.UuidValue)
		return canonical.Type{Kind: canonical.UUID}, text, err
	case *eventv1.KeyValue_RawUuidValue:
		return free(canonical.UUID, v.RawUuidValue)
	case *eventv1.KeyValue_DateValue:
		return plain(canonical.Date, v.DateValue, printable)
	case *eventv1.KeyValue_TimeValue:
		return plain(canonical.Time, v.TimeValue, printable)
	case *eventv1.KeyValue_TimestampValue:
		return plain(canonical.Timestamp, v.TimestampValue, printable)
	case *eventv1.KeyValue_InstantValue:
		return plain(canonical.Instant, v.InstantValue, printable)
	case *eventv1.KeyValue_IntervalValue:
		return plain(canonical.Interval, v.IntervalValue, printable)
	case *eventv1.KeyValue_BitsValue:
		return bitString(v.BitsValue)
	case *eventv1.KeyValue_JsonValue:
		return free(canonical.JSON, []byte(v.JsonValue))
	case *eventv1.KeyValue_RawJsonValue:
		return free(canonical.JSON, v.RawJsonValue)
	case *eventv1.KeyValue_InetValue:
		return free(canonical.Inet, []byte(v.InetValue))
	case *eventv1.KeyValue_RawInetValue:
		return free(canonical.Inet, v.RawInetValue)
	default:
		return canonical.Type{}, nil, errors.New("the value is missing, or of a kind unknown here; the sender may be newer than this service")
	}
}
