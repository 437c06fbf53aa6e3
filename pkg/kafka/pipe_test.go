package kafka

import (
	"errors"
	"math"
	"testing"

	"github.com/IBM/sarama"

	"github.com/trueup/trueup/pkg/event"
)

func TestARequestTakesWhatFitsAndKeepsTheOrder(t *testing.T) {
	a, b := &lane{partition: 1}, &lane{partition: 2}
	first, second, third := &parcel{lane: a, size: 600_000}, &parcel{lane: a, size: 600_000}, &parcel{lane: a, size: 1}
	other, more := &parcel{lane: b, size: 10}, &parcel{lane: b, size: 20}
	got, rest := nextLoad([]*parcel{first, other, second, third, more})
	if len(got) != 2 || len(got[a]) != 1 || got[a][0] != first || len(got[b]) != 2 || got[b][0] != other || got[b][1] != more {
		t.Errorf("took %v", got)
	}
	// The third would fit, and must not overtake the second.
	if len(rest) != 2 || rest[0] != second || rest[1] != third {
		t.Errorf("left %v", rest)
	}
	huge := &parcel{lane: a, size: 2 * requestLimit}
	if got, rest := nextLoad([]*parcel{huge, other}); len(got) != 1 || got[a][0] != huge || len(rest) != 1 {
		t.Errorf("of a huge one and another took %v, left %v", got, rest)
	}
	if got, rest := nextLoad(nil); len(got) != 0 || len(rest) != 0 {
		t.Errorf("of nothing took %v, left %v", got, rest)
	}
}

func TestNumbersOfRecordsBeginAgainAfterTheLargest(t *testing.T) {
	l := &lane{next: math.MaxInt32 - 2}
	for _, want := range []int32{math.MaxInt32, 1} {
		if l.advance(2); l.next != want {
			t.Errorf("the next number is %d, want %d", l.next, want)
		}
	}
}

func TestABatchThatTheBrokerHasIsOnlyFineWhenItWasSentBefore(t *testing.T) {
	had := &sarama.ProduceResponseBlock{Err: sarama.ErrDuplicateSequenceNumber}
	if err := verdict(had, true); err != nil {
		t.Errorf("sent again: %v", err)
	}
	if verdict(had, false) == nil || verdict(nil, true) == nil || verdict(&sarama.ProduceResponseBlock{Err: sarama.ErrNotEnoughReplicas}, true) == nil {
		t.Error("taken for acknowledged")
	}
}

// unreachable is a client whose brokers are not there, or only know how many partitions
// there are.
type unreachable struct {
	sarama.Client
	partitions []int32
	asked      int
}

func (u *unreachable) Partitions(string) ([]int32, error) {
	if u.partitions == nil {
		u.asked++
		return nil, sarama.ErrUnknownTopicOrPartition
	}
	return u.partitions, nil
}

func (u *unreachable) Leader(string, int32) (*sarama.Broker, error) {
	u.asked++
	return nil, sarama.ErrLeaderNotAvailable
}

func (u *unreachable) Broker(int32) (*sarama.Broker, error) {
	u.asked++
	return nil, sarama.ErrBrokerNotFound
}

// What comes after records that may be there would be taken for them.
func TestNothingFollowsRecordsOfWhichNothingIsKnown(t *testing.T) {
	client := &unreachable{}
	p := &pipe{sender: &sender{client: client}}
	l := &lane{topic: "findings", pipe: p}
	for _, id := range []string{"first", "second"} {
		d := &delivery{}
		d.open.Add(1)
		p.post(load{l: {{lane: l, records: []*outgoing{{name: id}}, delivery: d}}})
		d.open.Wait()
		if len(d.failed) != 1 || !errors.Is(d.failed[0].err, sarama.ErrBrokerNotFound) {
			t.Errorf("%s: %v", id, d.failed)
		}
	}
	if client.asked != 1 || l.next != 0 {
		t.Errorf("%d attempts, the next number is %d; want one and 0", client.asked, l.next)
	}
}

// Each of them waits for the brokers.
func TestWhatIsNotFoundIsAskedForOnceForAllOfACall(t *testing.T) {
	for name, c := range map[string]struct {
		partitions []int32
		asked      int
	}{"no topic": {nil, 1}, "no leaders": {[]int32{0, 1, 2}, 3}} {
		client := &unreachable{partitions: c.partitions}
		s := &sender{client: client, partitioner: sarama.NewMurmur2Partitioner("")}
		var records []*outgoing
		for n := range 1000 {
			records = append(records, &outgoing{topic: "findings", record: event.Record{Key: []byte{byte(n), byte(n >> 8)}}})
		}
		if failed := s.send(records); len(failed) != len(records) || failed[0].record != records[0] {
			t.Errorf("%s: %d of %d failed", name, len(failed), len(records))
		}
		if client.asked != c.asked {
			t.Errorf("%s: asked %d times, want %d", name, client.asked, c.asked)
		}
	}
}
