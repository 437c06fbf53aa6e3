package kafka_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/kafka/kafkatest"
)

func TestPublishingWaitsForABrokerThatIsAwayAndLosesNothing(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	g := &gate{}
	p := kafkatest.Publisher(t, config.WithDialer(g))
	if err := p.PublishFindings(t.Context(), kafkatest.Findings("before", 100)); err != nil {
		t.Fatal(err)
	}

	g.close()
	done := make(chan error, 2)
	go func() { done <- p.PublishFindings(t.Context(), kafkatest.Findings("orders", 3000)) }()
	go func() { done <- p.PublishFindings(t.Context(), kafkatest.Findings("items", 500)) }()
	eventually(t, "unhealthy while the broker is away", func() bool {
		ok, reason, since := p.Healthy()
		return !ok && strings.Contains(reason, config.Topics().Findings) && !since.IsZero()
	})
	select {
	case err := <-done:
		t.Fatalf("publishing returned %v while the broker was away", err)
	default:
	}

	g.open()
	for range 2 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if ok, reason, _ := p.Healthy(); !ok {
		t.Errorf("still unhealthy: %s", reason)
	}
	got := arrived(t, config, 3600)
	if d := got.Doubled(); d != 0 {
		t.Errorf("%d findings are in the topic twice although none was sent before the broker left", d)
	}
}

