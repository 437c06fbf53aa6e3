package integration

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/row"
)

const (
	crowdRows     = 30_000 // at the source: ids 1 to crowdRows
	crowdFindings = 20_000
)

// crowdDamage sets kind of damage by id: of three ids two differ, one each way
// in turn; ids above crowdRows are only at the target.
func crowdDamage() []event.Finding {
	var findings []event.Finding
	add := func(id int, kind event.Kind) {
		findings = append(findings, event.Finding{
			ID: fmt.Sprintf("f%d", id), Kind: kind, Pair: "orders", Run: "crowd", Epoch: 1, DetectedAt: time.Now(),
			Key: event.Key{{Column: "id", Type: canonical.Type{Kind: canonical.Int}, Value: row.Value(strconv.Itoa(id))}},
		})
	}
	for id := 1; id <= crowdRows; id++ {
		switch id % 4 {
		case 0:
			add(id, event.TargetMissing)
		case 1:
			add(id, event.NotEqual)
		}
	}
	for id := crowdRows + 1; len(findings) < crowdFindings; id++ {
		add(id, event.BaseMissing)
	}
	return findings
}

// TestThreeFixersShareTheWorkWhileAWriterChangesTheSameRows is the whole
// repair under the conditions it is made for: findings of all kinds arrive
// shuffled and twice at three fixers, while an application keeps changing,
// deleting and inserting the very rows at the source and a replicator applies
// its writes to the target in order. In the end a full pass finds nothing.
func TestThreeFixersShareTheWorkWhileAWriterChangesTheSameRows(t *testing.T) {
	t.Parallel()
	d := direction{maria, postgres}
	w := newWorld(t, d, "pairs: [{name: orders, exclude: [untouched], breaker: {share: off, deletes: off}}]\nvalidator: {confirm: 500ms}")
	maria.fill(t, w.source, "orders", 1, crowdRows)
	postgres.fill(t, w.target, "orders", 1, crowdRows)
	testenv.Exec(t, w.target, "DELETE FROM orders WHERE id % 4 = 0", "UPDATE orders SET state = 'damaged', at = NULL WHERE id % 4 = 1")
	findings := crowdDamage()
	postgres.insert(t, w.target, "orders", crowdRows+1, crowdRows+len(findings)-crowdRows/2)

	fixers := make([]*service, 3)
	for i := range fixers {
		fixers[i] = start(t, "fixer", "--config", w.config)
	}
	for _, f := range fixers {
		f.logged("joined the group", `"partitions":2,`)
	}

	application := startWriter(t, w)
	twice := append(append([]event.Finding{}, findings...), findings...)
	rand.Shuffle(len(twice), func(i, j int) { twice[i], twice[j] = twice[j], twice[i] })
	w.publish(twice)
	w.drained()
	writes := application.stop()
	if writes < 500 {
		t.Errorf("the writer made %d writes only; it was to disturb the fixers", writes)
	}

	w.must(0, "validator", "--config", w.config, "--once")
	w.must(0, "trueup", "diff", "--config", w.config, "--confirm", "0")
	w.drained()

	settled := 0
	for i, f := range fixers {
		results := outcomes(t, f)
		t.Logf("fixer %d: %v", i, results)
		own := 0
		for _, n := range results {
			own += n
		}
		if own == 0 {
			t.Errorf("fixer %d had no part in the work", i)
		}
		if results["dead"]+results["held"] > 0 {
			t.Errorf("fixer %d left findings: %v", i, results)
		}
		settled += own
		if status := f.stop(); status != 0 {
			t.Errorf("fixer %d stopped with status %d", i, status)
		}
	}
	if settled < len(twice) {
		t.Errorf("%d outcomes for %d findings", settled, len(twice))
	}
	t.Logf("%d writes by the application meanwhile", writes)
}

