package kafka_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/kafka/kafkatest"
	"github.com/trueup/trueup/pkg/row"
)

func settle(t *testing.T, p *kafka.Publisher, from, to int) {
	t.Helper()
	var list []event.Outcome
	for id := from; id < to; id++ {
		list = append(list, event.Outcome{
			FindingID: strconv.Itoa(id), Pair: "orders", Result: event.Repaired, Action: event.Update, Attempts: 1, At: time.Now(),
			Key: event.Key{{Column: "id", Type: canonical.Type{Kind: canonical.Int}, Value: row.Value(strconv.Itoa(id))}},
		})
	}
	if err := p.PublishOutcomes(t.Context(), list); err != nil {
		t.Fatal(err)
	}
}

func TestTheOutcomesOfOthersAreFollowedFromAMomentOn(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	mine, another, own := kafkatest.Publisher(t, config), kafkatest.Publisher(t, config), kafkatest.Publisher(t, config)
	if mine.Instance() == "" || mine.Instance() == another.Instance() {
		t.Fatalf("instances %q and %q", mine.Instance(), another.Instance())
	}
	settle(t, mine, 0, 100)
	since := time.Now().Truncate(time.Millisecond).Add(2 * time.Millisecond) // as fine as Kafka's times are
	<-time.After(time.Until(since))
	settle(t, mine, 100, 140)
	settle(t, own, 140, 170)

	counts := map[string]int{}
	f, err := kafka.FollowOutcomes(config, zerolog.New(zerolog.NewTestWriter(t)), since, own.Instance(), func(r event.Record) error {
		counts[r.Headers[event.HeaderInstance]]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	await, stop := following(t, f)
	await()
	settle(t, another, 200, 207)
	settle(t, own, 207, 300)
	await()
	stop()
	if counts[mine.Instance()] != 40 || counts[another.Instance()] != 7 || len(counts) != 2 {
		t.Errorf("followed %v", counts)
	}
}

// following runs a follower until stop. The other function waits until all that was
// there when it was called is read.
func following(t *testing.T, f *kafka.Follower) (await, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = f.Run(ctx) }() // it returns nil
	await = func() {
		t.Helper()
		limited, release := context.WithTimeout(t.Context(), time.Minute)
		defer release()
		if err := f.Await(limited, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	return await, func() { cancel(); <-done }
}
