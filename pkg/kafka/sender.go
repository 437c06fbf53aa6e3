package kafka

import (
	"fmt"
	"math"
	"sync"

	"github.com/IBM/sarama"
)

// sender sends records to the leaders of their partitions, those of one call together.
// The client library's own producer hands every single message through five channels,
// and where a process has no work for a whole core each of them wakes a thread.
//
// It keeps what that producer is worth. A batch carries the producer's ID and the number
// of its first record in the partition, by which the broker knows a batch that it has
// appended (KIP-98), so that one whose answer got lost can be sent again. After any
// failure that leaves open whether records were appended, nothing more goes into that
// partition: the next batch under their numbers would be taken for them, and be lost.
type sender struct {
	client      sarama.Client
	partitioner sarama.Partitioner
	id          int64
	epoch       int16

	mu    sync.Mutex
	lanes map[string]map[int32]*lane
	pipes map[int32]*pipe
}

// lane is a partition as this sender knows it.
type lane struct {
	topic     string
	partition int32
	// pipe leads to the broker that led the partition at first. Where another one
	// does later, the broker says so and the sender is done with the partition.
	pipe *pipe

	// What follows is the pipe's.
	next   int32 // the number of the next record
	broken error // why nothing can be sent any more
}

// parcel is a part of a call: records for one partition.
type parcel struct {
	lane     *lane
	records  []*outgoing
	size     int64
	delivery *delivery
}

// delivery is one call.
type delivery struct {
	open sync.WaitGroup // parcels that nothing is known of yet

	mu     sync.Mutex
	failed []failure
}

// failure is a record that is not known to be in its topic, and why.
type failure struct {
	record *outgoing
	err    error
}

// batchLimit is the size of a batch that most brokers take: message.max.bytes is a
// little above 1 MiB where nobody changed it. One record may be larger; whether it is
// too large is for its topic to say.
const batchLimit = 1_000_000

func newSender(client sarama.Client) (*sender, error) {
	var answer *sarama.InitProducerIDResponse
	var err error
	for range producerIDAttempts {
		if answer, err = askProducerID(client); err == nil {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("ask for a producer ID: %w", err)
	}
	return &sender{
		client: client, id: answer.ProducerID, epoch: answer.ProducerEpoch,
		// Java's partitioner, so that its producers put a row into the same partition.
		partitioner: sarama.NewMurmur2Partitioner(""),
		lanes:       map[string]map[int32]*lane{}, pipes: map[int32]*pipe{},
	}, nil
}

// producerIDAttempts is how many brokers are asked, at random: any of them can tell, and
// one may be away.
const producerIDAttempts = 4

func askProducerID(client sarama.Client) (*sarama.InitProducerIDResponse, error) {
	broker := client.LeastLoadedBroker()
	if broker == nil {
		return nil, sarama.ErrOutOfBrokers
	}
	answer, err := broker.InitProducerID(producerIDRequest(client.Config().Version))
	if err == nil && answer.Err != sarama.ErrNoError {
		err = answer.Err
	}
	return answer, err
}

// producerIDRequest asks for an ID outside of transactions, in the newest form that the
// brokers know.
func producerIDRequest(version sarama.KafkaVersion) *sarama.InitProducerIDRequest {
	r := &sarama.InitProducerIDRequest{Version: 1, ProducerID: -1, ProducerEpoch: -1}
	switch {
	case version.IsAtLeast(sarama.V2_7_0_0):
		r.Version = 4
	case version.IsAtLeast(sarama.V2_5_0_0):
		r.Version = 3
	case version.IsAtLeast(sarama.V2_4_0_0):
		r.Version = 2
	}
	return r
}

// send returns once every record is acknowledged or failed, with those that failed.
// Records of one partition are sent in their order, until one of them fails.
func (s *sender) send(records []*outgoing) []failure {
	d := &delivery{}
	for p, parcels := range s.address(d, records) {
		p.add(parcels)
	}
	d.open.Wait()
	return d.failed
}

// address puts the records into parcels, by the broker they go to.
func (s *sender) address(d *delivery, records []*outgoing) map[*pipe][]*parcel {
	out, last := map[*pipe][]*parcel{}, map[*lane]*parcel{}
	partitions := search{sender: s, failed: map[Place]error{}}
	var key keyOf
	var asked sarama.ProducerMessage // one for all: the partitioner looks at nothing but its key
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range records {
		if asked.Key, key.bytes = nil, o.record.Key; key.bytes != nil {
			asked.Key = &key
		}
		l, err := partitions.lane(o.topic, &asked)
		if err != nil {
			d.failed = append(d.failed, failure{o, err})
			continue
		}
		size := o.size()
		in := last[l]
		if in == nil || in.size+size > batchLimit {
			in = &parcel{lane: l, delivery: d}
			last[l] = in
			out[l.pipe] = append(out[l.pipe], in)
			d.open.Add(1)
		}
		in.records = append(in.records, o)
		in.size += size
	}
	return out
}

// search finds partitions for one call, and asks for each of them once: the client library
// asks the brokers again, and waits, for each it does not know.
type search struct {
	*sender
	failed map[Place]error // of a whole topic under the partition -1
}

// lane is the partition of a message. It must be called with the sender's lock held.
func (s search) lane(topic string, m *sarama.ProducerMessage) (*lane, error) {
	all := Place{topic, -1}
	if err := s.failed[all]; err != nil {
		return nil, err
	}
	partitions, err := s.client.Partitions(topic)
	if err != nil {
		s.failed[all] = err
		return nil, err
	}
	partition, err := s.partitioner.Partition(m, int32(len(partitions))) //nolint:gosec // Kafka counts them in 32 bits
	if err != nil {
		return nil, err
	}
	if l := s.lanes[topic][partition]; l != nil {
		return l, nil
	}
	at := Place{topic, partition}
	if err := s.failed[at]; err != nil {
		return nil, err
	}
	leader, err := s.client.Leader(topic, partition)
	if err != nil {
		s.failed[at] = err
		return nil, err
	}
	return s.open(at, leader.ID()), nil
}

// open is the lane to a partition that has none yet.
func (s *sender) open(at Place, broker int32) *lane {
	if s.pipes[broker] == nil {
		s.pipes[broker] = &pipe{sender: s, broker: broker}
	}
	if s.lanes[at.Topic] == nil {
		s.lanes[at.Topic] = map[int32]*lane{}
	}
	l := &lane{topic: at.Topic, partition: at.Partition, pipe: s.pipes[broker]}
	s.lanes[at.Topic][at.Partition] = l
	return l
}

// keyOf is a record's key for the partitioner.
type keyOf struct{ bytes []byte }

// Encode implements sarama.Encoder.
func (k *keyOf) Encode() ([]byte, error) { return k.bytes, nil }

// Length implements sarama.Encoder.
func (k *keyOf) Length() int { return len(k.bytes) }

// settle says what became of a parcel.
func (p *parcel) settle(err error) {
	d := p.delivery
	if err != nil {
		d.mu.Lock()
		for _, o := range p.records {
			d.failed = append(d.failed, failure{o, err})
		}
		d.mu.Unlock()
	}
	d.open.Done()
}

// advance counts records that were appended. Numbers begin again at 0 after the
// largest (KIP-98).
func (l *lane) advance(records int) {
	l.next = int32((int64(l.next) + int64(records)) & math.MaxInt32) //nolint:gosec // bounded by the mask
}