// publish publishes findings in the order given.
func (w *world) publish(findings []event.Finding) {
	w.t.Helper()
	publisher, err := kafka.NewPublisher(w.kafka, zerolog.Nop(), kafka.Unobserved{})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := publisher.PublishFindings(w.t.Context(), findings); err != nil {
		w.t.Fatal(err)
	}
	if err := publisher.Close(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

var outcomeLine = regexp.MustCompile(`trueup_fixer_outcomes_total\{[^}]*result="(\w+)"[^}]*\} (\S+)`)

// outcomes counts a fixer's outcomes by result.
func outcomes(t *testing.T, f *service) map[string]int {
	t.Helper()
	_, body := f.get("/metrics")
	counts := map[string]int{}
	for _, match := range outcomeLine.FindAllStringSubmatch(body, -1) {
		n, err := strconv.ParseFloat(match[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			counts[match[1]] += int(n)
		}
	}
	return counts
}

// writer is an application that writes to the source, and the replicator
// behind it that applies the same writes to the target a moment later, in
// order.
type writer struct {
	cancel context.CancelFunc
	done   chan error
	writes atomic.Int64
	t      *testing.T
}

// change is one version of a row; a nil state is its end.
type change struct {
	id    int
	state *string
}

func startWriter(t *testing.T, w *world) *writer {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out := &writer{cancel: cancel, done: make(chan error, 2), t: t}
	// The buffer is the replicator's delay: up to so many writes behind.
	stream := make(chan change, 32)
	source, target := testenv.Open(t, w.source), testenv.Open(t, w.target)
	go func() {
		defer close(stream)
		out.done <- out.write(ctx, source, stream)
	}()
	go func() { out.done <- replicate(context.WithoutCancel(ctx), target, stream) }()
	return out
}

// write changes rows at the source until ctx ends.
func (w *writer) write(ctx context.Context, db *sql.DB, stream chan<- change) error {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a repeatable test needs no secret numbers
	commit := context.WithoutCancel(ctx)  // a write that was begun reaches the stream
	for n := 0; ctx.Err() == nil; n++ {
		c := change{id: 1 + random.IntN(crowdRows)}
		var err error
		if random.IntN(5) == 0 {
			_, err = db.ExecContext(commit, "DELETE FROM orders WHERE id = ?", c.id)
		} else {
			state := fmt.Sprintf("written %d", n)
			c.state = &state
			_, err = db.ExecContext(commit, "INSERT INTO orders (id, state, paid) VALUES (?, ?, TRUE) ON DUPLICATE KEY UPDATE state = VALUES(state), amount = NULL, "+
				"weight = NULL, paid = TRUE, born = NULL, at = NULL, raw = NULL, note = NULL", c.id, state)
		}
		if err != nil {
			return fmt.Errorf("write to the source: %w", err)
		}
		stream <- c
		w.writes.Add(1)
	}
	return nil
}

// replicate applies changes to the target, each a whole version of its row.
func replicate(ctx context.Context, db *sql.DB, stream <-chan change) error {
	for c := range stream {
		var err error
		if c.state == nil {
			_, err = db.ExecContext(ctx, "DELETE FROM orders WHERE id = $1", c.id)
		} else {
			_, err = db.ExecContext(ctx, "INSERT INTO orders (id, state, paid) VALUES ($1, $2, TRUE) ON CONFLICT (id) DO UPDATE SET state = EXCLUDED.state, amount = NULL, "+
				"weight = NULL, paid = TRUE, born = NULL, at = NULL, raw = NULL, note = NULL", c.id, *c.state)
		}
		if err != nil {
			return fmt.Errorf("replicate: %w", err)
		}
	}
	return nil
}

// stop stops the application, waits until the replicator has caught up, and
// returns the number of writes.
func (w *writer) stop() int64 {
	w.t.Helper()
	w.cancel()
	if err := errors.Join(<-w.done, <-w.done); err != nil {
		w.t.Fatal(err)
	}
	return w.writes.Load()
}
