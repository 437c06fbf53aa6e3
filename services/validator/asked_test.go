package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/pkg/validate"
)

// lookedAt is what was checked, as run/key.
type lookedAt struct {
	*answers
	topic *records
	rows  []string
	err   error
}

func newAnswers() *lookedAt {
	id := schema.ViewColumn{Column: schema.Column{Name: "nr"}, As: canonical.Type{Kind: canonical.Int}}
	view := schema.View{Columns: []schema.ViewColumn{id}, Key: []int{0}}
	l := &lookedAt{topic: &records{}}
	l.answers = &answers{
		run: validate.Run{Pair: &schema.Pair{Name: "orders", Names: []string{"id"}, Source: view, Target: view}, Epoch: 3},
		check: func(_ context.Context, run validate.Run, keys []row.Key) error {
			for _, key := range keys {
				l.rows = append(l.rows, run.ID+"/"+key.String())
			}
			return l.err
		},
		dead: l.topic, log: zerolog.Nop(),
	}
	return l
}

func keyNamed(name string, kind canonical.Kind, value string) event.Key {
	return event.Key{{Column: name, Type: canonical.Type{Kind: kind}, Value: row.Value(value)}}
}

func message(t *testing.T, task event.RangeTask) kafka.Message {
	t.Helper()
	record, err := event.Encoder{ContentType: event.Protobuf}.RangeTask(task)
	if err != nil {
		t.Fatal(err)
	}
	return kafka.Message{Topic: "tasks", Record: record, Timestamp: time.Now()}
}

func TestATaskHasItsRowsLookedAtUnderItsRun(t *testing.T) {
	l := newAnswers()
	task := event.RangeTask{Pair: "orders", Run: "r", Epoch: 3, Keys: []event.Key{keyNamed("id", canonical.Int, "7"), keyNamed("id", canonical.Int, "8")}}
	if err := l.answer(t.Context(), message(t, task)); err != nil || strings.Join(l.rows, " ") != "r/7 r/8" {
		t.Errorf("%v, %v", l.rows, err)
	}
	l.err = errors.New("connection refused")
	if err := l.answer(t.Context(), message(t, task)); !errors.Is(err, l.err) {
		t.Errorf("a task that could not be done counts as done: %v", err)
	}
	if len(l.topic.dead) > 0 {
		t.Errorf("dead: %v", l.topic.dead)
	}
}

func TestTasksOfOthersAndOfOtherTimesArePassedOver(t *testing.T) {
	keys := []event.Key{keyNamed("id", canonical.Int, "7")}
	old := message(t, event.RangeTask{Pair: "orders", Run: "r", Epoch: 3, Keys: keys})
	old.Timestamp = time.Now().Add(-2 * time.Hour)
	for name, m := range map[string]kafka.Message{
		"another pair's":   message(t, event.RangeTask{Pair: "lines", Run: "r", Epoch: 3}),
		"another epoch's":  message(t, event.RangeTask{Pair: "orders", Run: "r", Epoch: 2, Keys: keys}),
		"one of yesterday": old,
	} {
		l := newAnswers()
		if err := l.answer(t.Context(), m); err != nil || len(l.rows) > 0 || len(l.topic.dead) > 0 {
			t.Errorf("%s: %v, dead %v, %v", name, l.rows, l.topic.dead, err)
		}
	}
}

func TestTasksThatMakeNoSenseStandInTheDeadTopic(t *testing.T) {
	task := func(keys ...event.Key) kafka.Message {
		return message(t, event.RangeTask{Pair: "orders", Run: "r", Epoch: 3, Keys: keys})
	}
	for name, c := range map[string]struct {
		m    kafka.Message
		want string
	}{
		"no task":          {kafka.Message{Record: event.Record{Value: []byte("{")}}, "decode range task"},
		"a range":          {task(), "names no keys"},
		"another column":   {task(keyNamed("nr", canonical.Int, "7")), "nr"},
		"another type":     {task(keyNamed("id", canonical.Text, "7")), "id (text)"},
		"a column more":    {task(append(keyNamed("id", canonical.Int, "7"), keyNamed("line", canonical.Int, "1")...)), "2 columns"},
		"one of two wrong": {task(keyNamed("id", canonical.Int, "7"), keyNamed("nr", canonical.Int, "7")), "nr"},
	} {
		l := newAnswers()
		err := l.answer(t.Context(), c.m)
		if err != nil || len(l.rows) > 0 || len(l.topic.dead) != 1 || !strings.Contains(l.topic.dead[0].Reason, c.want) || l.topic.dead[0].Class != "task" {
			t.Errorf("%s: %v, dead %+v, %v", name, l.rows, l.topic.dead, err)
		}
		l.topic.err = errors.New("no broker")
		if err := l.answer(t.Context(), c.m); !errors.Is(err, l.topic.err) {
			t.Errorf("%s: it counts as read although it stands nowhere: %v", name, err)
		}
	}
}
