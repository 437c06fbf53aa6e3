package kafka_test

import (
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/kafka/kafkatest"
	"github.com/trueup/trueup/pkg/row"
)

// TestWhatStandsThereIsFollowedInTheOrderOfItsTime over all topics: between a
// finding and its outcome there are never more than those of its time.
func TestWhatStandsThereIsFollowedInTheOrderOfItsTime(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	p := kafkatest.Publisher(t, config)
	const rounds, each = 20, 50
	publish := func(round int) {
		t.Helper()
		var list []event.Finding
		for id := round * each; id < (round+1)*each; id++ {
			list = append(list, event.Finding{
				ID: strconv.Itoa(id), Kind: event.NotEqual, Pair: "orders", Run: "r", DetectedAt: time.Now(),
				Key: event.Key{{Column: "id", Type: canonical.Type{Kind: canonical.Int}, Value: row.Value(strconv.Itoa(id))}},
			})
		}
		if err := p.PublishFindings(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		settle(t, p, round*each, (round+1)*each)
	}
	for round := range rounds {
		publish(round)
	}

	var mu sync.Mutex
	open, most, last := map[string]bool{}, 0, time.Time{}
	unordered, found, settled := 0, 0, 0
	topics := config.Topics()
	f, err := kafka.FollowFindings(config, zerolog.New(zerolog.NewTestWriter(t)), time.Time{}, func(r kafka.Followed) error {
		mu.Lock()
		defer mu.Unlock()
		if r.At.Before(last) {
			unordered++
		}
		last = r.At
		switch r.Topic {
		case topics.Findings:
			open[string(r.Key)] = true
			found++
		case topics.Outcomes:
			delete(open, string(r.Key))
			settled++
		}
		most = max(most, len(open))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	await, stop := following(t, f)
	began := time.Now()
	await()
	t.Logf("caught up in %v", time.Since(began))
	mu.Lock()
	if settled != rounds*each || len(open) != 0 || unordered != 0 || most > 2*each {
		t.Errorf("%d settled, %d open, %d out of order, %d open at once", settled, len(open), unordered, most)
	}
	mu.Unlock()
	publish(rounds) // it goes on as the topics grow
	await()
	stop()
	if settled != (rounds+1)*each || found != settled {
		t.Errorf("%d found, %d settled after more came", found, settled)
	}
}
