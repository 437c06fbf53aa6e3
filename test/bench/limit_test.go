package main

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
)

// talk answers each time with a text: the first bytes to the driver, the rest
// to whoever reads on.
func talk(t *testing.T, answers ...string) *flow {
	return &flow{ask: func(context.Context) (*asked, error) {
		near, far := net.Pipe()
		answer := answers[0]
		answers = answers[1:]
		go func() {
			_, _ = io.WriteString(far, answer) // the reader notices
			_ = far.Close()
		}()
		a := &asked{wire: &countedConn{Conn: near}, close: func() { _ = near.Close() }}
		a.finish = func() error { _, err := io.Copy(io.Discard, a.wire); return err }
		_, err := io.ReadFull(a.wire, make([]byte, 3))
		if err != nil {
			t.Error(err)
		}
		return a, nil
	}}
}

func TestAFlowReadsAsManyBytesAsTheDriverDid(t *testing.T) {
	f := talk(t, strings.Repeat("x", 1000), strings.Repeat("y", 1000), strings.Repeat("z", 999), strings.Repeat("z", 1001))
	for i := range 2 {
		if err := f.drain(t.Context()); err != nil {
			t.Fatalf("run %d: %v", i, err)
		}
	}
	if f.bytes != 1000 {
		t.Errorf("learned %d bytes, want 1000", f.bytes)
	}
	for _, change := range []string{"fewer", "more"} {
		if err := f.drain(t.Context()); err == nil {
			t.Errorf("%s bytes than before pass for the same", change)
		}
	}
}

func TestQuartersCoverTheWholeKeySpaceOnce(t *testing.T) {
	ranges := quarters(1000, 4)
	text := ""
	for _, r := range ranges {
		text += r.String()
	}
	if want := "(start … 250](250 … 500](500 … 750](750 … end]"; text != want {
		t.Errorf("got %s, want %s", text, want)
	}
	if whole := quarters(1000, 1); whole[0].String() != "(start … end]" {
		t.Errorf("one range is %s", whole[0])
	}
}
