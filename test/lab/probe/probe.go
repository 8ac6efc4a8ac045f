package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// Port is where Serve listens.
const Port = 7007

// patience is how long a question may take where packets pass. The kernel sends
// a lost SYN again after a second.
const patience = 3 * time.Second

// Server tells everybody who connects which address they come from, and sends
// back what Streams and Connections send.
type Server struct {
	listener, kept net.Listener
	packets        net.PacketConn
}

// Serve listens on all of the machine's addresses.
func Serve(m *machine.Machine) (*Server, error) {
	s := &Server{}
	err := m.Do(func() (err error) {
		if s.listener, err = net.Listen("tcp", fmt.Sprintf(":%d", Port)); err != nil {
			return err
		}
		if s.kept, err = net.Listen("tcp", fmt.Sprintf(":%d", connectionPort)); err != nil {
			return err
		}
		s.packets, err = net.ListenPacket("udp", fmt.Sprintf(":%d", Port))
		return err
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen on %s: %w", m.Name, err), s.Close())
	}
	go s.answer()
	go s.keep()
	go s.echo()
	return s, nil
}

func (s *Server) answer() {
	for {
		connection, err := s.listener.Accept()
		if err != nil {
			return
		}
		_, _ = io.WriteString(connection, connection.RemoteAddr().String()+"\n")
		_ = connection.Close()
	}
}

// Close stops listening.
func (s *Server) Close() error {
	var err error
	for _, listener := range []net.Listener{s.listener, s.kept} {
		if listener != nil {
			err = errors.Join(err, listener.Close())
		}
	}
	if s.packets != nil {
		err = errors.Join(err, s.packets.Close())
	}
	return err
}

// Ask connects from a machine to an address where Serve listens, and returns
// the address that the connection came from as the other end saw it.
func Ask(ctx context.Context, from *machine.Machine, to netip.Addr) (netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var connection net.Conn
	err := from.Do(func() (err error) {
		connection, err = new(net.Dialer).DialContext(ctx, "tcp", netip.AddrPortFrom(to, Port).String())
		return err
	})
	if err != nil {
		return netip.Addr{}, fmt.Errorf("from %s: %w", from.Name, err)
	}
	defer connection.Close()
	deadline, _ := ctx.Deadline()
	if err := connection.SetDeadline(deadline); err != nil {
		return netip.Addr{}, err
	}
	answer, err := io.ReadAll(connection)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("from %s to %s: %w", from.Name, to, err)
	}
	seen, err := netip.ParseAddrPort(strings.TrimSpace(string(answer)))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("%s answered %q to %s", to, answer, from.Name)
	}
	return seen.Addr().Unmap(), nil
}