func TestABrokerThatComesAndGoesWhileFindingsAreSentLosesNone(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	g := &gate{}
	p := kafkatest.Publisher(t, config.WithDialer(g))
	const n = 20_000
	done := make(chan error, 1)
	go func() { done <- p.PublishFindings(t.Context(), kafkatest.Findings("orders", n)) }()
	flips := time.NewTicker(60 * time.Millisecond)
	defer flips.Stop()
	for range 5 {
		<-flips.C
		g.close()
		<-flips.C
		g.open()
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	got := arrived(t, config, n)
	t.Logf("%d of %d came twice", got.Doubled(), n)
}

func TestPublishingReturnsWhenItsContextEnds(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	g := &gate{}
	g.close()
	p := kafkatest.Publisher(t, config.WithDialer(g))
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped by the test")
	done := make(chan error, 1)
	go func() { done <- p.PublishFindings(ctx, kafkatest.Findings("orders", 10)) }()
	eventually(t, "unhealthy", func() bool { _, reason, _ := p.Healthy(); return strings.Contains(reason, "no broker answers") })
	cancel(stopped)
	select {
	case err := <-done:
		if !errors.Is(err, stopped) {
			t.Errorf("got %v, want the context's cause", err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("publishing goes on without its context")
	}
}

func TestABufferThatIsFullHoldsTheCallerBack(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	config.BufferBytes = 4 << 20
	g := &gate{}
	g.close()
	p := kafkatest.Publisher(t, config.WithDialer(g))
	big := kafkatest.Finding("orders", 1)
	big.Run = strings.Repeat("x", 900<<10)
	ctx, cancel := context.WithCancel(t.Context())
	const callers = 8 // each takes 900 KiB: four fit
	errs := make(chan error, callers)
	for range callers {
		go func() { errs <- p.PublishFindings(ctx, []event.Finding{big}) }()
	}
	eventually(t, "the buffer is full", func() bool { return p.Full(900 << 10) })
	eventually(t, "unhealthy", func() bool { _, reason, _ := p.Healthy(); return strings.Contains(reason, "no broker answers") })
	cancel()
	waited := 0
	for range callers {
		if strings.Contains((<-errs).Error(), "wait for buffered messages") {
			waited++
		}
	}
	if waited != 4 {
		t.Errorf("%d of %d callers were held back, want 4", waited, callers)
	}
}

func TestAMessageTheBrokerRefusesDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	limit := "20000"
	admin := clusterAdmin(t, config)
	if err := admin.AlterConfig(sarama.TopicResource, config.Topics().Findings, map[string]*string{"max.message.bytes": &limit}, false); err != nil {
		t.Fatal(err)
	}
	p := kafkatest.Publisher(t, config)
	large := kafkatest.Finding("probe", 1)
	large.Run = incompressible(30_000)
	eventually(t, "the new limit holds", func() bool {
		return kafka.Rejected(p.PublishFindings(t.Context(), []event.Finding{large}))
	})
	findings := kafkatest.Findings("orders", 2000)
	findings[7].Run = incompressible(30_000)
	findings[8].Run = incompressible(2 << 20) // above the client's own limit
	err := p.PublishFindings(t.Context(), findings)
	if !kafka.Rejected(err) || !strings.Contains(err.Error(), "orders-7") || !strings.Contains(err.Error(), "orders-8") {
		t.Fatalf("got %.300v, want an error that names both messages", err)
	}
	if n := strings.Count(err.Error(), "takes no message"); n != 2 {
		t.Errorf("%d messages were refused, want 2", n)
	}
	got := kafkatest.NewCollector()
	kafkatest.Member(t, config, kafka.GroupConfig{Group: config.Prefix + ".g"}, got)
	eventually(t, "all others came", func() bool { return got.Of("orders") == 1998 })
	if ok, reason, _ := p.Healthy(); !ok {
		t.Errorf("a refused message made the publisher unhealthy: %s", reason)
	}
}

func TestAMissingTopicIsNotReadyAndIsTakenUpOnceItExists(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	config.Prefix += "-late"
	p := kafkatest.Publisher(t, config)
	done := make(chan error, 1)
	go func() { done <- p.PublishFindings(t.Context(), kafkatest.Findings("orders", 10)) }()
	eventually(t, "a reason that says what to do", func() bool {
		_, reason, _ := p.Healthy()
		return strings.Contains(reason, "trueup topics create")
	})
	kafkatest.Create(t, config)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestDeadMessagesKeepWhatTheyWereAndSayWhy(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	findings := config.Topics().Findings
	produce(t, config, &sarama.ProducerMessage{
		Topic: findings, Partition: 2, Key: sarama.StringEncoder("k"), Value: sarama.ByteEncoder("\xffgarbage"),
		Headers: []sarama.RecordHeader{{Key: []byte("own"), Value: []byte("kept")}},
	})
	seen := make(chan kafka.Message, 1)
	handler := kafkatest.NewCollector()
	handler.Before = func(_ context.Context, batch []kafka.Message) error {
		seen <- batch[0]
		return nil
	}
	_, stop := kafkatest.Member(t, config, kafka.GroupConfig{Group: config.Prefix + ".g"}, handler)
	m := <-seen
	if m.DecodeErr == nil {
		t.Fatal("garbage was decoded")
	}
	p := kafkatest.Publisher(t, config)
	err := p.PublishDead(t.Context(), []kafka.Dead{{Message: m, Class: "undecodable", Reason: m.DecodeErr.Error(), Attempts: 1}})
	if err != nil {
		t.Fatal(err)
	}
	stop()
	if lag := kafkatest.TotalLag(t, config, config.Prefix+".g"); lag != 0 {
		t.Errorf("lag %d: the message holds up its partition", lag)
	}

	dead := kafkatest.NewCollector()
	dead.Before = handler.Before
	kafkatest.Member(t, config, kafka.GroupConfig{Group: config.Prefix + ".d", Topic: config.Topics().Dead}, dead)
	m = <-seen
	want := map[string]string{
		"own": "kept", kafka.HeaderErrorClass: "undecodable", kafka.HeaderAttempts: "1",
		kafka.HeaderOriginTopic: findings, kafka.HeaderOriginPartition: "2", kafka.HeaderOriginOffset: "0",
	}
	for name, value := range want {
		if m.Record.Headers[name] != value {
			t.Errorf("header %s is %q, want %q", name, m.Record.Headers[name], value)
		}
	}
	if string(m.Record.Value) != "\xffgarbage" || string(m.Record.Key) != "k" || m.Record.Headers[kafka.HeaderErrorReason] == "" {
		t.Errorf("got %+v", m.Record)
	}
}

func TestPingSeesABrokerGoAndComeBack(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	g := &gate{}
	p, err := kafka.NewPublisher(config.WithDialer(g), zerolog.Nop(), kafka.Unobserved{})
	if err != nil {
		t.Fatal(err)
	}
	if ok, _, _ := p.Healthy(); ok {
		t.Error("healthy before anything is known")
	}
	for range 2 {
		if err := p.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		if ok, reason, _ := p.Healthy(); !ok {
			t.Errorf("unhealthy after a ping: %s", reason)
		}
		g.close()
		if err := p.Ping(t.Context()); err == nil {
			t.Fatal("a broker that is away answered")
		}
		if ok, _, _ := p.Healthy(); ok {
			t.Error("healthy without a broker")
		}
		g.open()
	}
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := p.Ping(t.Context()); err == nil {
		t.Error("a closed publisher answered")
	}
}
