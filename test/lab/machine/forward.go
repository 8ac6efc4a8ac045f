package machine

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
)

// Forward makes what is reached outside of the machine reachable inside, at an
// address of the machine such as 127.0.0.1:6443. It ends with the machine.
func (m *Machine) Forward(ctx context.Context, inside string, dial func(context.Context) (net.Conn, error)) error {
	var listener net.Listener
	err := m.Do(func() error {
		var err error
		listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", inside)
		return err
	})
	if err != nil {
		return fmt.Errorf("forward %s of %s: %w", inside, m.Name, err)
	}
	m.forward(ctx, listener, dial)
	return nil
}

// Expose makes an address inside of the machine, such as 127.0.0.1:9443, reachable
// outside, on loopback, and returns where. It ends with the machine.
func (m *Machine) Expose(ctx context.Context, inside string) (outside string, err error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("expose %s of %s: %w", inside, m.Name, err)
	}
	m.forward(ctx, listener, func(ctx context.Context) (net.Conn, error) { return m.Dial(ctx, "tcp", inside) })
	return listener.Addr().String(), nil
}

func (m *Machine) forward(ctx context.Context, listener net.Listener, dial func(context.Context) (net.Conn, error)) {
	forward := &forward{listener: listener, dial: dial, open: map[net.Conn]bool{}}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.forwards = append(m.forwards, forward)
	go forward.accept(context.WithoutCancel(ctx))
}

// Unforward ends all that Forward and Expose began in the machine, with the connections.
func (m *Machine) Unforward() {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for _, f := range m.forwards {
		f.close()
	}
	m.forwards = nil
}

// forward has open sockets in the machine's network, which would go on for as
// long as they are open.
type forward struct {
	listener net.Listener
	dial     func(context.Context) (net.Conn, error)

	mutex  sync.Mutex
	open   map[net.Conn]bool
	closed bool
}

func (f *forward) accept(ctx context.Context) {
	for {
		conn, err := f.listener.Accept()
		if err != nil {
			return
		}
		if !f.keep(conn) {
			return
		}
		go f.carry(ctx, conn)
	}
}

func (f *forward) carry(ctx context.Context, conn net.Conn) {
	defer f.drop(conn)
	far, err := f.dial(ctx)
	if err != nil {
		return
	}
	if !f.keep(far) {
		return
	}
	go func() {
		_, _ = io.Copy(far, conn)
		f.drop(far)
	}()
	_, _ = io.Copy(conn, far)
}

func (f *forward) keep(conn net.Conn) bool {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.closed {
		_ = conn.Close()
		return false
	}
	f.open[conn] = true
	return true
}

func (f *forward) drop(conn net.Conn) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	delete(f.open, conn)
	_ = conn.Close()
}

func (f *forward) close() {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.closed = true
	_ = f.listener.Close()
	for conn := range f.open {
		_ = conn.Close()
	}
}
