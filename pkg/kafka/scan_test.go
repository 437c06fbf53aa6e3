package kafka_test

import (
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/kafka/kafkatest"
	"github.com/trueup/trueup/pkg/row"
)

func newScanner(t *testing.T, c kafka.Config) *kafka.Scanner {
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

func outcomeOf(n int) event.Outcome {
	f := kafkatest.Finding("orders", n)
	return event.Outcome{FindingID: f.ID, Pair: f.Pair, Key: f.Key, Result: event.Repaired, Action: event.Update, At: time.Now()}
}

// outcomesOf are the outcomes about row n that stand where they are to be found.
func outcomesOf(t *testing.T, c kafka.Config, n int, since time.Time) []event.Outcome {
	t.Helper()
	s, topic := newScanner(t, c), c.Topics().Outcomes
	key := event.RowKey("orders", kafkatest.Finding("orders", n).Key.Values())
	p, err := s.PartitionOf(topic, key)
	if err != nil {
		t.Fatal(err)
	}
	from, to, err := s.Span(t.Context(), topic, p, since)
	if err != nil {
		t.Fatal(err)
	}
	var found []event.Outcome
	err = s.Read(t.Context(), topic, p, from, to, func(r event.Record) error {
		if string(r.Key) != string(key) {
			return nil
		}
		o, err := event.DecodeOutcome(r)
		found = append(found, o)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestEveryRowIsFoundInThePartitionItsKeyNames(t *testing.T) {
	t.Parallel()
	c := kafkatest.Config(t)
	p := kafkatest.Publisher(t, c)
	const n = 40
	for i := range n {
		if err := p.PublishOutcomes(t.Context(), []event.Outcome{outcomeOf(i)}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		if found := outcomesOf(t, c, i, time.Time{}); len(found) != 1 {
			t.Errorf("row %d: %d outcomes", i, len(found))
		}
	}
	if found := outcomesOf(t, c, 1, time.Now().Add(time.Hour)); len(found) != 0 {
		t.Errorf("%d outcomes of the future", len(found))
	}
	if found := outcomesOf(t, c, 1, time.Now().Add(-time.Hour)); len(found) != 1 {
		t.Errorf("%d outcomes of the last hour", len(found))
	}
}

func TestAnOutcomeLosesItsImagesRatherThanItself(t *testing.T) {
	t.Parallel()
	c := kafkatest.Config(t)
	limit := "20000"
	if err := clusterAdmin(t, c).AlterConfig(sarama.TopicResource, c.Topics().Outcomes, map[string]*string{"max.message.bytes": &limit}, false); err != nil {
		t.Fatal(err)
	}
	p := kafkatest.Publisher(t, c)
	large := outcomeOf(1)
	large.Columns = []string{"note"}
	value := &event.Content{Type: canonical.Type{Kind: canonical.Text}, Value: row.Value(incompressible(2 << 20))}
	large.Writes = []event.Write{{Side: event.Target, Action: event.Update, Before: "b", After: "a", Columns: []event.WrittenColumn{{Column: "note", Before: value, After: value}}}}
	if err := p.PublishOutcomes(t.Context(), []event.Outcome{outcomeOf(2), large, outcomeOf(3)}); err != nil {
		t.Fatal(err)
	}
	found := outcomesOf(t, c, 1, time.Time{})
	if len(found) != 1 || len(found[0].Writes) != 1 || len(found[0].Columns) != 1 {
		t.Fatalf("found %+v", found)
	}
	if w := found[0].Writes[0]; len(w.Columns) != 0 || w.Before != "b" || w.After != "a" || !strings.Contains(w.Incomplete, "max.message.bytes") {
		t.Errorf("the write is %+v", w)
	}
	for _, n := range []int{2, 3} {
		if len(outcomesOf(t, c, n, time.Time{})) != 1 {
			t.Errorf("outcome %d is lost", n)
		}
	}
	if value.Value == nil || len(large.Writes[0].Columns) != 1 {
		t.Error("the caller's outcome was changed")
	}
}
