package integration

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/kafka"
)

var standingLine = regexp.MustCompile(`(?m)^(trueup_open_rows|trueup_open_rows_stuck|trueup_outcomes_seen_total)\{([^}]*)\} (\S+)$`)

// standingOf are the metrics about open rows that are not 0: "open_rows neq" and the like.
func standingOf(s *service) map[string]int {
	_, body := s.get("/metrics")
	all := map[string]int{}
	for _, match := range standingLine.FindAllStringSubmatch(body, -1) {
		label := regexp.MustCompile(`(?:kind|why|result)="([^"]*)"`).FindStringSubmatch(match[2])
		if n, _ := strconv.ParseFloat(match[3], 64); n != 0 && label != nil {
			all[match[1][len("trueup_"):]+" "+label[1]] = int(n)
		}
	}
	return all
}

// stands waits until a validator says that pairs stand so.
func stands(s *service, want map[string]int) {
	s.t.Helper()
	eventually(s.t, func() (bool, string) {
		got := standingOf(s)
		return fmt.Sprint(got) == fmt.Sprint(want), fmt.Sprintf("%v, want %v", got, want)
	})
}

// verdicts are those that the state topic keeps of the pair orders.
func (w *world) verdicts() []event.Verdict {
	w.t.Helper()
	scanner, err := kafka.NewScanner(w.t.Context(), w.kafka)
	if err != nil {
		w.t.Fatal(err)
	}
	defer scanner.Close()
	topic := w.kafka.Topics().State
	from, to, err := scanner.Span(w.t.Context(), topic, 0, time.Time{})
	if err != nil {
		w.t.Fatal(err)
	}
	var known event.Verdicts
	if err := scanner.Read(w.t.Context(), topic, 0, from, to, func(r event.Record) error {
		if kind, _ := event.StateKind(r.Key); kind != event.StateVerdicts {
			return nil
		}
		v, err := event.DecodeVerdicts(r)
		known.Merge(v)
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return known.List
}

// TestWhatIsOpenAgreesWithWhatTheFixerDid before, during and after it, and when
// the validator that says so was killed in between. Some rows are held, one cannot be
// repaired; a person puts them right, and a run that finds nothing says so.
func TestWhatIsOpenAgreesWithWhatTheFixerDid(t *testing.T) {
	t.Parallel()
	w := newWorld(t, direction{maria, postgres}, "pairs: [{name: orders, exclude: [untouched], breaker: {deletes: \"1\"}}]\nvalidator: {confirm: 0s}")
	maria.fill(t, w.source, "orders", 1, 300)
	postgres.fill(t, w.target, "orders", 1, 300)
	testenv.Exec(t, w.target, "DELETE FROM orders WHERE id BETWEEN 11 AND 20 OR id = 7", "UPDATE orders SET state = 'wrong' WHERE id BETWEEN 31 AND 35",
		"ALTER TABLE orders ADD CONSTRAINT no_seven CHECK (id <> 7)")
	w.must(1, "validator", "--config", w.config, "--once")
	v := start(t, "validator", "--config", w.config)
	stands(v, map[string]int{"open_rows target_missing": 11, "open_rows neq": 5})
	f := start(t, "fixer", "--config", w.config, "--listen", "127.0.0.1:0")
	stands(v, map[string]int{"open_rows target_missing": 1, "open_rows_stuck dead": 1, "outcomes_seen_total dead": 1, "outcomes_seen_total repaired": 15})

	// One of three deletes is allowed; the row that is dead is found anew, and dead
	// again or held, whichever of them comes first.
	postgres.insert(t, w.target, "orders", 301, 303)
	w.must(1, "validator", "--config", w.config, "--once")
	w.drained()
	did, left := outcomes(t, f), map[string]int{}
	eventually(t, func() (bool, string) {
		left = standingOf(v)
		state := fmt.Sprintf("%v, the fixer did %v", left, did)
		for result, n := range did {
			if left["outcomes_seen_total "+result] != n {
				return false, state
			}
			delete(left, "outcomes_seen_total "+result)
		}
		return left["open_rows target_missing"] == 1 && left["open_rows base_missing"] == 2 &&
			left["open_rows_stuck held"] == did["held"] && left["open_rows_stuck held"]+left["open_rows_stuck dead"] == 3, state
	})

	v.kill(syscall.SIGKILL)
	v = start(t, "validator", "--config", w.config)
	stands(v, left) // what it did not see itself it does not count
	v.logged("orders: everything changed before", "is verified equal; ", "3 rows open, oldest", fmt.Sprintf("%d held", did["held"]))

	testenv.Exec(t, w.target, "DELETE FROM orders", "ALTER TABLE orders DROP CONSTRAINT no_seven")
	postgres.insert(t, w.target, "orders", 1, 300)
	// A row that was found moments before the run may have been found by it, as far as clocks tell.
	select {
	case <-time.After(6 * time.Second):
	case <-t.Context().Done():
	}
	w.must(0, "validator", "--config", w.config, "--once")
	stands(v, map[string]int{})

	kept := w.verdicts()
	if len(kept) != 3 || kept[0].Clean || !kept[2].Clean || !kept[0].Complete || kept[0].Config != kept[2].Config || kept[0].Config == "" {
		t.Fatalf("verdicts %+v", kept)
	}
	if c := kept[2].Covers; len(c.Columns) != 9 || c.Source == "" || kept[0].TargetMissing != 11 || kept[0].NotEqual != 5 || kept[1].BaseMissing != 3 {
		t.Errorf("verdicts %+v", kept)
	}
	if status := v.stop(); status != 0 {
		t.Errorf("status %d", status)
	}
}

// TestARunOfWhatDoesNotBelongTogetherStops with a mapping under which every row
// differs, and keeps what it has found.
func TestARunOfWhatDoesNotBelongTogetherStops(t *testing.T) {
	t.Parallel()
	w := newWorld(t, direction{postgres, maria}, "pairs: [{name: orders, columns: [id, state], map: {state: note}}]\nvalidator: {confirm: 0s, range: {max_rows: 500}}")
	postgres.fill(t, w.source, "orders", 1, 20_000)
	maria.fill(t, w.target, "orders", 1, 20_000)
	testenv.Exec(t, w.target, "UPDATE orders SET note = 'as it was'")
	w.must(2, "validator", "--config", w.config, "--once")
	kept := w.verdicts()
	if len(kept) != 1 || kept[0].Complete || kept[0].NotEqual < 2000 || kept[0].NotEqual > 19_000 {
		t.Fatalf("verdicts %+v", kept)
	}
	t.Log(kept[0].Reason)
	if !regexp.MustCompile(`^stopped: \d+ of the first \d+ rows differ.*max_mismatch_share`).MatchString(kept[0].Reason) {
		t.Errorf("the reason is %q", kept[0].Reason)
	}
	scanner, err := kafka.NewScanner(t.Context(), w.kafka)
	if err != nil {
		t.Fatal(err)
	}
	defer scanner.Close()
	published := int64(0)
	for p := range int32(w.kafka.Partitions) {
		from, to, err := scanner.Span(context.WithoutCancel(t.Context()), w.kafka.Topics().Findings, p, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		published += to - from
	}
	if published != kept[0].NotEqual {
		t.Errorf("%d findings in the topic, %d in the verdict", published, kept[0].NotEqual)
	}
}
