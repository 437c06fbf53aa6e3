package event

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/trueup/trueup/proto/trueup/event/v1"
)

func findingToWire(f Finding) (*eventv1.Finding, error) {
	kind, errKind := kinds.toWire(f.Kind)
	key, errKey := keyToWire(f.Key)
	detected, errTime := timeToWire("detected_at", f.DetectedAt)
	err := errors.Join(required("id", f.ID), required("pair", f.Pair), errKind, errKey, errTime)
	return &eventv1.Finding{
		Id: f.ID, Kind: kind, Pair: f.Pair, Key: key, Run: f.Run, Epoch: f.Epoch,
		DetectedAt: detected, Columns: f.Columns,
	}, err
}

func findingFromWire(m *eventv1.Finding) (Finding, error) {
	kind, errKind := kinds.fromWire(m.GetKind())
	key, errKey := keyFromWire(m.GetKey())
	detected, errTime := timeFromWire("detected_at", m.GetDetectedAt())
	err := errors.Join(required("id", m.GetId()), required("pair", m.GetPair()), errKind, errKey, errTime)
	return Finding{
		ID: m.GetId(), Kind: kind, Pair: m.GetPair(), Key: key, Run: m.GetRun(), Epoch: m.GetEpoch(),
		DetectedAt: detected, Columns: m.GetColumns(),
	}, err
}

func outcomeToWire(o Outcome) (*eventv1.Outcome, error) {
	kind, errKind := kinds.toWireOrNone(o.Kind)
	result, errResult := results.toWire(o.Result)
	action, errAction := actions.toWire(o.Action)
	key, errKey := keyToWire(o.Key)
	detected, errDetected := timeToWire("detected_at", o.DetectedAt)
	at, errAt := timeToWire("at", o.At)
	writes, errWrites := writesToWire(o.Writes)
	err := errors.Join(required("finding_id", o.FindingID), required("pair", o.Pair),
		errKind, errResult, errAction, errKey, errDetected, errAt, errWrites)
	if o.Attempts < 0 || o.Attempts > math.MaxUint32 {
		err = errors.Join(err, fmt.Errorf("attempts %d is not between 0 and %d", o.Attempts, uint32(math.MaxUint32)))
	}
	return &eventv1.Outcome{
		FindingId: o.FindingID, Pair: o.Pair, Key: key, Run: o.Run, Epoch: o.Epoch, Kind: kind,
		Result: result, Action: action, Columns: o.Columns, ErrorClass: o.Class,
		// A database's message may quote bytes of any encoding. The reason is
		// for people: it is better told with marks than not at all.
		Reason:   strings.ToValidUTF8(o.Reason, "\uFFFD"),
		Attempts: uint32(o.Attempts), DetectedAt: detected, At: at,
		Took: durationpb.New(o.Took), DryRun: o.DryRun, Writes: writes, UndoOf: o.UndoOf,
	}, err
}

func outcomeFromWire(m *eventv1.Outcome) (Outcome, error) {
	kind, errKind := kinds.fromWireOrNone(m.GetKind())
	result, errResult := results.fromWire(m.GetResult())
	action, errAction := actions.fromWire(m.GetAction())
	key, errKey := keyFromWire(m.GetKey())
	detected, errDetected := timeFromWire("detected_at", m.GetDetectedAt())
	at, errAt := timeFromWire("at", m.GetAt())
	took, errTook := durationFromWire("took", m.GetTook())
	writes, errWrites := writesFromWire(m.GetWrites())
	err := errors.Join(required("finding_id", m.GetFindingId()), required("pair", m.GetPair()),
		errKind, errResult, errAction, errKey, errDetected, errAt, errTook, errWrites)
	return Outcome{
		FindingID: m.GetFindingId(), Pair: m.GetPair(), Key: key, Run: m.GetRun(), Epoch: m.GetEpoch(), Kind: kind,
		Result: result, Action: action, Columns: m.GetColumns(), Class: m.GetErrorClass(), Reason: m.GetReason(),
		Attempts: int(m.GetAttempts()), DetectedAt: detected, At: at, Took: took, DryRun: m.GetDryRun(),
		Writes: writes, UndoOf: m.GetUndoOf(),
	}, err
}

