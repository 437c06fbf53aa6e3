package event

import (
	"fmt"

	eventv1 "github.com/trueup/trueup/proto/trueup/event/v1"
)

// enumeration pairs the values of a domain type with those of the wire.
type enumeration[D, W comparable] struct {
	name string
	wire map[D]W
}

func (e enumeration[D, W]) toWire(d D) (W, error) {
	w, ok := e.wire[d]
	if !ok {
		return w, fmt.Errorf("%s %v has no form on the wire", e.name, d)
	}
	return w, nil
}

func (e enumeration[D, W]) fromWire(w W) (D, error) {
	for d, candidate := range e.wire {
		if candidate == w {
			return d, nil
		}
	}
	var none D
	return none, fmt.Errorf("%s %v is unknown here; the sender may be newer than this service", e.name, w)
}

// toWireOrNone has the zero value stand for none.
func (e enumeration[D, W]) toWireOrNone(d D) (W, error) {
	var none D
	if d == none {
		var absent W
		return absent, nil
	}
	return e.toWire(d)
}

// fromWireOrNone has the zero value stand for none.
func (e enumeration[D, W]) fromWireOrNone(w W) (D, error) {
	var absent W
	if w == absent {
		var none D
		return none, nil
	}
	return e.fromWire(w)
}

var (
	kinds = enumeration[Kind, eventv1.FindingKind]{"kind", map[Kind]eventv1.FindingKind{
		TargetMissing: eventv1.FindingKind_FINDING_KIND_TARGET_MISSING,
		NotEqual:      eventv1.FindingKind_FINDING_KIND_NOT_EQUAL,
		BaseMissing:   eventv1.FindingKind_FINDING_KIND_BASE_MISSING,
	}}
	results = enumeration[Result, eventv1.Result]{"result", map[Result]eventv1.Result{
		Repaired:     eventv1.Result_RESULT_REPAIRED,
		AlreadyEqual: eventv1.Result_RESULT_ALREADY_EQUAL,
		Vanished:     eventv1.Result_RESULT_VANISHED,
		Held:         eventv1.Result_RESULT_HELD,
		Dead:         eventv1.Result_RESULT_DEAD,
		Undone:       eventv1.Result_RESULT_UNDONE,
	}}
	actions = enumeration[Action, eventv1.Action]{"action", map[Action]eventv1.Action{
		NoAction: eventv1.Action_ACTION_NONE,
		Insert:   eventv1.Action_ACTION_INSERT,
		Update:   eventv1.Action_ACTION_UPDATE,
		Delete:   eventv1.Action_ACTION_DELETE,
	}}
	sides = enumeration[Side, eventv1.Side]{"authority", map[Side]eventv1.Side{
		Source: eventv1.Side_SIDE_SOURCE,
		Target: eventv1.Side_SIDE_TARGET,
	}}
)
