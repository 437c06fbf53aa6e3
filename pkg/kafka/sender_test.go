package kafka_test

import (
	"sync/atomic"
	"testing"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/kafka/kafkatest"
)

// retries counts the messages that a publisher sends again.
type retries struct {
	kafka.Unobserved
	n atomic.Int64
}

func (r *retries) PublishRetried(_ string, messages int) { r.n.Add(int64(messages)) }

// gated is a publisher behind a gate whose connection has brought findings into the topic.
func gated(t *testing.T, before int) (kafka.Config, *kafka.Publisher, *gate, *retries) {
	t.Helper()
	config, g, seen := kafkatest.Config(t), &gate{}, &retries{}
	p, err := kafka.NewPublisher(config.WithDialer(g), zerolog.New(zerolog.NewTestWriter(t)), seen)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.PublishFindings(t.Context(), kafkatest.Findings("before", before)); err != nil {
		t.Fatal(err)
	}
	seen.n.Store(0) // a broker that has just started has no producer ID to give for a moment
	return config, p, g, seen
}

// published sends findings to a broker behind a gate, after what is to happen to their
// connection, and wants each in the topic once and nobody to have noticed.
func published(t *testing.T, happens func(*gate)) {
	t.Helper()
	config, p, g, seen := gated(t, 500)
	happens(g)
	if err := p.PublishFindings(t.Context(), kafkatest.Findings("orders", 500)); err != nil {
		t.Fatal(err)
	}
	if !g.lost() {
		t.Error("no answer was lost")
	}
	if n := seen.n.Load(); n != 0 {
		t.Errorf("%d findings were sent again by the publisher", n)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
	got := arrived(t, config, 1000)
	if n := got.Doubled(); n != 0 {
		t.Errorf("%d findings are in the topic twice", n)
	}
}

func TestAConnectionThatWasClosedMeanwhileIsNoTrouble(t *testing.T) {
	t.Parallel()
	published(t, (*gate).cut)
}

// The broker has appended the batch, and is sent it again.
func TestAnAnswerThatGetsLostDoublesNothing(t *testing.T) {
	t.Parallel()
	published(t, func(g *gate) { g.lose(1) })
}

// When the second answer is lost as well, nobody knows. The findings come again, by
// another producer, and those that follow in the same partitions are not lost.
func TestWhatIsInDoubtIsSentAgainAndWhatFollowsIsNotLost(t *testing.T) {
	t.Parallel()
	config, p, g, seen := gated(t, 100)
	g.lose(2)
	done := make(chan error, 2)
	for _, pair := range []string{"orders", "items"} {
		go func() { done <- p.PublishFindings(t.Context(), kafkatest.Findings(pair, 2000)) }()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if seen.n.Load() == 0 || !g.lost() {
		t.Error("nothing was in doubt")
	}
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
	got := arrived(t, config, 4100)
	t.Logf("%d came twice", got.Doubled())
}
