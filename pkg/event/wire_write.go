package event

import (
	"errors"
	"fmt"

	eventv1 "github.com/trueup/trueup/proto/trueup/event/v1"
)

func writesToWire(writes []Write) ([]*eventv1.Write, error) {
	var out []*eventv1.Write
	for i, w := range writes {
		side, errSide := sides.toWire(w.Side)
		action, errAction := actions.toWire(w.Action)
		m := &eventv1.Write{Side: side, Action: action, Before: w.Before, After: w.After, Incomplete: w.Incomplete}
		err := errors.Join(errSide, errAction)
		for _, c := range w.Columns {
			before, errBefore := contentToWire(c.Before)
			after, errAfter := contentToWire(c.After)
			if errColumn := errors.Join(required("name", c.Column), errBefore, errAfter); errColumn != nil {
				err = errors.Join(err, fmt.Errorf("column %s: %w", c.Column, errColumn))
			}
			m.Columns = append(m.Columns, &eventv1.WrittenColumn{Column: c.Column, Before: before, After: after})
		}
		if err != nil {
			return nil, fmt.Errorf("write %d: %w", i, err)
		}
		out = append(out, m)
	}
	return out, nil
}

func writesFromWire(writes []*eventv1.Write) ([]Write, error) {
	var out []Write
	for i, m := range writes {
		side, errSide := sides.fromWire(m.GetSide())
		action, errAction := actions.fromWire(m.GetAction())
		w := Write{Side: side, Action: action, Before: m.GetBefore(), After: m.GetAfter(), Incomplete: m.GetIncomplete()}
		err := errors.Join(errSide, errAction)
		for _, c := range m.GetColumns() {
			before, errBefore := contentFromWire(c.GetBefore())
			after, errAfter := contentFromWire(c.GetAfter())
			if errColumn := errors.Join(required("name", c.GetColumn()), errBefore, errAfter); errColumn != nil {
				err = errors.Join(err, fmt.Errorf("column %s: %w", c.GetColumn(), errColumn))
			}
			w.Columns = append(w.Columns, WrittenColumn{Column: c.GetColumn(), Before: before, After: after})
		}
		if err != nil {
			return nil, fmt.Errorf("write %d: %w", i, err)
		}
		out = append(out, w)
	}
	return out, nil
}

func contentToWire(c *Content) (*eventv1.Content, error) {
	switch {
	case c == nil:
		return nil, nil
	case c.Masked != "":
		return &eventv1.Content{Content: &eventv1.Content_Masked{Masked: c.Masked}}, nil
	case c.Value.IsNull():
		return &eventv1.Content{Content: &eventv1.Content_Null{Null: true}}, nil
	}
	v, err := valueToWire(c.Type, c.Value)
	return &eventv1.Content{Content: &eventv1.Content_Value{Value: v}}, err
}

// contentFromWire leaves the type of NULL open: it travels without one.
func contentFromWire(m *eventv1.Content) (*Content, error) {
	if m == nil {
		return nil, nil
	}
	switch c := m.GetContent().(type) {
	case *eventv1.Content_Masked:
		return &Content{Masked: c.Masked}, required("masked", c.Masked)
	case *eventv1.Content_Null:
		return &Content{}, nil
	case *eventv1.Content_Value:
		t, v, err := valueFromWire(c.Value)
		return &Content{Type: t, Value: v}, err
	default:
		return nil, errors.New("its content is of a kind unknown here; the sender may be newer than this service")
	}
}
