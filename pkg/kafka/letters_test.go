package kafka_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/IBM/sarama"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/kafka/kafkatest"
)

func scanner(t *testing.T, c kafka.Config) *kafka.Scanner {
	t.Helper()
	s, err := kafka.NewScanner(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// open are the open letters, by the ID of their finding or their origin.
func open(t *testing.T, s *kafka.Scanner, c kafka.Config) map[string]kafka.Letter {
	t.Helper()
	out := map[string]kafka.Letter{}
	err := s.OpenLetters(t.Context(), c.Topics(), func(l kafka.Letter) error {
		name := l.Finding.ID
		if l.DecodeErr != nil {
			name = l.Origin
		}
		if _, twice := out[name]; twice {
			t.Errorf("%s is listed twice", name)
		}
		out[name] = l
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func wantOpen(t *testing.T, s *kafka.Scanner, c kafka.Config, names ...string) map[string]kafka.Letter {
	t.Helper()
	got := open(t, s, c)
	if have := slices.Sorted(maps.Keys(got)); !slices.Equal(have, names) {
		t.Fatalf("open are %q, want %q", have, names)
	}
	return got
}

// deadOf is a letter about row n that says why.
func deadOf(c kafka.Config, n int, reason string) kafka.Dead {
	f := kafkatest.Finding("orders", n)
	value, err := event.MarshalFinding(f, event.Protobuf)
	return kafka.Dead{
		Class: "refused", Reason: reason, Attempts: 5,
		Message: kafka.Message{
			Finding: f, DecodeErr: err, Topic: c.Topics().Findings, Offset: int64(n),
			Record: event.Record{Value: value, Headers: map[string]string{event.HeaderContentType: event.Protobuf, event.HeaderTraceParent: "trace"}},
		},
	}
}

func TestALetterIsOpenUntilItIsMarkedAndTheLastOfARowCounts(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	p, s := kafkatest.Publisher(t, config), scanner(t, config)
	wantOpen(t, s, config)
	bury := func(dead ...kafka.Dead) {
		t.Helper()
		if err := p.PublishDead(t.Context(), dead); err != nil {
			t.Fatal(err)
		}
	}
	mark := func(m kafka.Mark, letters ...kafka.Letter) {
		t.Helper()
		if err := p.PublishMarks(t.Context(), m, letters); err != nil {
			t.Fatal(err)
		}
	}
	bury(deadOf(config, 1, "first"), deadOf(config, 2, "first"), deadOf(config, 3, "only"), deadOf(config, 1, "second"))
	seen := wantOpen(t, s, config, "orders-1", "orders-2", "orders-3")
	if l := seen["orders-1"]; l.Reason != "second" || l.Class != "refused" || l.Attempts() != 5 || l.Origin != config.Topics().Findings+"/0/1" {
		t.Errorf("listed %+v", l)
	}
	if err := p.PublishAgain(t.Context(), []kafka.Letter{seen["orders-1"]}); err != nil {
		t.Fatal(err)
	}
	wantOpen(t, s, config, "orders-1", "orders-2", "orders-3") // whoever publishes and dies leaves it open
	bury(deadOf(config, 2, "after somebody looked"))
	mark(kafka.Retried, seen["orders-1"])
	mark(kafka.Dropped, seen["orders-2"], seen["orders-3"])
	now := wantOpen(t, s, config, "orders-2")
	if now["orders-2"].Reason != "after somebody looked" {
		t.Errorf("listed %+v", now["orders-2"])
	}
	mark(kafka.Dropped, now["orders-2"])
	wantOpen(t, s, config)
	bury(deadOf(config, 1, "again"))
	wantOpen(t, s, config, "orders-1")
}

func TestAFindingThatIsRetriedComesAsItFirstCame(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	p, s := kafkatest.Publisher(t, config), scanner(t, config)
	d := deadOf(config, 1, "no")
	d.Message.Record.Headers[kafka.HeaderNotBefore] = "2026-01-01T00:00:00Z"
	d.Message.Record.Headers[kafka.HeaderWaitingSince] = "2026-01-01T00:00:00Z"
	if err := p.PublishDead(t.Context(), []kafka.Dead{d}); err != nil {
		t.Fatal(err)
	}
	if err := p.PublishAgain(t.Context(), []kafka.Letter{open(t, s, config)["orders-1"]}); err != nil {
		t.Fatal(err)
	}
	var got []kafka.Message
	read := kafkatest.NewCollector()
	arrived := make(chan struct{})
	read.Before = collect(&got, arrived)
	kafkatest.Member(t, config, kafka.GroupConfig{Group: config.Prefix + ".g"}, read)
	<-arrived
	m := got[0]
	if m.DecodeErr != nil || m.Finding.ID != "orders-1" || m.Finding.TraceParent != "trace" {
		t.Errorf("got %+v", m)
	}
	for name := range m.Record.Headers {
		if strings.HasPrefix(name, "trueup-") {
			t.Errorf("header %s is still there", name)
		}
	}
}

func TestMessagesThatAreNotUnderstoodAreLettersOfTheirOwn(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	p, s := kafkatest.Publisher(t, config), scanner(t, config)
	var dead []kafka.Dead
	for i := range 3 {
		dead = append(dead, kafka.Dead{Class: "undecodable", Reason: "?", Attempts: 1, Message: kafka.Message{
			DecodeErr: errors.New("?"), Topic: "t", Offset: int64(i), Record: event.Record{Key: []byte("same"), Value: []byte("??")},
		}})
	}
	if err := p.PublishDead(t.Context(), dead); err != nil {
		t.Fatal(err)
	}
	seen := wantOpen(t, s, config, "t/0/0", "t/0/1", "t/0/2")
	if err := p.PublishMarks(t.Context(), kafka.Dropped, []kafka.Letter{seen["t/0/2"]}); err != nil {
		t.Fatal(err)
	}
	wantOpen(t, s, config, "t/0/0", "t/0/1")
}

func TestALetterWithoutItsValueIsNotPublishedAgain(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	p, s := kafkatest.Publisher(t, config), scanner(t, config)
	d := deadOf(config, 1, "no")
	d.Message.Record.Value = []byte(incompressible(1 << 20))
	if err := p.PublishDead(t.Context(), []kafka.Dead{d}); err != nil {
		t.Fatal(err)
	}
	for _, l := range open(t, s, config) {
		if l.Omitted != 1<<20 || l.Record.Value != nil {
			t.Errorf("listed %+v", l)
		}
		if err := p.PublishAgain(t.Context(), []kafka.Letter{l}); !errors.Is(err, kafka.ErrOmitted) {
			t.Errorf("got %v", err)
		}
		return
	}
	t.Error("the letter is not listed")
}

func TestADeadTopicThatIsCompactedIsRefused(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	admin, err := kafka.NewAdmin(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := admin.CheckDead(t.Context()); err != nil {
		t.Fatal(err)
	}
	compact := "compact"
	if err := clusterAdmin(t, config).AlterConfig(sarama.TopicResource, config.Topics().Dead, map[string]*string{"cleanup.policy": &compact}, false); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it says what to set", func() bool {
		err := admin.CheckDead(t.Context())
		return err != nil && strings.Contains(err.Error(), "cleanup.policy=delete")
	})
}

// collect keeps what a group is given, and tells of the first.
func collect(into *[]kafka.Message, arrived chan<- struct{}) func(context.Context, []kafka.Message) error {
	return func(_ context.Context, batch []kafka.Message) error {
		if *into = append(*into, batch...); len(*into) == len(batch) {
			close(arrived)
		}
		return nil
	}
}
