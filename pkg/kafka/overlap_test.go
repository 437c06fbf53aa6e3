package kafka_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/kafka/kafkatest"
)

// turnstile notes whether two members ever work on one partition at a time.
type turnstile struct {
	mu      sync.Mutex
	inside  map[int32]int
	batches int
	overlap bool
	changed chan struct{}
}

func (s *turnstile) Handle(ctx context.Context, batch []kafka.Message) error {
	partition := batch[0].Partition
	s.mu.Lock()
	s.inside[partition]++
	s.overlap = s.overlap || s.inside[partition] > 1
	s.mu.Unlock()
	select { // a batch goes on while its partition is being let go
	case <-time.After(150 * time.Millisecond):
	case <-ctx.Done():
	}
	s.mu.Lock()
	s.inside[partition]--
	s.batches++
	close(s.changed)
	s.changed = make(chan struct{})
	s.mu.Unlock()
	return ctx.Err()
}

// await waits for n more batches.
func (s *turnstile) await(t *testing.T, n int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for until := s.batches + n; s.batches < until; {
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-time.After(60 * time.Second):
			t.Error("nothing is handled any more")
			s.mu.Lock()
			return
		}
		s.mu.Lock()
	}
}

func TestAPartitionHasItsNextOwnerWhenTheOldOneHasFinished(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	if err := kafkatest.Publisher(t, config).PublishFindings(t.Context(), kafkatest.Findings("orders", 5000)); err != nil {
		t.Fatal(err)
	}
	group := kafka.GroupConfig{Group: config.Prefix + ".g", MaxBatch: 5, Linger: time.Millisecond}
	s := &turnstile{inside: map[int32]int{}, changed: make(chan struct{})}
	_, stopFirst := kafkatest.Member(t, config, group, s)
	s.await(t, 4)
	second, _ := kafkatest.Member(t, config, group, s)
	eventually(t, "the second has a share", func() bool { return len(second.Lag()) > 0 })
	s.await(t, 8)
	_, stopThird := kafkatest.Member(t, config, group, s)
	s.await(t, 8)
	stopFirst()
	s.await(t, 8)
	stopThird()
	s.await(t, 8)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.overlap {
		t.Error("two members worked on one partition at the same time")
	}
}
