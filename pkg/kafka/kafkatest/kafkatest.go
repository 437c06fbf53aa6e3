// Package kafkatest helps tests that need Kafka: a configuration with topics of
// the test's own, and the contract that any broker must keep for this project.
package kafkatest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/row"
)

// Config returns the configuration of the test cluster under a prefix of the
// test's own, with its topics created. They go when the test ends.
func Config(t testing.TB) kafka.Config {
	t.Helper()
	c := kafka.Config{Brokers: testenv.Kafka(t), Prefix: testenv.Prefix(t), Partitions: 4}
	Create(t, c)
	return c
}

// Create creates the topics of a configuration.
func Create(t testing.TB, c kafka.Config) {
	t.Helper()
	admin, err := kafka.NewAdmin(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Create(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Finding returns the finding that row n of the pair differs.
func Finding(pair string, n int) event.Finding {
	return event.Finding{
		ID: fmt.Sprintf("%s-%d", pair, n), Kind: event.NotEqual, Pair: pair, Run: "run", Epoch: 1,
		DetectedAt: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		Key: event.Key{{
			Column: "id", Type: canonical.Type{Kind: canonical.Int}, Value: row.Value(fmt.Sprint(n)),
		}},
	}
}

// Findings returns the findings of rows 0 to n-1.
func Findings(pair string, n int) []event.Finding {
	out := make([]event.Finding, n)
	for i := range out {
		out[i] = Finding(pair, i)
	}
	return out
}

// Collector is a Handler that remembers what it was given.
type Collector struct {
	mu     sync.Mutex
	counts map[string]int
	// Before is called ahead of every batch, if set; its error is Handle's.
	Before func(ctx context.Context, batch []kafka.Message) error
	grown  chan struct{}
}

// NewCollector returns an empty Collector.
func NewCollector() *Collector {
	return &Collector{counts: map[string]int{}, grown: make(chan struct{}, 1)}
}

// Handle remembers the batch.
func (c *Collector) Handle(ctx context.Context, batch []kafka.Message) error {
	if c.Before != nil {
		if err := c.Before(ctx, batch); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range batch {
		c.counts[m.Finding.ID]++
	}
	select {
	case c.grown <- struct{}{}:
	default:
	}
	return nil
}

// Distinct is how many different findings came.
func (c *Collector) Distinct() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.counts)
}

// Of is how many different findings of the pair came.
func (c *Collector) Of(pair string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for id := range c.counts {
		if strings.HasPrefix(id, pair+"-") {
			n++
		}
	}
	return n
}

// Doubled is how many messages came beyond the first of each finding.
func (c *Collector) Doubled() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, count := range c.counts {
		n += count - 1
	}
	return n
}

// Await waits until n different findings came.
func (c *Collector) Await(t testing.TB, n int) {
	t.Helper()
	deadline := time.After(60 * time.Second)
	for c.Distinct() < n {
		select {
		case <-c.grown:
		case <-deadline:
			t.Fatalf("%d of %d findings came", c.Distinct(), n)
		}
	}
}

// Member runs a member of the group until the returned function is called or
// the test ends; the function returns when the member has left.
func Member(t testing.TB, c kafka.Config, g kafka.GroupConfig, handler kafka.Handler) (member *kafka.Group, stop func()) {
	t.Helper()
	member, err := kafka.NewGroup(c, g, handler, zerolog.New(zerolog.NewTestWriter(t)), kafka.Unobserved{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = member.Run(ctx) // it returns nil when ctx ends, and ends no sooner
	}()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return member, stop
}

// Publisher returns a publisher that is closed when the test ends.
func Publisher(t testing.TB, c kafka.Config) *kafka.Publisher {
	t.Helper()
	p, err := kafka.NewPublisher(c, zerolog.New(zerolog.NewTestWriter(t)), kafka.Unobserved{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := p.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return p
}

// TotalLag is the group's lag over all partitions of the topic of findings.
func TotalLag(t testing.TB, c kafka.Config, group string) int64 {
	t.Helper()
	admin, err := kafka.NewAdmin(c)
	if err != nil {
		t.Fatal(err)
	}
	lag, err := admin.GroupLag(t.Context(), group, c.Topics().Findings)
	if err != nil {
		t.Fatal(err)
	}
	var total int64
	for _, n := range lag {
		total += n
	}
	return total
}
