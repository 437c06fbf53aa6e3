package kafka_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/kafka/kafkatest"
)

// soon is well below the time after which a silent member counts as dead, 30 s.
const soon = 22 * time.Second

// rebalances counts the sessions of a member.
type rebalances struct {
	kafka.Unobserved
	n atomic.Int32
}

func (r *rebalances) Rebalanced(string, int) { r.n.Add(1) }

func run(t *testing.T, member *kafka.Group) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = member.Run(ctx) // it returns nil when ctx ends, and ends no sooner
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
}

// share waits until two members have two partitions each.
func share(t *testing.T, a, b *kafka.Group) {
	t.Helper()
	eventually(t, "two members share the partitions", func() bool { return len(a.Lag()) == 2 && len(b.Lag()) == 2 })
}

func TestAMemberThatDiedHasItsPartitionsAtOnceUnderItsName(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	group := kafka.GroupConfig{Group: config.Prefix + ".g"}
	got := kafkatest.NewCollector()
	seen := &rebalances{}
	config.Instance = "fixer-1"
	other, err := kafka.NewGroup(config, group, got, zerolog.New(zerolog.NewTestWriter(t)), seen)
	if err != nil {
		t.Fatal(err)
	}
	run(t, other)
	config.Instance = "fixer-0"
	way := &gate{}
	dying, _ := kafkatest.Member(t, config.WithDialer(way), group, kafkatest.NewCollector())
	share(t, other, dying)
	before := seen.n.Load()
	way.close() // whoever dies does not leave
	if err := kafkatest.Publisher(t, config).PublishFindings(t.Context(), kafkatest.Findings("orders", 400)); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	kafkatest.Member(t, config, group, got)
	got.Await(t, 400)
	if took := time.Since(began); took > soon {
		t.Errorf("the partitions of the dead member waited %v", took)
	}
	if n := seen.n.Load(); n != before {
		t.Errorf("the other member was disturbed by %d rebalances", n-before)
	}
}

func TestAMemberWithANameLeavesWhenItStops(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	group := kafka.GroupConfig{Group: config.Prefix + ".g"}
	got := kafkatest.NewCollector()
	config.Instance = "fixer-0"
	first, stop := kafkatest.Member(t, config, group, got)
	config.Instance = "fixer-1"
	second, _ := kafkatest.Member(t, config, group, got)
	share(t, first, second)
	began := time.Now()
	stop()
	eventually(t, "the other has all partitions", func() bool { return len(second.Lag()) == 4 })
	if took := time.Since(began); took > soon {
		t.Errorf("the partitions of a member that stopped waited %v", took)
	}
}

func TestTwoMembersOfOneNameAreTold(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	config.Instance = "the-same"
	group := kafka.GroupConfig{Group: config.Prefix + ".g"}
	got := kafkatest.NewCollector()
	first, stop := kafkatest.Member(t, config, group, got)
	eventually(t, "the first has all partitions", func() bool { return len(first.Lag()) == 4 })
	second, _ := kafkatest.Member(t, config, group, got)
	eventually(t, "the first says why it has none", func() bool {
		ok, reason, _ := first.Healthy()
		return !ok && strings.Contains(reason, `kafka.instance "the-same"`) && strings.Contains(reason, "a name of its own")
	})
	stop() // which does not take the name from the second
	if err := kafkatest.Publisher(t, config).PublishFindings(t.Context(), kafkatest.Findings("orders", 100)); err != nil {
		t.Fatal(err)
	}
	got.Await(t, 100)
	if ok, reason, _ := second.Healthy(); !ok || len(second.Lag()) != 4 {
		t.Errorf("the second is healthy: %t %s, with %d partitions", ok, reason, len(second.Lag()))
	}
}
