package integration

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/kafka"
)

// takeover is the session time-out of the tests: the shortest that brokers allow.
const takeover = 6 * time.Second

const twoValidators = "pairs:\n" +
	"  - {name: orders, exclude: [untouched, weight], where: " + paced + ", schedule: {full: '@every 1s'}}\n" +
	"  - {name: watched, updated_at: updated_at, exclude: [updated_at], schedule: {incremental: '@every 1s'}}\n" +
	"validator: {confirm: 0s, threads: 1, checkpoint_every: 1ms, takeover: 6s, range: {min_rows: 20, max_rows: 20}, continuous: {settle: 1s}}"

// relay is two validators of one configuration: one runs the pairs, the other
// stands by.
type relay struct {
	*world
	rows   int
	v1, v2 *service
}

// newRelay has the first in the middle of a run, and following changes.
func newRelay(t *testing.T, d direction) *relay {
	t.Helper()
	r := &relay{world: newWorld(t, d, twoValidators), rows: 6000}
	damaged(t, r.world, r.rows)
	r.setPace(0.004)
	testenv.Exec(t, r.source, strings.ReplaceAll(watchedTable(d.source), "orders", "watched"))
	testenv.Exec(t, r.target, strings.ReplaceAll(watchedTable(d.target), "orders", "watched"))
	r.v1 = start(t, "validator", "--config", r.config)
	r.v1.logged("this validator leads")
	r.v2 = start(t, "validator", "--config", r.config)
	r.v2.readiness(200, "this validator stands by: another process leads")
	before := r.position()
	r.moves(before)
	eventually(t, func() (bool, string) {
		return !r.watermark().IsZero(), "no change is verified"
	})
	return r
}

