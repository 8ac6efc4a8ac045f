package forward

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
)

// wireTo is a wire whose far end dials an echo server.
func wireTo(t *testing.T) Dialer {
	t.Helper()
	near, far := net.Pipe()
	t.Cleanup(func() {
		_ = near.Close()
		_ = far.Close()
	})
	go func() { _ = Answer(far, Host([]string{echo(t)}), 1) }()
	dial, err := Wire(near)
	if err != nil {
		t.Fatal(err)
	}
	return dial
}

// echo answers only after its client has ended its direction.
func echo(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				text, _ := io.ReadAll(conn)
				_, _ = conn.Write(text)
			}()
		}
	}()
	return listener.Addr().String()
}

func TestDirectionsEndApart(t *testing.T) {
	dial := wireTo(t)
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			conn, err := dial(0)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			text := bytes.Repeat([]byte{byte(i)}, 300_000)
			if _, err := conn.Write(text); err != nil {
				t.Error(err)
			}
			if err := conn.CloseWrite(); err != nil {
				t.Error(err)
			}
			if back, err := io.ReadAll(conn); err != nil || !bytes.Equal(back, text) {
				t.Errorf("connection %d: %d bytes came back of %d: %v", i, len(back), len(text), err)
			}
		})
	}
	all.Wait()
}

func TestNothingBesideTheListIsDialled(t *testing.T) {
	conn, err := wireTo(t)(1)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, conn); n != 0 {
		t.Errorf("the second address of a list of one answered %d bytes: %v", n, err)
	}
}

// TestUnreadConnectionHoldsUpNoOther: a client that reads nothing for a while
// must not stop the others, as it would if they shared one window.
func TestUnreadConnectionHoldsUpNoOther(t *testing.T) {
	dial := wireTo(t)
	for range 5 {
		conn, err := dial(0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if _, err := conn.Write(bytes.Repeat([]byte("x"), 3<<20)); err != nil {
			t.Fatal(err)
		}
		if err := conn.CloseWrite(); err != nil {
			t.Fatal(err)
		}
	}
	conn, err := dial(0)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if back, err := io.ReadAll(conn); string(back) != "hello" {
		t.Errorf("got %q: %v", back, err)
	}
}
