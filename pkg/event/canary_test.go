package event

import (
	"reflect"
	"testing"
	"time"
)

func TestACanarysReportComesBackAsItWas(t *testing.T) {
	at := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	for key, want := range map[string]CanaryReport{
		"canary/proven/neq/orders": {
			Pair: "orders", Authority: Source, Kind: NotEqual, Run: "canary-1", Asked: true, At: at, Found: 2400 * time.Millisecond, Repaired: 3 * time.Second, Equal: 3100 * time.Millisecond,
		},
		"canary/missed/base_missing/orders": {Pair: "orders", Authority: Target, Kind: BaseMissing, At: at, Found: time.Second, Missed: "repaired", Reason: "held (breaker)"},
	} {
		for _, form := range []string{Protobuf, JSON} {
			r, err := Encoder{ContentType: form}.CanaryReport(want)
			if err != nil {
				t.Fatal(err)
			}
			if kind, _ := StateKind(r.Key); kind != StateCanary || string(r.Key) != key {
				t.Errorf("the key is %q of kind %q, want %q", r.Key, kind, key)
			}
			if got, err := DecodeCanaryReport(r); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %+v, %v\nwant %+v", form, got, err, want)
			}
			// What read the topic before there were canaries takes it for a position.
			if state, err := DecodePairState(r); err != nil || state.Pair != key || state.Run != "" || state.Epoch != 0 || len(state.Position) != 0 {
				t.Errorf("%s: an older reader fails, or sees a run: %+v, %v", form, state, err)
			}
		}
	}
	if _, err := (Encoder{ContentType: Protobuf}).CanaryReport(CanaryReport{Pair: "orders"}); err == nil {
		t.Error("a canary of no kind was encoded")
	}
}
