package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/kafka/kafkatest"
)

func TestMembersThatComeAndGoLoseNoFinding(t *testing.T) {
	t.Parallel()
	const n = 20_000
	config := kafkatest.Config(t)
	p := kafkatest.Publisher(t, config)
	group := kafka.GroupConfig{Group: config.Prefix + ".g", MaxBatch: 50}
	got := kafkatest.NewCollector()
	first, stopFirst := kafkatest.Member(t, config, group, got)
	if err := p.PublishFindings(t.Context(), kafkatest.Findings("a", n/4)); err != nil {
		t.Fatal(err)
	}
	got.Await(t, n/8)
	second, _ := kafkatest.Member(t, config, group, got)
	third, _ := kafkatest.Member(t, config, group, got)
	if err := p.PublishFindings(t.Context(), kafkatest.Findings("b", n/4)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "three members share the partitions", func() bool {
		a, b, c := len(first.Lag()), len(second.Lag()), len(third.Lag())
		return a > 0 && b > 0 && c > 0 && a+b+c == 4
	})
	done := make(chan error, 1)
	go func() { done <- p.PublishFindings(t.Context(), kafkatest.Findings("c", n/2)) }()
	stopFirst() // in the midst of it
	if ok, reason, _ := first.Healthy(); ok || reason != "stopped" {
		t.Errorf("a member that left is healthy: %t %q", ok, reason)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	got.Await(t, n)
	eventually(t, "the others took over and committed all", func() bool {
		return len(second.Lag())+len(third.Lag()) == 4 && kafkatest.TotalLag(t, config, group.Group) == 0
	})
	t.Logf("%d of %d came twice", got.Doubled(), n)
	if got.Doubled() > n/10 {
		t.Errorf("%d of %d came twice: offsets are not committed when partitions are let go", got.Doubled(), n)
	}
	for _, m := range []*kafka.Group{second, third} {
		if ok, reason, _ := m.Healthy(); !ok {
			t.Errorf("a member is unhealthy: %s", reason)
		}
	}
}

func TestABatchThatFailsComesAgainAndItsOffsetsStay(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	if err := kafkatest.Publisher(t, config).PublishFindings(t.Context(), kafkatest.Findings("orders", 200)); err != nil {
		t.Fatal(err)
	}
	group := kafka.GroupConfig{Group: config.Prefix + ".g"}
	broken := kafkatest.NewCollector()
	var tries atomic.Int32
	broken.Before = func(context.Context, []kafka.Message) error {
		tries.Add(1)
		return errors.New("the copy is away")
	}
	_, stop := kafkatest.Member(t, config, group, broken)
	eventually(t, "batches are tried again", func() bool { return tries.Load() > 8 })
	stop()
	if lag := kafkatest.TotalLag(t, config, group.Group); lag != 200 {
		t.Fatalf("lag is %d although nothing was done, want 200", lag)
	}
	works := kafkatest.NewCollector()
	kafkatest.Member(t, config, group, works)
	works.Await(t, 200)
}

func TestAMemberRejoinsWhenTheBrokerIsBack(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	g := &gate{}
	group := kafka.GroupConfig{Group: config.Prefix + ".g"}
	got := kafkatest.NewCollector()
	p := kafkatest.Publisher(t, config)
	if err := p.PublishFindings(t.Context(), kafkatest.Findings("a", 100)); err != nil {
		t.Fatal(err)
	}
	member, stop := kafkatest.Member(t, config.WithDialer(g), group, got)
	got.Await(t, 100)
	g.close()
	eventually(t, "unhealthy without a broker", func() bool { ok, _, _ := member.Healthy(); return !ok })
	if err := p.PublishFindings(t.Context(), kafkatest.Findings("b", 100)); err != nil {
		t.Fatal(err)
	}
	g.open()
	got.Await(t, 200)
	eventually(t, "healthy again", func() bool { ok, _, _ := member.Healthy(); return ok })
	stop()
	if lag := kafkatest.TotalLag(t, config, group.Group); lag != 0 {
		t.Errorf("lag %d at the end", lag)
	}
}

func TestFindingsThatWereDeletedUnreadAreNotPassedOver(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	config.Partitions = 1
	config.Prefix += "-one"
	kafkatest.Create(t, config)
	topic := config.Topics().Findings
	group := kafka.GroupConfig{Group: config.Prefix + ".g"}
	p := kafkatest.Publisher(t, config)
	if err := p.PublishFindings(t.Context(), kafkatest.Findings("a", 10)); err != nil {
		t.Fatal(err)
	}
	got := kafkatest.NewCollector()
	_, stop := kafkatest.Member(t, config, group, got)
	got.Await(t, 10)
	stop()
	if err := p.PublishFindings(t.Context(), kafkatest.Findings("b", 10)); err != nil {
		t.Fatal(err)
	}
	if err := clusterAdmin(t, config).DeleteRecords(topic, map[int32]int64{0: 15}); err != nil {
		t.Fatal(err)
	}
	member, _ := kafkatest.Member(t, config, group, got)
	eventually(t, "a reason that says what to do", func() bool {
		_, reason, _ := member.Healthy()
		return strings.Contains(reason, "--reset-offsets") && strings.Contains(reason, "full run")
	})
	if got.Distinct() != 10 {
		t.Error("findings after the gap were handled as if nothing was lost")
	}
}

func TestCheckSaysWhatIsWrongWithEachTopic(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	admin := clusterAdmin(t, config)
	topics := config.Topics()
	if err := admin.DeleteTopic(topics.Retry); err != nil {
		t.Fatal(err)
	}
	remove := "delete"
	if err := admin.AlterConfig(sarama.TopicResource, topics.State, map[string]*string{"cleanup.policy": &remove}, false); err != nil {
		t.Fatal(err)
	}
	config.Partitions = 6
	checker, err := kafka.NewAdmin(config)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the changes are seen", func() bool {
		err = checker.Check(t.Context())
		return err != nil && strings.Contains(err.Error(), topics.Retry+" does not exist") && strings.Contains(err.Error(), "cleanup.policy")
	})
	for _, want := range []string{
		"topic " + topics.Findings + " has 4 partitions and kafka.partitions is 6: set kafka.partitions to 4",
		"topic " + topics.Retry + " does not exist: run `trueup topics create`",
		"topic " + topics.State + ` has cleanup.policy "delete"`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v\nwant it to say %q", err, want)
		}
	}
}

