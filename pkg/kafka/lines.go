package kafka

import (
	"net"
	"sync"

	"github.com/IBM/sarama"
	"golang.org/x/net/proxy"
)

// lines are the connections of one client, so that they can be cut. The client
// library has no other way to end a request before its answer: closing a client
// waits for what is under way, and the answer to joining a group may take as
// long as a rebalance.
type lines struct {
	dialer proxy.Dialer

	mu    sync.Mutex
	open  map[net.Conn]bool
	ended bool
}

// cuttable makes the connections of a client lines.
func cuttable(s *sarama.Config) *lines {
	l := &lines{dialer: &net.Dialer{Timeout: s.Net.DialTimeout, KeepAlive: s.Net.KeepAlive}, open: map[net.Conn]bool{}}
	if s.Net.Proxy.Enable {
		l.dialer = s.Net.Proxy.Dialer
	}
	s.Net.Proxy.Enable, s.Net.Proxy.Dialer = true, l
	return l
}

// Dial implements proxy.Dialer.
func (l *lines) Dial(network, address string) (net.Conn, error) {
	conn, err := l.dialer.Dial(network, address)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		_ = conn.Close()
		return nil, net.ErrClosed
	}
	l.open[conn] = true
	return &line{Conn: conn, lines: l}, nil
}

// cut ends all connections, and those that would follow.
func (l *lines) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	for conn := range l.open {
		_ = conn.Close()
	}
}

// line is one of them.
type line struct {
	net.Conn
	lines *lines
}

// Close implements net.Conn.
func (l *line) Close() error {
	l.lines.mu.Lock()
	delete(l.lines.open, l.Conn)
	l.lines.mu.Unlock()
	return l.Conn.Close()
}
