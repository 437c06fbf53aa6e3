package kafka_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/kafka/kafkatest"
)

// log is what a follower was told, in order.
type log struct {
	mu   sync.Mutex
	keys []string
	fail error
}

func (l *log) apply(r event.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		return l.fail
	}
	l.keys = append(l.keys, string(r.Key))
	return nil
}

func (l *log) told() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.keys)
}

func (l *log) refuse(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fail = err
}

func follow(t *testing.T, c kafka.Config, apply ...func(event.Record) error) *kafka.Follower {
	t.Helper()
	f, err := kafka.FollowState(c, zerolog.New(zerolog.NewTestWriter(t)), apply...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = f.Run(ctx) }() // it returns nil
	t.Cleanup(func() { cancel(); <-done })
	return f
}

func decide(t *testing.T, p *kafka.Publisher, pair string, epoch uint64, authority event.Side) {
	t.Helper()
	if err := p.PublishDecision(t.Context(), event.Decision{Pair: pair, Epoch: epoch, Authority: authority, At: time.Now()}); err != nil {
		t.Fatal(err)
	}
}

func TestWhoAwaitsAMomentHasReadAllThatWasAcknowledgedBefore(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	p := kafkatest.Publisher(t, config)
	decide(t, p, "orders", 1, event.Source)
	var all, epochs log
	f := follow(t, config, all.apply, func(r event.Record) error {
		if kind, _ := event.StateKind(r.Key); kind != event.StateEpoch {
			return nil
		}
		return epochs.apply(r)
	})
	if err := f.Await(t.Context(), time.Time{}); err != nil {
		t.Fatal(err)
	}
	if got := all.told(); !slices.Equal(got, []string{"epoch/1/source/orders"}) {
		t.Fatalf("caught up with %q", got)
	}
	for n := uint64(2); n < 30; n++ {
		decide(t, p, "orders", n, event.Target)
		if err := p.PublishState(t.Context(), event.PairState{Pair: "orders", Generation: n, Authority: event.Target}); err != nil {
			t.Fatal(err)
		}
		if err := f.Await(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		if a, e := len(all.told()), len(epochs.told()); a != int(2*n-1) || e != int(n) {
			t.Fatalf("after epoch %d: %d records, %d of them decisions", n, a, e)
		}
	}
	if age, ok := f.Age(); !ok || age > 10*time.Second {
		t.Errorf("the knowledge is %v old, %t", age, ok)
	}
}

func TestAnEmptyStateTopicIsReadToItsEnd(t *testing.T) {
	t.Parallel()
	f := follow(t, kafkatest.Config(t), new(log).apply)
	if err := f.Await(t.Context(), time.Now()); err != nil {
		t.Error(err)
	}
}

func TestWithoutABrokerKnowledgeGrowsOldAndNothingIsMissedAfterwards(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	p := kafkatest.Publisher(t, config)
	decide(t, p, "a", 1, event.Source)
	g := &gate{}
	var l log
	f := follow(t, config.WithDialer(g), l.apply)
	if err := f.Await(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	g.close()
	eventually(t, "it shows", func() bool { ok, _, _ := f.Healthy(); return !ok })
	cut := time.Now()
	decide(t, p, "b", 1, event.Source)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := f.Await(ctx, cut); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("awaited the present without a broker: %v", err)
	}
	if age, _ := f.Age(); age < time.Second {
		t.Errorf("the knowledge is said to be %v old", age)
	}
	g.open()
	if err := f.Await(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if got := l.told(); !slices.Equal(got, []string{"epoch/1/source/a", "epoch/1/source/b"}) {
		t.Errorf("told of %q", got)
	}
}

func TestARecordThatIsNotUnderstoodIsNotPassedOver(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	produce(t, config, &sarama.ProducerMessage{Topic: config.Topics().State, Key: sarama.StringEncoder("epoch/1/source/a"), Value: sarama.StringEncoder("??")})
	var decisions event.Decisions
	var l log
	l.refuse(errors.New("not understood"))
	f := follow(t, config, func(r event.Record) error { _, err := decisions.Apply(r); return err }, l.apply)
	eventually(t, "it says which record", func() bool {
		_, reason, _ := f.Healthy()
		return strings.Contains(reason, "epoch/1/source/a")
	})
	if _, known := f.Age(); known {
		t.Error("read to the end all the same")
	}
}

func TestCompactionKeepsDecisionsApart(t *testing.T) {
	encoder := event.Encoder{ContentType: event.JSON}
	keys := map[string]bool{}
	for _, d := range []event.Decision{
		{Pair: "p", Epoch: 1, Authority: event.Source},
		{Pair: "p", Epoch: 2, Authority: event.Source},
		{Pair: "p", Epoch: 2, Authority: event.Target},
		{Pair: "2/target/p", Epoch: 2, Authority: event.Target},
	} {
		r, err := encoder.Decision(d)
		if err != nil {
			t.Fatal(err)
		}
		keys[string(r.Key)] = true
	}
	if len(keys) != 4 {
		t.Errorf("keys %v", keys)
	}
}
