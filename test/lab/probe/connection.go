package probe

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// connectionPort is where Serve sends back all that comes by a connection.
const connectionPort = Port + 1

// Connection is one TCP connection that is kept, with lines that go to the other
// end and come back, one after the other.
type Connection struct {
	connection net.Conn
	lines      atomic.Int64
	done       chan struct{}
	err        error
}

// Connect opens a connection to an address where Serve listens, and exchanges a line
// every so often until Close.
func Connect(ctx context.Context, from *machine.Machine, to netip.Addr, every time.Duration) (*Connection, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c := &Connection{done: make(chan struct{})}
	err := from.Do(func() (err error) {
		c.connection, err = new(net.Dialer).DialContext(ctx, "tcp", netip.AddrPortFrom(to, connectionPort).String())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("from %s: %w", from.Name, err)
	}
	go func() {
		defer close(c.done)
		c.err = c.exchange(every)
	}()
	return c, nil
}

func (c *Connection) exchange(every time.Duration) error {
	again := time.NewTicker(every)
	defer again.Stop()
	answers := bufio.NewReader(c.connection)
	for line := int64(1); ; line++ {
		if _, err := fmt.Fprintln(c.connection, line); err != nil {
			return err
		}
		var answer int64
		if _, err := fmt.Fscanln(answers, &answer); err != nil {
			return err
		}
		if answer != line {
			return fmt.Errorf("line %d came back as %d", line, answer)
		}
		c.lines.Store(line)
		<-again.C
	}
}

// Lines is how many have come back so far.
func (c *Connection) Lines() int64 { return c.lines.Load() }

// Err is what ended the connection, nil while it lasts.
func (c *Connection) Err() error {
	select {
	case <-c.done:
		return c.err
	default:
		return nil
	}
}

// Close ends the connection; the error is what had ended it before.
func (c *Connection) Close() error {
	err := c.Err()
	_ = c.connection.Close()
	<-c.done
	return err
}

// keep sends back all that comes by connections.
func (s *Server) keep() {
	for {
		connection, err := s.kept.Accept()
		if err != nil {
			return
		}
		go func() {
			_, _ = io.Copy(connection, connection)
			_ = connection.Close()
		}()
	}
}