func TestAnAdminWithoutBrokerSaysSoAndHearsItsContext(t *testing.T) {
	t.Parallel()
	g := &gate{}
	g.close()
	admin, err := kafka.NewAdmin(kafka.Config{Brokers: []string{"127.0.0.1:1"}}.WithDialer(g))
	if err != nil {
		t.Fatal(err)
	}
	if err := admin.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "no broker answers") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := admin.Check(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}

func TestEventsAboutOneRowShareAPartitionAcrossTopics(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	p := kafkatest.Publisher(t, config)
	findings := kafkatest.Findings("orders", 50)
	outcomes := make([]event.Outcome, len(findings))
	for i, f := range findings {
		outcomes[i] = event.Outcome{FindingID: f.ID, Pair: f.Pair, Key: f.Key, Result: event.Repaired, Action: event.Update, Attempts: 1}
	}
	if err := errors.Join(p.PublishFindings(t.Context(), findings), p.PublishOutcomes(t.Context(), outcomes)); err != nil {
		t.Fatal(err)
	}
	placed := make(chan map[string]int32, 2)
	for i, topic := range []string{config.Topics().Findings, config.Topics().Outcomes} {
		partitions := map[string]int32{}
		var mu sync.Mutex
		reader := kafkatest.NewCollector()
		reader.Before = func(_ context.Context, batch []kafka.Message) error {
			mu.Lock()
			defer mu.Unlock()
			for _, m := range batch {
				partitions[string(m.Record.Key)] = m.Partition
			}
			if len(partitions) == len(findings) {
				placed <- partitions
			}
			return nil
		}
		kafkatest.Member(t, config, kafka.GroupConfig{Group: fmt.Sprint(config.Prefix, ".g", i), Topic: topic}, reader)
	}
	a, b := <-placed, <-placed
	if !maps.Equal(a, b) {
		t.Errorf("findings lie at %v, outcomes at %v", a, b)
	}
}

// TestAMemberThatIsStillJoiningStopsInTime: a group waits for a member that died
// while it was joining, and so does whoever joins after it.
func TestAMemberThatIsStillJoiningStopsInTime(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	group := kafka.GroupConfig{Group: config.Prefix + ".g"}
	kafkatest.Create(t, config)
	client := joinAndDie(t, config, group.Group)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	member, err := kafka.NewGroup(config, group, kafkatest.NewCollector(), zerolog.Nop(), kafka.Unobserved{})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- member.Run(ctx) }()
	eventually(t, "the group waits for the dead member", func() bool { return stateOf(t, client, group.Group) == "PreparingRebalance" })
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(15 * time.Second):
		t.Error("the member waits for the rebalance to end")
	}
}

// joinAndDie makes a member that joins a group and is never heard of again.
func joinAndDie(t *testing.T, c kafka.Config, group string) sarama.Client {
	t.Helper()
	settings := sarama.NewConfig()
	settings.Version = sarama.V2_1_0_0
	client, err := sarama.NewClient(c.Brokers, settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	eventually(t, "the dead member has joined", func() bool {
		_ = client.RefreshCoordinator(group)
		coordinator, err := client.Coordinator(group)
		if err != nil {
			return false
		}
		request := &sarama.JoinGroupRequest{Version: 1, GroupId: group, SessionTimeout: 30_000, RebalanceTimeout: 30_000, ProtocolType: "consumer"}
		if err := request.AddGroupProtocolMetadata("sticky", &sarama.ConsumerGroupMemberMetadata{Topics: []string{c.Topics().Findings}}); err != nil {
			t.Fatal(err)
		}
		response, err := coordinator.JoinGroup(request)
		return err == nil && response.Err == sarama.ErrNoError
	})
	return client
}

func stateOf(t *testing.T, client sarama.Client, group string) string {
	t.Helper()
	coordinator, err := client.Coordinator(group)
	if err != nil {
		t.Fatal(err)
	}
	described, err := coordinator.DescribeGroups(&sarama.DescribeGroupsRequest{Groups: []string{group}})
	if err != nil || len(described.Groups) != 1 {
		t.Fatal(described, err)
	}
	return described.Groups[0].State
}
