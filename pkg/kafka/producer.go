package kafka

import (
	"errors"
	"fmt"
	"sync"

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
	settings.Metadata.Retry.Max = 1

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