func (r *relay) state() event.PairState {
	r.t.Helper()
	states, _, err := r.admin().ReadState(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return states["orders"]
}

func (r *relay) position() string { return string(r.state().Position) }

// moves waits until the run has come further.
func (r *relay) moves(from string) {
	r.t.Helper()
	eventually(r.t, func() (bool, string) {
		now := r.position()
		return now != "" && now != from, now
	})
}

func (r *relay) watermark() time.Time {
	r.t.Helper()
	states, _, err := r.admin().ReadState(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return states["incremental/watched"].Watermark
}

// all reads what a topic holds.
func (r *relay) all(topic string) (records []event.Record) {
	r.t.Helper()
	scanner, err := kafka.NewScanner(r.t.Context(), r.kafka)
	if err != nil {
		r.t.Fatal(err)
	}
	defer scanner.Close()
	partitions, err := scanner.Partitions(topic)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, p := range partitions {
		from, to, err := scanner.Span(r.t.Context(), topic, p, time.Time{})
		if err == nil {
			err = scanner.Read(r.t.Context(), topic, p, from, to, func(one event.Record) error {
				records = append(records, one)
				return nil
			})
		}
		if err != nil {
			r.t.Fatal(err)
		}
	}
	return records
}

// history is what was written under a key of the state topic, in order.
func (r *relay) history(key string) (states []event.PairState) {
	r.t.Helper()
	for _, one := range r.all(r.kafka.Topics().State) {
		if string(one.Key) != key {
			continue
		}
		state, err := event.DecodePairState(one)
		if err != nil {
			r.t.Fatal(err)
		}
		states = append(states, state)
	}
	return states
}

// leadsWithin makes sure that a validator leads soon enough after a moment. The margin is
// for reading where runs stopped on a machine that has other things to do.
func (r *relay) leadsWithin(v *service, since time.Time) {
	r.t.Helper()
	v.logged("this validator leads")
	took := time.Since(since)
	r.t.Logf("taken over after %v", took.Round(100*time.Millisecond))
	if took > takeover+5*time.Second {
		r.t.Errorf("taken over after %v, and the session lasts %v", took, takeover)
	}
}

// ends has the run end, and everything be repaired.
func (r *relay) ends(v *service, run string) {
	r.t.Helper()
	r.setPace(0)
	line := v.logged(`"verdict"`, `"pair":"orders"`, `"complete":true`)
	want := []string{`"resumed":true`, fmt.Sprintf(`"neq":%d`, r.rows/250), `"run":"` + run}
	if !containsAll(line, want) {
		r.t.Errorf("the verdict is %s, want %q", line, want)
	}
	start(r.t, "fixer", "--config", r.config, "--listen", "127.0.0.1:0")
	r.drained()
	r.must(0, "trueup", "diff", "--config", r.config, "orders", "--confirm", "0")
}

// neverBack makes sure that what was called verified never went back, nor past a
// moment, for whoever reads the topic as it is to be read.
func (r *relay) neverBack(past time.Time) {
	r.t.Helper()
	var last event.PairState
	for _, s := range r.history("incremental/watched") {
		if s.Generation < last.Generation {
			continue
		}
		// One that takes over has verified nothing itself yet, and keeps what was.
		if s.Watermark.Before(last.Watermark) {
			r.t.Errorf("verified until %v, and then until %v", last.Watermark, s.Watermark)
		}
		if s.Watermark.After(past) {
			r.t.Errorf("verified until %v, and a transaction is open since before %v", s.Watermark, past)
		}
		last = s
	}
}

// TestTheNextValidatorGoesOnWithinASessionOfAKill in the middle of a run, while a
// transaction at the authority holds up what may be called verified.
//
// Not beside others: their open transactions would hold it up, too.
func TestTheNextValidatorGoesOnWithinASessionOfAKill(t *testing.T) {
	for _, d := range []direction{{maria, postgres}, {postgres, maria}} {
		t.Run(d.String(), func(t *testing.T) {
			r := newRelay(t, d)
			if status, _, stderr := command(t, "trueup", "pause", "orders", "--server", r.v2.url()); status == 0 || !strings.Contains(stderr, "stands by") {
				t.Errorf("an order to the one that stands by: status %d, %s", status, stderr)
			}
			late, err := testenv.Open(t, r.source).BeginTx(t.Context(), nil)
			if err == nil {
				_, err = late.ExecContext(t.Context(), "INSERT INTO watched (id, state) VALUES (1, 'late')")
			}
			if err != nil {
				t.Fatal(err)
			}
			opened := time.Now() // of the servers' clock, too
			held := verifiedBehind(r.v1)
			eventually(t, func() (bool, string) {
				behind := verifiedBehind(r.v1)
				return behind > held+3, fmt.Sprint(behind)
			})

			before := r.state()
			killed := time.Now()
			r.v1.kill(syscall.SIGKILL)
			r.leadsWithin(r.v2, killed)
			r.v2.logged("run started", `"pair":"orders"`, `"resumed":true`)
			r.moves(r.position())
			after := r.state()
			if after.Run != before.Run || after.Generation <= before.Generation {
				t.Errorf("before %+v, after %+v", before, after)
			}
			eventually(t, func() (bool, string) {
				behind := verifiedBehind(r.v2)
				return behind < 1e9, "it does not follow changes"
			})
			r.neverBack(opened)
			if err := late.Commit(); err != nil {
				t.Fatal(err)
			}
			eventually(t, func() (bool, string) {
				now := r.watermark()
				return now.After(opened), now.String()
			})
			r.ends(r.v2, before.Run)
			r.holds("SELECT count(*) FROM watched", 1)
			r.neverBack(time.Now())
		})
	}
}

// TestAValidatorThatWasFrozenWritesNothingWhenItGoesOn after another has taken its
// place, stands by from then on, and takes over in its turn.
func TestAValidatorThatWasFrozenWritesNothingWhenItGoesOn(t *testing.T) {
	r := newRelay(t, direction{maria, postgres})
	frozen := time.Now()
	if err := r.v1.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	before := r.state()
	published := r.instances()
	r.leadsWithin(r.v2, frozen)
	r.v2.logged("run started", `"pair":"orders"`, `"resumed":true`)
	r.moves(r.position())
	mine := r.state().Generation
	if mine <= before.Generation {
		t.Errorf("generation %d after %d", mine, before.Generation)
	}
	records := len(r.history("orders"))

	if err := r.v1.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	r.v1.logged("this validator does not lead any more")
	r.v1.readiness(200, "this validator stands by: another process leads")
	r.moves(r.position())
	for _, s := range r.history("orders")[records:] {
		if s.Generation < mine {
			t.Errorf("it wrote where the run stands: %+v", s)
		}
	}
	for instance, n := range r.instances() {
		if before, ok := published[instance]; ok && n != before {
			t.Errorf("it published %d findings more", n-before)
		}
	}
	r.neverBack(time.Now())

	killed := time.Now()
	r.v2.kill(syscall.SIGKILL)
	eventually(t, func() (bool, string) { // once more
		n := 0
		for _, line := range r.v1.lines() {
			if strings.Contains(line, "this validator leads") {
				n++
			}
		}
		return n == 2, "it has not taken over"
	})
	if took := time.Since(killed); took > takeover+5*time.Second {
		t.Errorf("taken over after %v", took)
	}
	r.ends(r.v1, before.Run)
}

// instances counts the findings by who published them.
func (r *relay) instances() map[string]int {
	out := map[string]int{}
	for _, one := range r.all(r.kafka.Topics().Findings) {
		out[one.Headers[event.HeaderInstance]]++
	}
	return out
}

// TestARunOfOnceDoesNotTakeThePlaceOfTheService: both go on, and an order that the
// service took stands after it was killed.
func TestARunOfOnceDoesNotTakeThePlaceOfTheService(t *testing.T) {
	t.Parallel()
	w := newWorld(t, direction{maria, maria}, "pairs: [{name: orders}]\nvalidator: {confirm: 0s, takeover: 6s}")
	maria.fill(t, w.source, "orders", 1, 50)
	maria.fill(t, w.target, "orders", 1, 50)
	v := start(t, "validator", "--config", w.config)
	v.logged("this validator leads")
	w.must(0, "validator", "--config", w.config, "--once")
	w.must(0, "trueup", "pause", "orders", "--server", v.url(), "--who", "ann")
	v.kill(syscall.SIGKILL)
	v = start(t, "validator", "--config", w.config)
	v.status("orders", inPhase("paused"))
	if states, _, err := w.admin().ReadState(t.Context()); err != nil || states["once/orders"].Phase != event.PhaseComplete {
		t.Errorf("%+v, %v", states, err)
	}
}
