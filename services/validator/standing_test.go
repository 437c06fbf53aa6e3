package main

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/standing"
	"github.com/trueup/trueup/services/assembly"
)

// verdictTopic is a state topic that verdicts are written to, and read from by awaiting.
type verdictTopic struct {
	standings *standings
	records   []event.Record
	unread    []event.Record // of other validators
	err       error
}

func (k *verdictTopic) Await(context.Context, time.Time) error {
	for _, r := range k.unread {
		if err := k.standings.learn(r); err != nil {
			return err
		}
	}
	k.unread = nil
	return k.err
}

func (k *verdictTopic) PublishVerdicts(_ context.Context, v event.Verdicts) error {
	r, err := event.Encoder{ContentType: event.Protobuf}.Verdicts(v)
	k.records = append(k.records, r)
	return err
}

// last are the runs in the last record.
func (k *verdictTopic) last(t *testing.T) []string {
	t.Helper()
	v, err := event.DecodeVerdicts(k.records[len(k.records)-1])
	if err != nil {
		t.Fatal(err)
	}
	var runs []string
	for _, verdict := range v.List {
		runs = append(runs, verdict.Run)
	}
	return runs
}

func standingsOf(k *verdictTopic, log zerolog.Logger) *standings {
	s := &standings{board: standing.NewBoard(10, map[string]string{"orders": "c"}), publisher: k, state: k, log: log, said: map[string]said{}, generations: map[string]uint64{}}
	k.standings = s
	return s
}

func conclusion(run string, minute int) event.Verdict {
	at := time.Unix(int64(minute)*60, 0)
	return event.Verdict{Pair: "orders", Run: run, Mode: "full", Complete: true, Clean: true, Began: at, Ended: at.Add(time.Second), Config: "c"}
}

func TestAVerdictIsKeptBesideThoseOfOtherValidators(t *testing.T) {
	var other, k verdictTopic
	standingsOf(&other, zerolog.Nop()).conclude(t.Context(), conclusion("others", 1))
	s := standingsOf(&k, zerolog.Nop())
	k.unread = other.records
	s.conclude(t.Context(), conclusion("mine", 2))
	if got := k.last(t); !slices.Equal(got, []string{"others", "mine"}) {
		t.Errorf("written: %v", got)
	}
}

// TestAVerdictIsNotWrittenOverWhatWasNotRead: it would take the place of the
// verdicts before it.
func TestAVerdictIsNotWrittenOverWhatWasNotRead(t *testing.T) {
	k := verdictTopic{err: errors.New("Kafka is away")}
	s := standingsOf(&k, zerolog.Nop())
	s.conclude(t.Context(), conclusion("1", 1))
	if len(k.records) != 0 {
		t.Errorf("written: %v", k.last(t))
	}
	if got := s.board.Verdicts("orders"); len(got) != 1 {
		t.Errorf("known: %+v", got)
	}
	k.err = nil
	s.conclude(t.Context(), conclusion("2", 2))
	if got := k.last(t); !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("written: %v", got)
	}
}

func TestTheSameConfigurationHasTheSameDigest(t *testing.T) {
	base := func() (*assembly.File, *assembly.Pair) {
		confirm := time.Second
		f := &assembly.File{Source: assembly.Database{DSN: "mysql://app:secret@10.0.0.1:3306/shop?timeout=1s"}, Target: assembly.Database{DSN: "postgres://app@b/shop"}}
		f.Validator.Confirm = &confirm
		return f, &assembly.Pair{
			Name: "orders", Source: "orders", Target: "orders", Map: map[string]string{"a": "b", "c": "d", "e": "f"},
			Rules: map[string]canonical.Rule{"x": {Trim: "right"}, "y": {Tolerance: 1e-9}},
		}
	}
	digest := func(change func(*assembly.File, *assembly.Pair)) string {
		t.Helper()
		f, p := base()
		change(f, p)
		text, err := configOf(f, p)
		if err != nil || text == "" {
			t.Fatal(text, err)
		}
		return text
	}
	want := digest(func(*assembly.File, *assembly.Pair) {})
	for name, same := range map[string]func(*assembly.File, *assembly.Pair){
		"order of keys": func(_ *assembly.File, p *assembly.Pair) {
			p.Map = maps.Collect(func(yield func(string, string) bool) {
				_ = yield("e", "f") && yield("c", "d") && yield("a", "b")
			})
		},
		"password": func(f *assembly.File, _ *assembly.Pair) { f.Source.DSN = "mysql://app:s3c@ret@10.0.0.1:3306/shop" },
		"user":     func(f *assembly.File, _ *assembly.Pair) { f.Target.DSN = "postgres://other:${PASSWORD}@b/shop" },
		"repairs":  func(f *assembly.File, p *assembly.Pair) { f.Fixer.BatchKeys, p.Images = 7, "full" },
		"speed":    func(f *assembly.File, _ *assembly.Pair) { f.Validator.Threads = 9 },
	} {
		if got := digest(same); got != want {
			t.Errorf("another %s: %s, want %s", name, got, want)
		}
	}
	for name, differs := range map[string]func(*assembly.File, *assembly.Pair){
		"host":   func(f *assembly.File, _ *assembly.Pair) { f.Source.DSN = "mysql://app:secret@10.0.0.2:3306/shop" },
		"filter": func(_ *assembly.File, p *assembly.Pair) { p.Where = "id > 7" },
		"rule":   func(_ *assembly.File, p *assembly.Pair) { p.Rules["x"] = canonical.Rule{Trim: "left"} },
		"map":    func(_ *assembly.File, p *assembly.Pair) { p.Map["a"] = "z" },
	} {
		if got := digest(differs); got == want {
			t.Errorf("another %s has the same digest", name)
		}
	}
}

// TestTheLogSaysOnceAMinuteHowAPairStands and at once that its watermark stands still.
func TestTheLogSaysOnceAMinuteHowAPairStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k verdictTopic
		var log bytes.Buffer
		s := standingsOf(&k, zerolog.New(&log))
		lines := func(seconds int, verified bool) int {
			log.Reset()
			for range seconds {
				time.Sleep(time.Second)
				now := time.Now()
				if verified {
					s.board.Verified("orders", standing.Watermark{Mode: "incremental", Until: now.Add(-time.Second), Behind: time.Second, At: now})
				}
				for _, p := range s.board.Snapshot(now, now) {
					s.say(&p, now)
				}
			}
			return strings.Count(log.String(), "verified")
		}
		if n := lines(30, false); n != 0 {
			t.Errorf("%d lines while nothing is verified", n)
		}
		if n := lines(1, true); n != 1 {
			t.Errorf("%d lines at the first watermark", n)
		}
		if n := lines(180, true); n != 3 {
			t.Errorf("%d lines in three minutes", n)
		}
		if n := lines(290, false); n != 0 {
			t.Errorf("%d lines while nothing changes: %s", n, log.String())
		}
		if n := lines(15, false); n != 1 || !strings.Contains(log.String(), `"level":"warn"`) || !strings.Contains(log.String(), "behind") {
			t.Errorf("%d lines when it stands still: %s", n, log.String())
		}
		if n := lines(1, true); n != 1 || strings.Contains(log.String(), "warn") {
			t.Errorf("%d lines when it moves again: %s", n, log.String())
		}
	})
}
