package kafka

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"golang.org/x/sync/singleflight"
)

// producers hands out one shared producer and replaces it once it has failed.
// A client that has seen its brokers go away may keep stale leaders, dead
// connections or an open circuit breaker; a new one is known to begin with a
// broker that answers.
type producers struct {
	config Config

	opening singleflight.Group
	mu      sync.Mutex
	current *producer
	closed  bool
	// open counts producers that are not closed yet.
	open sync.WaitGroup
}

// producer is one connection and its users. It is closed when it is retired and
// its last user is gone.
type producer struct {
	*sender
	client  sarama.Client
	users   int
	retired bool
}

var errClosed = errors.New("the publisher is closed")

// acquire returns the shared producer. Every acquire is followed by a release.
func (p *producers) acquire() (*producer, error) {
	for {
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return nil, errClosed
		}
		if current := p.current; current != nil {
			current.users++
			p.mu.Unlock()
			return current, nil
		}
		p.mu.Unlock()
		if _, err, _ := p.opening.Do("", p.connect); err != nil {
			return nil, err
		}
	}
}

func (p *producers) connect() (any, error) {
	settings, err := p.config.client()
	if err != nil {
		return nil, err
	}
	settings.Producer.RequiredAcks = sarama.WaitForAll
	settings.Producer.Idempotent = true
	settings.Net.MaxOpenRequests = 1 // asked for by Idempotent
	settings.Producer.Timeout = replicaTimeout
	// Java's partitioner, so that its producers put a row into the same partition.
	settings.Producer.Partitioner = sarama.NewMurmur2Partitioner
	settings.Producer.Compression = sarama.CompressionLZ4
	// The least the client library allows. What lasts longer is our own retry: it
	// says what is wrong, and begins with a new connection.
	settings.Producer.Retry.Max = 1
	// The client library waits this for every single message of a partition, one
	// after the other.
	settings.Producer.Retry.Backoff = 10 * time.Millisecond
	// Without it the first message of a batch leaves on its own, and the others wait
	// until it has arrived. Kafka's own producer waits 5 ms.
	settings.Producer.Flush.Frequency = 2 * time.Millisecond
	settings.Metadata.Retry.Max = 1
	// Bounds the asking for a producer ID, too, which needs no transaction.
	settings.Producer.Transaction.Retry.Max = 3
	settings.Producer.Return.Successes = true
	settings.Producer.Return.Errors = true

	client, err := sarama.NewClient(p.config.Brokers, settings)
	if err != nil {
		return nil, err
	}
	sender, err := newSender(client)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open producer: %w", err), client.Close())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open.Add(1)
	opened := &producer{sender: sender, client: client}
	if p.closed {
		p.retire(opened)
		return nil, errClosed
	}
	p.current = opened
	return nil, nil
}

// release gives a producer back. A failed one is not handed out again.
func (p *producers) release(used *producer, failed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	used.users--
	if failed || used.retired {
		p.retire(used)
	}
}

// retire must be called with the lock held.
func (p *producers) retire(used *producer) {
	used.retired = true
	if p.current == used {
		p.current = nil
	}
	if used.users > 0 {
		return
	}
	// Closing waits for connections; nobody needs to wait for that.
	go func() {
		defer p.open.Done()
		used.sender.close()
		_ = used.client.Close() // it has nothing left to lose
	}()
}

// close retires the shared producer and waits until all are closed.
func (p *producers) close() {
	p.mu.Lock()
	p.closed = true
	if p.current != nil {
		p.retire(p.current)
	}
	p.mu.Unlock()
	p.open.Wait()
}
