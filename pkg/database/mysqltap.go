package database

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"syscall"
)

// tap is a connection to a MySQL server from which rows can be read beside the
// driver.
//
// The driver hands over each value in an interface, which costs this process
// more than everything else it does with a row, and it throws away the bytes
// the server sent, which tell whether two rows are equal without decoding
// either. So the driver does all the talking (login, statements, errors, the
// end of a result) and only the rows in between are taken from under it.
//
// That works because the driver is never given more than one packet at a time:
// when it has read the description of a result, the next byte here is the first
// of the first row. When all rows have been taken, the packet that ends them
// gets the number the driver expects next, and to the driver the result was
// empty. (MySQL's documentation, "Client/Server Protocol": a packet is three
// bytes of length, one of sequence, and the payload.)
type tap struct {
	net.Conn
	buffer []byte // holds what was received; buffer[start:end] is unread
	start  int
	end    int
	left   int   // bytes of the driver's current packet that it has not taken yet
	err    error // what every further read returns

	// rows is whether a result's rows are being taken, and sequence is the
	// number of the first of them.
	rows     bool
	sequence byte
	large    []byte // a row of several packets, put together
}

const (
	// tapBuffer is large enough that a read of the socket brings some hundred
	// rows, and small enough for as many connections as anyone opens.
	tapBuffer = 64 << 10
	// packetHeader and packetFull are sizes of the protocol: a payload of
	// packetFull bytes goes on in the next packet.
	packetHeader = 4
	packetFull   = 1<<24 - 1
	// rowMark is the first byte of every row of a prepared statement; the end
	// of the rows and errors begin with others.
	rowMark = 0
)

// errNoRow says that the packet at hand is no row: the end, or an error. It is
// the driver's to read.
var errNoRow = errors.New("no row")

// tapKey is the context key under which a dialled tap is left for its owner.
type tapKey struct{}

// tapped returns a dial function that leaves a tap in the slot the context
// holds. It is for connections that are neither encrypted nor compressed:
// beneath those there are no packets to see.
func tapped(dial func(ctx context.Context, network, address string) (net.Conn, error)) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		slot, wanted := ctx.Value(tapKey{}).(**tap)
		if err != nil || !wanted {
			return conn, err
		}
		*slot = &tap{Conn: conn, buffer: make([]byte, tapBuffer)}
		return *slot, nil
	}
}

// Read gives the driver what is left of a packet, and never more.
func (t *tap) Read(p []byte) (int, error) {
	if t.left == 0 {
		if err := t.fill(packetHeader); err != nil {
			return 0, err
		}
		t.left = packetHeader + t.payload()
	}
	if err := t.fill(1); err != nil {
		return 0, err
	}
	n := copy(p, t.buffer[t.start:min(t.end, t.start+t.left)])
	t.start += n
	t.left -= n
	return n, nil
}

// SyscallConn lets the driver look whether the server has hung up.
func (t *tap) SyscallConn() (syscall.RawConn, error) {
	if c, ok := t.Conn.(syscall.Conn); ok {
		return c.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// begin starts taking rows. The driver must have read the description of a
// result, and nothing more.
func (t *tap) begin() { t.rows = false }

// row returns the next row's packet, borrowed until the following call, or
// errNoRow when it is time for the driver to read on.
func (t *tap) row() ([]byte, error) {
	if err := t.fill(packetHeader + 1); err != nil {
		return nil, err
	}
	if !t.rows {
		t.rows, t.sequence = true, t.buffer[t.start+3]
	}
	if t.buffer[t.start+packetHeader] != rowMark {
		t.buffer[t.start+3] = t.sequence
		return nil, errNoRow
	}
	size := t.payload()
	if size == packetFull {
		return t.largeRow()
	}
	return t.take(size)
}

// take returns the payload of the packet at hand.
func (t *tap) take(size int) ([]byte, error) {
	if err := t.fill(packetHeader + size); err != nil {
		return nil, err
	}
	payload := t.buffer[t.start+packetHeader : t.start+packetHeader+size : t.start+packetHeader+size]
	t.start += packetHeader + size
	return payload, nil
}

// largeRow puts together a row of several packets, the last of which is not full.
func (t *tap) largeRow() ([]byte, error) {
	t.large = t.large[:0]
	for {
		if err := t.fill(packetHeader); err != nil {
			return nil, err
		}
		size := t.payload()
		part, err := t.take(size)
		if err != nil {
			return nil, err
		}
		t.large = append(t.large, part...)
		if size < packetFull {
			return t.large, nil
		}
	}
}

// rest gives back the memory that large rows took.
func (t *tap) rest() {
	t.large = nil
	if len(t.buffer) > tapBuffer && t.start == t.end {
		t.buffer, t.start, t.end = make([]byte, tapBuffer), 0, 0
	}
}

// payload is the size of the packet whose header is at hand.
func (t *tap) payload() int {
	return int(binary.LittleEndian.Uint32(t.buffer[t.start:]) & packetFull)
}

// fill receives until at least need bytes are unread.
func (t *tap) fill(need int) error {
	if t.end-t.start >= need {
		return nil
	}
	if t.err != nil {
		return t.err
	}
	if t.start+need > len(t.buffer) {
		t.makeRoom(need)
	}
	n, err := io.ReadAtLeast(t.Conn, t.buffer[t.end:], need-(t.end-t.start))
	t.end += n
	t.err = err
	return err
}

// makeRoom moves what is unread to the front of a buffer that holds need bytes.
func (t *tap) makeRoom(need int) {
	into := t.buffer
	if need > len(into) {
		into = make([]byte, need)
	}
	t.end = copy(into, t.buffer[t.start:t.end])
	t.start, t.buffer = 0, into
}
