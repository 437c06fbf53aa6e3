package freeport

import (
	"fmt"
	"net"
	"testing"
)

func TestPortsAreFreeDifferentAndOutOfTheWayOfOutgoingConnections(t *testing.T) {
	seen := map[int]bool{}
	for range 50 {
		port, err := Find()
		if err != nil {
			t.Fatal(err)
		}
		if seen[port] || port < lowest || port >= 32768 {
			t.Errorf("port %d", port)
		}
		seen[port] = true
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Errorf("it is not free: %v", err)
			continue
		}
		defer listener.Close()
	}
}
