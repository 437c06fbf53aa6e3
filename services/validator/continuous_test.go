package main

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/pkg/telemetry"
	"github.com/trueup/trueup/pkg/validate"
	"github.com/trueup/trueup/services/assembly"
)

// records is a topic of change events in memory.
type records struct {
	messages   chan kafka.Message
	partitions int // 0 means 1
	done       map[kafka.Place]int64
	dead       []kafka.Dead
	err        error
}

func (r *records) Messages() <-chan kafka.Message  { return r.messages }
func (r *records) Done(next map[kafka.Place]int64) { r.done = next }
func (r *records) Partitions(string) int           { return max(r.partitions, 1) }

func (r *records) PublishDead(_ context.Context, dead []kafka.Dead) error {
	if r.err == nil {
		r.dead = append(r.dead, dead...)
	}
	return r.err
}

func (r *records) send(topic string, offset int64, key, value string) {
	r.sendTo(topic, 0, offset, key, value)
}

func (r *records) sendTo(topic string, partition int32, offset int64, key, value string) {
	r.messages <- kafka.Message{Topic: topic, Partition: partition, Offset: offset, Timestamp: time.Unix(7, 0), Record: event.Record{Key: []byte(key), Value: []byte(value)}}
}

func newTestFeed(t *testing.T) (*feed, *records) {
	t.Helper()
	r := &records{messages: make(chan kafka.Message, 10)}
	view := func(column string) schema.View {
		c := schema.Column{Name: column, Type: canonical.Type{Kind: canonical.Int}}
		return schema.View{Table: &schema.Table{Name: schema.Name{Table: "orders"}}, Columns: []schema.ViewColumn{{Column: c, As: c.Type}}, Key: []int{0}}
	}
	p := assembly.Pair{Name: "orders", Changes: assembly.Changes{Source: "a", Target: "b"}}
	metrics := telemetry.NewContinuous(telemetry.NewMetrics("validator", "test", ""))
	return newFeed(r, r, metrics, zerolog.Nop(), p, &schema.Pair{Source: view("id"), Target: view("nr")}), r
}

func next(t *testing.T, f *feed) validate.Change {
	t.Helper()
	c, err := f.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEachSidesEventsAreReadByItsOwnNames(t *testing.T) {
	f, r := newTestFeed(t)
	r.send("a", 5, `{"id":7}`, "")
	r.send("b", 9, `{"nr":8}`, "")
	if c := next(t, f); len(c.Keys) != 1 || c.Keys[0].String() != "7" {
		t.Errorf("%+v", c)
	}
	c := next(t, f)
	if len(c.Keys) != 1 || c.Keys[0].String() != "8" {
		t.Errorf("%+v", c)
	}
	f.Done(c.Mark)
	if want := map[kafka.Place]int64{{Topic: "a"}: 6, {Topic: "b"}: 10}; !maps.Equal(r.done, want) {
		t.Errorf("done up to %v, want %v", r.done, want)
	}
}

func TestAnEarlierMarkDoesNotMoveWithLaterEvents(t *testing.T) {
	f, r := newTestFeed(t)
	r.send("a", 5, `{"id":7}`, "")
	r.send("a", 6, `{"id":8}`, "")
	first := next(t, f)
	next(t, f)
	f.Done(first.Mark)
	if r.done[kafka.Place{Topic: "a"}] != 6 {
		t.Errorf("done up to %v", r.done)
	}
}

func TestAnEventNobodyCanReadIsKeptAndHoldsUpNothing(t *testing.T) {
	f, r := newTestFeed(t)
	r.send("a", 5, "\x00avro", "\x00avro")
	r.send("a", 6, `{"id":7}`, `{"op":"c","source":{"table":"items"}}`)
	if c := next(t, f); len(c.Keys) != 0 || c.Mark == nil {
		t.Errorf("%+v", c)
	}
	if len(r.dead) != 1 || r.dead[0].Class != "change_event" || r.dead[0].Message.Offset != 5 {
		t.Errorf("%+v", r.dead)
	}
	if c := next(t, f); len(c.Keys) != 0 || c.All || len(r.dead) != 1 {
		t.Errorf("an event of another table: %+v", c)
	}
}

func TestAnEventThatCannotBeKeptIsNotPassedOver(t *testing.T) {
	f, r := newTestFeed(t)
	r.err = errors.New("no broker")
	r.send("a", 5, "no json", "")
	if _, err := f.Next(t.Context()); !errors.Is(err, r.err) {
		t.Errorf("got %v", err)
	}
}

func TestAnEndlessRunsProgressStandsBesideThePairsOwn(t *testing.T) {
	var k topic
	s := newStates(&k, nil)
	begin(t, s, orders, validate.Full, true)
	save(t, s, validate.Full, "half")
	verified := time.Unix(1000, 0)
	p := s.progressOf(orders, validate.Incremental)
	if err := p.Save(t.Context(), []byte("changes"), verified); err != nil {
		t.Fatal(err)
	}
	successor := newStates(&k, k.known())
	if got := load(t, func() *states { begin(t, successor, orders, validate.Full, true); return successor }(), validate.Full); got != "half" {
		t.Errorf("the full run's position is %q", got)
	}
	again := successor.progressOf(orders, validate.Incremental)
	if got, _ := again.Load(t.Context()); string(got) != "changes" || again.run() != p.run() {
		t.Errorf("position %q of run %s, was %s", got, again.run(), p.run())
	}
	if err := again.Save(t.Context(), []byte("later"), verified); err != nil {
		t.Fatal(err)
	}
	_ = p.Save(t.Context(), []byte("of the process before"), verified)
	last := k.known()[assembly.IncrementalState+"orders"]
	if string(last.Position) != "later" || !last.Watermark.Equal(verified) {
		t.Errorf("%+v", last)
	}
}

// TestEveryPairHasAGroupOfItsOwn: two in one group would take each other's messages,
// and pass them over.
func TestEveryPairHasAGroupOfItsOwn(t *testing.T) {
	if got := pairGroup(kafka.Config{}, "validator", "shop.orders-1_a"); got != "trueup.validator.shop.orders-1_a" {
		t.Error(got)
	}
	long := strings.Repeat("shard", 30)
	groups := map[string]string{}
	for _, pair := range []string{"orders@shop/0 ü", "orders_shop_0___", "注文", "顧客", long + "1", long + "2"} {
		group := pairGroup(kafka.Config{}, "validator", pair)
		if other, taken := groups[group]; taken {
			t.Errorf("%s and %s are both in %s", pair, other, group)
		}
		groups[group] = pair
		if _, err := kafka.NewChanges(kafka.Config{Brokers: []string{"k:1"}}, kafka.ChangesConfig{Group: group, Topics: []string{"t"}}, zerolog.Nop()); err != nil {
			t.Error(err)
		}
	}
}
