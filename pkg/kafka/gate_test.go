package kafka_test

import (
	"errors"
	"io"
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
	// deaf is how many connections are yet to lose an answer, and break.
	deaf int
}

// losing is a connection that breaks when an answer comes and the gate wants it to.
type losing struct {
	net.Conn
	gate *gate
}

func (l losing) Read(into []byte) (int, error) {
	n, err := l.Conn.Read(into)
	l.gate.mu.Lock()
	defer l.gate.mu.Unlock()
	if n == 0 || l.gate.deaf == 0 {
		return n, err
	}
	l.gate.deaf--
	_ = l.Conn.Close()
	return 0, io.EOF
}

// lose has so many answers that come from now on not arrive.
func (g *gate) lose(answers int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.deaf = answers
}

// lost says whether all of them did not.
func (g *gate) lost() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.deaf == 0
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
	return losing{conn, g}, nil
}

// close breaks all connections and refuses new ones.
func (g *gate) close() {
	g.mu.Lock()
	g.away = true
	g.mu.Unlock()
	g.cut()
}

// cut breaks all connections.
func (g *gate) cut() {
	g.mu.Lock()
	defer g.mu.Unlock()
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
