package main

import (
	"encoding/json"
	"fmt"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
)

// jsonKey is a key as an object whose members stand in key order. Whole
// numbers are JSON numbers with all their digits, truth values JSON's own,
// everything else its canonical text.
type jsonKey event.Key

// MarshalJSON implements json.Marshaler.
func (k jsonKey) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, c := range k {
		if i > 0 {
			out = append(out, ',')
		}
		name, err := json.Marshal(c.Column)
		if err != nil {
			return nil, err
		}
		value, err := jsonValue(c)
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, name...), ':'), value...)
	}
	return append(out, '}'), nil
}

func jsonValue(c event.KeyColumn) ([]byte, error) {
	switch {
	case c.Type.Kind == canonical.Bool && string(c.Value) == "1":
		return []byte("true"), nil
	case c.Type.Kind == canonical.Bool && string(c.Value) == "0":
		return []byte("false"), nil
	case c.Type.Kind == canonical.Int && json.Valid(c.Value):
		return c.Value, nil
	default:
		return json.Marshal(string(c.Value))
	}
}

// describeKey is a key for a person to read: "id=7, line=2".
func describeKey(k event.Key) string {
	text := ""
	for i, c := range k {
		if i > 0 {
			text += ", "
		}
		text += c.Column + "=" + string(c.Value)
		if c.Type.Free() {
			text = text[:len(text)-len(c.Value)] + fmt.Sprintf("%q", c.Value)
		}
	}
	return text
}