func taskToWire(t RangeTask) (*eventv1.RangeTask, error) {
	after, errAfter := boundToWire(t.After)
	through, errThrough := boundToWire(t.Through)
	keys, errKeys := keysToWire(t.Keys)
	err := errors.Join(required("pair", t.Pair), required("run", t.Run), errAfter, errThrough, errKeys)
	return &eventv1.RangeTask{
		Pair: t.Pair, Run: t.Run, Epoch: t.Epoch, Number: t.Number, After: after, Through: through, Keys: keys,
	}, err
}

func taskFromWire(m *eventv1.RangeTask) (RangeTask, error) {
	after, errAfter := boundFromWire(m.GetAfter())
	through, errThrough := boundFromWire(m.GetThrough())
	keys, errKeys := keysFromWire(m.GetKeys())
	err := errors.Join(required("pair", m.GetPair()), required("run", m.GetRun()), errAfter, errThrough, errKeys)
	return RangeTask{
		Pair: m.GetPair(), Run: m.GetRun(), Epoch: m.GetEpoch(), Number: m.GetNumber(), After: after, Through: through, Keys: keys,
	}, err
}

func stateToWire(s PairState) (*eventv1.PairState, error) {
	authority, errSide := sides.toWire(s.Authority)
	watermark, errWatermark := timeToWire("watermark", s.Watermark)
	at, errAt := timeToWire("at", s.At)
	pause, errPause := orderToWire("pause", s.Pause)
	stopped, errStopped := orderToWire("stopped", s.Stopped)
	began, errBegan := timesToWire("began", s.Began)
	return &eventv1.PairState{
		Pair: s.Pair, Generation: s.Generation, Epoch: s.Epoch, Authority: authority, Run: s.Run, Mode: s.Mode,
		Position: s.Position, Watermark: watermark, Phase: s.Phase, At: at,
		Pause: pause, Stopped: stopped, Pending: s.Pending, Began: began,
	}, errors.Join(required("pair", s.Pair), errSide, errWatermark, errAt, errPause, errStopped, errBegan)
}

func stateFromWire(m *eventv1.PairState) (PairState, error) {
	authority, errSide := sides.fromWire(m.GetAuthority())
	watermark, errWatermark := timeFromWire("watermark", m.GetWatermark())
	at, errAt := timeFromWire("at", m.GetAt())
	pause, errPause := orderFromWire("pause", m.GetPause())
	stopped, errStopped := orderFromWire("stopped", m.GetStopped())
	began, errBegan := timesFromWire("began", m.GetBegan())
	return PairState{
		Pair: m.GetPair(), Generation: m.GetGeneration(), Epoch: m.GetEpoch(), Authority: authority,
		Run: m.GetRun(), Mode: m.GetMode(), Position: m.GetPosition(), Watermark: watermark,
		Phase: m.GetPhase(), At: at, Pause: pause, Stopped: stopped, Pending: m.GetPending(), Began: began,
	}, errors.Join(required("pair", m.GetPair()), errSide, errWatermark, errAt, errPause, errStopped, errBegan)
}

func required(field, value string) error {
	if value == "" {
		return fmt.Errorf("%s is empty", field)
	}
	return nil
}

// A zero time is absent on the wire, and the other way round.
func timeToWire(field string, t time.Time) (*timestamppb.Timestamp, error) {
	if t.IsZero() {
		return nil, nil
	}
	m := timestamppb.New(t)
	if err := m.CheckValid(); err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return m, nil
}

func timeFromWire(field string, m *timestamppb.Timestamp) (time.Time, error) {
	if m == nil {
		return time.Time{}, nil
	}
	if err := m.CheckValid(); err != nil {
		return time.Time{}, fmt.Errorf("%s: %w", field, err)
	}
	return m.AsTime(), nil
}

func durationFromWire(field string, m *durationpb.Duration) (time.Duration, error) {
	if m == nil {
		return 0, nil
	}
	if err := m.CheckValid(); err != nil {
		return 0, fmt.Errorf("%s: %w", field, err)
	}
	return m.AsDuration(), nil
}
