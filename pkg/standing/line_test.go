package standing_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/standing"
)

func whole(began int) event.Verdicts {
	return event.Verdicts{Pair: "orders", List: []event.Verdict{{Run: "r", Mode: "full", Complete: true, Began: at(began), Ended: at(began + 10), Config: "config"}}}
}

func TestTheLineClaimsWhatWasLookedAtAndNoMore(t *testing.T) {
	follow := standing.Watermark{Mode: "incremental", Since: at(100), Until: at(200), Behind: 2 * time.Second, At: at(202)}
	for name, c := range map[string]struct {
		tell func(*standing.Board)
		asOf int
		want string
	}{
		"nothing": {func(*standing.Board) {}, 202, "orders: nothing is verified yet; no row open"},
		"a run alone": {
			func(b *standing.Board) { b.Concluded(whole(60)) }, 202,
			"orders: everything changed before 12:01:00 is verified equal; no row open",
		},
		"changes alone": {
			func(b *standing.Board) { b.Verified("orders", follow) }, 202,
			"orders: everything changed from 12:01:40 to 12:03:20 is verified equal; no row open",
		},
		"changes that began after the run": {
			func(b *standing.Board) { b.Concluded(whole(60)); b.Verified("orders", follow) }, 202,
			"orders: everything changed from 12:01:40 to 12:03:20 is verified equal; no row open",
		},
		"a run among the changes": {
			func(b *standing.Board) { b.Concluded(whole(120)); b.Verified("orders", follow) }, 202,
			"orders: everything changed before 12:03:20 is verified equal; no row open",
		},
		"open rows": {func(b *standing.Board) {
			b.Concluded(whole(120))
			b.Verified("orders", follow)
			for id := range 3 {
				b.Found(finding(string(rune('a'+id)), id, 162+id), at(170))
			}
			b.Settled(outcome(finding("c", 2, 164), event.Held, 170), standing.Spot{})
		}, 202, "orders: everything changed before 12:03:20 is verified equal; 3 rows open, oldest 40 s, 1 held"},
		"old knowledge": {
			func(b *standing.Board) { b.Concluded(whole(60)) }, 22,
			"orders: everything changed before 12:01:00 is verified equal; no row open, as known 3 min ago",
		},
		"no knowledge": {
			func(b *standing.Board) { b.Concluded(whole(60)) }, 0,
			"orders: everything changed before 12:01:00 is verified equal; which rows are open is not known yet",
		},
		"what nobody knows the beginning of": {func(b *standing.Board) {
			b.Verified("orders", standing.Watermark{Mode: "triggered", Until: at(200), At: at(202)})
		}, 202, "orders: what changed lately, up to 12:03:20, is verified equal; no row open"},
		"a transaction that stays open": {func(b *standing.Board) {
			late := follow
			late.Behind, late.Held = 7*time.Minute, "a transaction of connection 7 is open since 12:03:20"
			b.Concluded(whole(120))
			b.Verified("orders", late)
		}, 202, "orders: everything changed before 12:03:20 is verified equal (a transaction of connection 7 is open since 12:03:20), 7 min behind; no row open"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBoard(10)
			c.tell(b)
			asOf := at(c.asOf)
			if c.asOf == 0 {
				asOf = time.Time{}
			}
			if got := b.Snapshot(at(202), asOf)[0].Line; got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestAWatermarkThatDoesNotMoveIsSaidToStandStill(t *testing.T) {
	b := newBoard(10)
	b.Verified("orders", standing.Watermark{Mode: "incremental", Until: at(0), Behind: 2 * time.Second, At: at(2)})
	b.Verified("orders", standing.Watermark{Mode: "triggered", Until: at(0), Behind: 2 * time.Second, At: at(2)})
	if p := stands(b, 300); p.Verified[0].Stalled || p.Verified[0].BehindSeconds != 300 {
		t.Errorf("%+v", p.Verified)
	}
	// That no event comes is no reason to worry.
	if p := stands(b, 301); !p.Verified[0].Stalled || p.Verified[1].Stalled {
		t.Errorf("%+v", p.Verified)
	}
	b.Verified("orders", standing.Watermark{Mode: "incremental", Until: at(300), Behind: time.Second, At: at(302)})
	b.Verified("orders", standing.Watermark{Mode: "incremental", Until: at(5), Behind: time.Second, At: at(6)}) // read late
	if p := stands(b, 302); p.Verified[0].Stalled || !p.Verified[0].Until.Equal(at(300)) {
		t.Errorf("%+v", p.Verified)
	}
}

func TestASnapshotIsPlainJSON(t *testing.T) {
	b := newBoard(10)
	b.Found(finding("f", 1, 0), at(0))
	b.Concluded(whole(5))
	text, err := json.Marshal(stands(b, 10))
	if err != nil {
		t.Fatal(err)
	}
	var again standing.Pair
	if err := json.Unmarshal(text, &again); err != nil || again.Open != 1 || again.Kinds["neq"] != 1 || again.Verdict.Run != "r" {
		t.Errorf("%v, %s", err, text)
	}
}
