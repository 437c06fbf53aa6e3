package main

import (
	"fmt"
	"io"
	"net"
	"testing"
	"time"
)

func TestTheProxyCutsIsSilentAndRestores(t *testing.T) {
	server, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		for {
			conn, err := server.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(conn, conn); _ = conn.Close() }()
		}
	}()
	p, err := newProxy(t.Context(), server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	echo := func(conn net.Conn, text string, patience time.Duration) error {
		_ = conn.SetDeadline(time.Now().Add(patience))
		if _, err := fmt.Fprint(conn, text); err != nil {
			return err
		}
		_, err := io.ReadFull(conn, make([]byte, len(text)))
		return err
	}
	dial := func() net.Conn {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", p.address())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	conn := dial()
	if err := echo(conn, "hello", 10*time.Second); err != nil {
		t.Fatal(err)
	}
	p.silence()
	if err := echo(conn, "anybody", 50*time.Millisecond); err == nil {
		t.Fatal("it answers in silence")
	}
	p.restore()
	if _, err := io.ReadFull(deadline(conn), make([]byte, len("anybody"))); err != nil {
		t.Fatalf("what was sent into the silence never came: %v", err)
	}
	p.sever(true)
	if _, err := deadline(conn).Read(make([]byte, 1)); err == nil {
		t.Fatal("a connection outlived the cut")
	}
	if err := echo(dial(), "hello", 10*time.Second); err == nil {
		t.Fatal("a connection was opened while the way was cut")
	}
	p.restore()
	if err := echo(dial(), "hello", 10*time.Second); err != nil {
		t.Fatal(err)
	}
}

func deadline(conn net.Conn) net.Conn {
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	return conn
}
