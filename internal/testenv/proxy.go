package testenv

import (
	"bytes"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// Proxy stands between a test and a database server, and breaks the way between
// the two on demand.
type Proxy struct {
	listener net.Listener
	server   string
	poison   []byte

	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]bool
}

// NewProxy returns a proxy before the server of a URL, and the URL that leads
// through it.
func NewProxy(t testing.TB, dsn string) (*Proxy, string) {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatalf("read the test server's URL: %v", withoutURL(err))
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: listener, server: u.Host, conns: map[net.Conn]bool{}}
	t.Cleanup(func() {
		_ = listener.Close() // nobody connects any more
		p.Cut()
	})
	go p.accept()
	u.Host = listener.Addr().String()
	return p, u.String()
}

// Swallow makes every connection opened from now on fall silent, without being
// closed, when the server sends the text.
func (p *Proxy) Swallow(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.poison = []byte(text)
}

// Cut closes all connections, and every new one at once, as a host does whose
// server has died.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = true
	for c := range p.conns {
		_ = c.Close()
	}
	clear(p.conns)
}

// Restore lets connections through again.
func (p *Proxy) Restore() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = false
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.serve(client)
	}
}

func (p *Proxy) serve(client net.Conn) {
	server, err := net.Dial("tcp", p.server) //nolint:noctx // it lives as long as the proxy
	if err != nil || !p.keep(client, server) {
		_ = client.Close()
		return
	}
	go func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	p.answer(client, server)
	_ = client.Close()
}

// keep remembers both ends; false when the way is cut.
func (p *Proxy) keep(client, server net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut {
		_ = server.Close()
		return false
	}
	p.conns[client], p.conns[server] = true, true
	return true
}

// answer copies what the server sends until it ends or the poison comes, after
// which it is read and thrown away.
func (p *Proxy) answer(client, server net.Conn) {
	buffer := make([]byte, 32<<10)
	var last []byte // the end of what was copied, where the poison may begin
	for {
		n, err := server.Read(buffer)
		p.mu.Lock()
		poison := p.poison
		p.mu.Unlock()
		if seen := append(last, buffer[:n]...); len(poison) > 0 && bytes.Contains(seen, poison) {
			_, _ = io.Copy(io.Discard, server)
			return
		} else if len(poison) > 0 {
			last = bytes.Clone(seen[max(0, len(seen)-len(poison)+1):])
		}
		if n > 0 {
			if _, err := client.Write(buffer[:n]); err != nil {
				_ = server.Close()
				return
			}
		}
		if err != nil {
			return
		}
	}
}
