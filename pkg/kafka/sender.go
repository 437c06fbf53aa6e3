package kafka

import (
	"sync"
	"sync/atomic"

	"github.com/IBM/sarama"
)

// sender has the client library send batches and waits for all of a batch at
// once. The library's own SyncProducer waits message by message, over a channel
// for each, which costs as much as encoding them.
type sender struct {
	async   sarama.AsyncProducer
	reading sync.WaitGroup
}

// delivery is one batch on its way.
type delivery struct {
	open atomic.Int64 // messages that nothing is known of yet
	done chan struct{}

	mu     sync.Mutex
	failed []*sarama.ProducerError
}

func newSender(client sarama.Client) (*sender, error) {
	async, err := sarama.NewAsyncProducerFromClient(client)
	if err != nil {
		return nil, err
	}
	s := &sender{async: async}
	s.reading.Go(func() {
		for m := range async.Successes() {
			m.Metadata.(*outgoing).delivery.settle(nil)
		}
	})
	s.reading.Go(func() {
		for e := range async.Errors() {
			e.Msg.Metadata.(*outgoing).delivery.settle(e)
		}
	})
	return s, nil
}

// send returns once every record is acknowledged or failed, with those that
// failed. A record is part of one batch at a time.
func (s *sender) send(records []*outgoing) []*sarama.ProducerError {
	if len(records) == 0 {
		return nil
	}
	d := &delivery{done: make(chan struct{})}
	d.open.Store(int64(len(records)))
	for _, o := range records {
		o.delivery = d
		s.async.Input() <- o.message()
	}
	<-d.done
	return d.failed
}

func (d *delivery) settle(failure *sarama.ProducerError) {
	if failure != nil {
		d.mu.Lock()
		d.failed = append(d.failed, failure)
		d.mu.Unlock()
	}
	if d.open.Add(-1) == 0 {
		close(d.done)
	}
}

// close waits for what is on its way. Nothing may be sent any more.
func (s *sender) close() {
	s.async.AsyncClose()
	s.reading.Wait()
}
