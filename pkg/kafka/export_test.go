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
