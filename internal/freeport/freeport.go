// Package freeport finds ports for servers that take no open listener.
package freeport

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// Systems give outgoing connections ports from 32768 up (Linux) or 49152 (others). One
// of those that is free now may be anybody's by the time a server is up, which takes
// seconds; below them only who asks for a port gets it.
const (
	lowest = 12_000
	count  = 20_000
	tries  = 1_000
)

var (
	mu    sync.Mutex
	given = map[int]bool{}
)

// Find returns a port of 127.0.0.1 on which nobody listens, another one every time.
func Find() (int, error) {
	mu.Lock()
	defer mu.Unlock()
	var last error
	for range tries {
		port := lowest + rand.IntN(count) //nolint:gosec // no secret
		if given[port] {
			continue
		}
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))) //nolint:noctx // it does not wait
		if err != nil {
			last = err
			continue
		}
		given[port] = true
		return port, listener.Close()
	}
	return 0, fmt.Errorf("find a free port from %d to %d: %w", lowest, lowest+count-1, last)
}
