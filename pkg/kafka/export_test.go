package kafka

import "net"

// WithDialer returns the configuration with connections made by d.
func (c Config) WithDialer(d interface {
	Dial(network, address string) (net.Conn, error)
},
) Config {
	c.dialer = d
	return c
}

// Drain has a member take errors as the client library tells them, and calls end when
// they are to end its membership.
func (g *Group) Drain(errs <-chan error, end func()) { g.drain(errs, end) }

// Full says that no message of that size would be taken now without waiting.
func (p *Publisher) Full(size int64) bool {
	if !p.buffer.TryAcquire(size) {
		return true
	}
	p.buffer.Release(size)
	return false
}
