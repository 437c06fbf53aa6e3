package kafka_test

import (
	"errors"
	"net"
	"sync"
	"testing"
	"time"
)

// gate stands between a client and the brokers, and can take them away.
type gate struct {
	mu    sync.Mutex
	away  bool
	conns map[net.Conn]bool
}

func (g *gate) Dial(network, address string) (net.Conn, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.away {
		return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("refused by the test")}
	}
	conn, err := net.Dial(network, address) //nolint:noctx // the client library's dialer knows no context
	if err != nil {
		return nil, err
	}
	if g.conns == nil {
		g.conns = map[net.Conn]bool{}
	}
	g.conns[conn] = true
	return conn, nil
}

// close breaks all connections and refuses new ones.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.away = true
	for conn := range g.conns {
		_ = conn.Close()
	}
	clear(g.conns)
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.away = false
}

// eventually polls a condition that nothing signals.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(60 * time.Second)
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("did not happen within a minute: %s", what)
		}
	}
}
