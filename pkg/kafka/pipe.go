package kafka

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

// pipe sends what is for one broker, one request at a time: numbers of records are in
// order only if requests are. What comes meanwhile travels together in the next.
type pipe struct {
	sender *sender
	broker int32

	mu    sync.Mutex
	queue []*parcel
	busy  bool // that somebody works on the queue

	proven bool // that the present connection has brought an answer; the worker's
}

// requestLimit bounds the records of a request, about; brokers take 100 MiB
// (socket.request.max.bytes).
const requestLimit = 8 << 20

// add sends parcels after those that came before. It does not wait.
func (p *pipe) add(parcels []*parcel) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = append(p.queue, parcels...)
	if !p.busy {
		p.busy = true
		go p.work()
	}
}

// work empties the queue.
func (p *pipe) work() {
	for {
		p.mu.Lock()
		load, rest := nextLoad(p.queue)
		p.queue, p.busy = rest, len(load) > 0
		p.mu.Unlock()
		if len(load) == 0 {
			return
		}
		p.post(load)
	}
}

// load is what one request carries: for each partition one batch.
type load map[*lane][]*parcel

// nextLoad takes from the queue what fits into one request, and leaves the rest in its
// order.
func nextLoad(queue []*parcel) (load, []*parcel) {
	out, rest := load{}, []*parcel(nil)
	sizes, total := map[*lane]int64{}, int64(0)
	full := map[*lane]bool{}
	for _, in := range queue {
		l := in.lane
		if full[l] || len(out[l]) > 0 && sizes[l]+in.size > batchLimit || total > 0 && total+in.size > requestLimit {
			full[l] = true // what comes later for the partition stays behind this
			rest = append(rest, in)
			continue
		}
		out[l] = append(out[l], in)
		sizes[l] += in.size
		total += in.size
	}
	return out, rest
}

// post sends one request and tells everybody what became of it.
func (p *pipe) post(all load) {
	request := &sarama.ProduceRequest{
		RequiredAcks: sarama.WaitForAll, Timeout: int32(replicaTimeout / time.Millisecond), Version: produceVersion,
	}
	for l, parcels := range all {
		if l.broken != nil {
			settle(parcels, l.broken)
			delete(all, l)
			continue
		}
		request.AddBatch(l.topic, l.partition, p.sender.batch(l, parcels))
	}
	if len(all) == 0 {
		return
	}
	response, again, err := p.exchange(request)
	for l, parcels := range all {
		err := err
		if err == nil {
			err = verdict(response.GetBlock(l.topic, l.partition), again)
		}
		switch {
		case err == nil:
			l.advance(count(parcels))
		case refusedByBroker(err) || refusedHere(err): // as a whole, before anything is appended
		default:
			l.broken = fmt.Errorf("%s/%d: %w", l.topic, l.partition, err)
		}
		settle(parcels, err)
	}
}

// produceVersion is the form of requests that the oldest brokers know which a
// configuration may name (2.1); nothing newer is needed.
const produceVersion = 7

func settle(parcels []*parcel, err error) {
	for _, in := range parcels {
		in.settle(err)
	}
}

func count(parcels []*parcel) (n int) {
	for _, in := range parcels {
		n += len(in.records)
	}
	return n
}

// verdict is what a broker says of a batch; again says that it may have had it before.
func verdict(b *sarama.ProduceResponseBlock, again bool) error {
	switch {
	case b == nil:
		return errors.New("the broker's answer leaves the partition out")
	case b.Err == sarama.ErrNoError, again && b.Err == sarama.ErrDuplicateSequenceNumber:
		return nil
	default:
		return b.Err
	}
}

// exchange sends a request, and once more where a connection that has been of use turns
// out to be gone: brokers close those that rest for ten minutes (connections.max.idle.ms).
func (p *pipe) exchange(request *sarama.ProduceRequest) (response *sarama.ProduceResponse, again bool, err error) {
	worked := p.proven
	response, err = p.produce(request)
	var network net.Error
	if err == nil || !worked || refusedHere(err) || errors.As(err, &network) && network.Timeout() {
		return response, false, err
	}
	response, err = p.produce(request)
	return response, true, err
}

// produce sends a request over the present connection, or a new one. A connection that
// failed is closed.
func (p *pipe) produce(request *sarama.ProduceRequest) (*sarama.ProduceResponse, error) {
	broker, err := p.sender.client.Broker(p.broker)
	if err != nil {
		return nil, err
	}
	type answer struct {
		response *sarama.ProduceResponse
		err      error
	}
	// Not Produce, which keeps all others from the connection until the answer comes.
	answered := make(chan answer, 1)
	err = broker.AsyncProduce(request, func(r *sarama.ProduceResponse, err error) { answered <- answer{r, err} })
	if err == nil {
		a := <-answered
		if a.err == nil {
			p.proven = true
			return a.response, nil
		}
		err = a.err
	}
	if !refusedHere(err) {
		p.proven = false
		_ = broker.Close() // an error says that it is closed
	}
	return nil, err
}

// batch is what a request carries for one partition.
func (s *sender) batch(l *lane, parcels []*parcel) *sarama.RecordBatch {
	now := time.Now().Truncate(time.Millisecond)
	records := wireRecords(parcels)
	return &sarama.RecordBatch{
		Version: 2, Codec: sarama.CompressionLZ4, CompressionLevel: sarama.CompressionLevelDefault,
		FirstTimestamp: now, MaxTimestamp: now,
		ProducerID: s.id, ProducerEpoch: s.epoch, FirstSequence: l.next,
		Records: records, LastOffsetDelta: int32(len(records) - 1), //nolint:gosec // far below 2^31 by batchLimit
	}
}
