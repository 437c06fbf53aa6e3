package main

import (
	"encoding/json"

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
