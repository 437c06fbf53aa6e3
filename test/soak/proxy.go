package main

import (
	"context"
	"net"
	"sync"
	"time"
)

// proxy stands before a server and breaks the way to it on demand.
type proxy struct {
	listener net.Listener
	server   string

	mu    sync.Mutex
	conns map[net.Conn]bool
	cut   bool
	open  chan struct{} // closed while bytes may pass
	slow  time.Duration // that each piece is held up
}

// newProxy listens on a port of its own; it ends with ctx.
func newProxy(ctx context.Context, server string) (*proxy, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: listener, server: server, conns: map[net.Conn]bool{}, open: make(chan struct{})}
	close(p.open)
	go p.accept()
	context.AfterFunc(ctx, func() {
		_ = listener.Close()
		p.sever(true)
	})
	return p, nil
}

func (p *proxy) address() string { return p.listener.Addr().String() }

// sever closes all connections, and with stay every new one.
func (p *proxy) sever(stay bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = stay
	for c := range p.conns {
		_ = c.Close()
	}
	clear(p.conns)
}

// silence swallows nothing and passes nothing on: connections stay open, and
// nobody hears of anybody, until they may pass again.
func (p *proxy) silence() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = make(chan struct{})
}

func (p *proxy) slowDown(delay time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.slow = delay
}

// restore ends whatever is wrong.
func (p *proxy) restore() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut, p.slow = false, 0
	select {
	case <-p.open:
	default:
		close(p.open)
	}
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.serve(client)
	}
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	<-p.passage()
	server, err := net.Dial("tcp", p.server) //nolint:noctx // it lives as long as its client
	if err != nil {
		return
	}
	defer server.Close()
	if !p.keep(client, server) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.carry(server, client) })
	p.carry(client, server)
	both.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, client)
	delete(p.conns, server)
}

// keep remembers both ends; false when the way is cut.
func (p *proxy) keep(client, server net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.cut {
		p.conns[client], p.conns[server] = true, true
	}
	return !p.cut
}

// passage is closed while bytes may pass.
func (p *proxy) passage() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open
}

// carry passes on what is sent until one end is gone, and then closes both.
func (p *proxy) carry(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		<-p.passage()
		p.mu.Lock()
		slow := p.slow
		p.mu.Unlock()
		if n > 0 && slow > 0 {
			<-time.After(slow)
		}
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
