package dialect

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// ConnectionLost says whether err came from the way to the server rather than
// from the server: the network, a closed or refused connection. Whether the
// last statement took effect is then unknown.
//
// A cancelled or expired context is not among them: it is the caller's own will.
func ConnectionLost(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	for _, sign := range [...]error{
		driver.ErrBadConn, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, os.ErrDeadlineExceeded,
		syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE,
	} {
		if errors.Is(err, sign) {
			return true
		}
	}
	_, isNet := errors.AsType[net.Error](err)
	return isNet
}
