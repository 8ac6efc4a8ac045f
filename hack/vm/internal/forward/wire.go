package forward

import (
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/yamux"
)

// Conn is a connection whose two directions end apart.
type Conn interface {
	io.ReadWriteCloser
	CloseWrite() error
}

// Host dials the addresses of the list, which are the host's own.
func Host(addresses []string) Dialer {
	return func(index int) (Conn, error) {
		conn, err := net.Dial("tcp", addresses[index])
		if err != nil {
			return nil, err
		}
		return conn.(*net.TCPConn), nil
	}
}

// Wire dials through the other end of a byte stream, where Answer serves it.
func Wire(stream io.ReadWriteCloser) (Dialer, error) {
	session, err := yamux.Client(stream, tuned())
	if err != nil {
		return nil, err
	}
	return func(index int) (Conn, error) {
		opened, err := session.OpenStream()
		if err != nil {
			return nil, err
		}
		if _, err := opened.Write([]byte{byte(index)}); err != nil {
			_ = opened.Close()
			return nil, err
		}
		return wired{opened}, nil
	}, nil
}

// Answer serves what Wire dials at the other end, until the stream ends.
func Answer(stream io.ReadWriteCloser, dial Dialer, count int) error {
	session, err := yamux.Server(stream, tuned())
	if err != nil {
		return err
	}
	defer session.Close()
	for {
		accepted, err := session.AcceptStream()
		if err != nil {
			return err
		}
		go func() {
			if err := answer(wired{accepted}, dial, count); err != nil {
				fmt.Fprintln(os.Stderr, "forward:", err)
				_ = accepted.Close()
			}
		}()
	}
}

func answer(inner wired, dial Dialer, count int) error {
	var index [1]byte
	if _, err := io.ReadFull(inner, index[:]); err != nil {
		return err
	}
	if int(index[0]) >= count {
		return fmt.Errorf("asked for address %d of %d", index[0], count)
	}
	outer, err := dial(int(index[0]))
	if err != nil {
		return err
	}
	join(inner, outer)
	return nil
}

// tuned: the stream is a device between two processes of one machine, so it
// needs no keepalives, and is never broken because it is slow: an emulated
// machine may stand still for as long as its host is busy.
func tuned() *yamux.Config {
	config := yamux.DefaultConfig()
	config.EnableKeepAlive = false
	config.ConnectionWriteTimeout = time.Hour
	config.StreamOpenTimeout = 0
	config.MaxStreamWindowSize = 1 << 20
	config.LogOutput = os.Stderr
	return config
}

// wired gives a stream the name that TCP has for ending one direction.
type wired struct{ *yamux.Stream }

func (w wired) CloseWrite() error { return w.Stream.Close() }

func join(a, b Conn) {
	var both sync.WaitGroup
	both.Go(func() { pour(a, b) })
	both.Go(func() { pour(b, a) })
	both.Wait()
	_ = a.Close()
	_ = b.Close()
}

// pour ends one direction if that is what the source did. After an error both
// ends are closed, or the other direction would wait for ever.
func pour(from, to Conn) {
	_, err := io.Copy(to, from)
	if err == nil {
		err = to.CloseWrite()
	}
	if err != nil {
		_ = from.Close()
		_ = to.Close()
	}
}
