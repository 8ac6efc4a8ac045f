package probe

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// Stream is a flow of packets from a port of its own to an address where Serve
// listens, which sends them back.
type Stream struct{ connection net.Conn }

// Open begins a stream; nothing is sent yet.
func Open(from *machine.Machine, to netip.Addr) (*Stream, error) {
	s := &Stream{}
	err := from.Do(func() (err error) {
		s.connection, err = net.Dial("udp", netip.AddrPortFrom(to, Port).String())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("from %s: %w", from.Name, err)
	}
	return s, nil
}

// Send sends a packet. That there is no way at the moment is no error.
func (s *Stream) Send() error {
	_, err := s.connection.Write([]byte("?"))
	return closed(err)
}

// Await waits until a packet has come back.
func (s *Stream) Await() error {
	for {
		_, err := s.connection.Read(make([]byte, 1))
		if err == nil || closed(err) != nil {
			return err
		}
	}
}

// closed leaves of an error only that the stream is closed: what routers say of
// a packet before, that nobody is there, comes as an error too.
func closed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Close ends the stream, and whoever waits.
func (s *Stream) Close() error { return s.connection.Close() }

// echo sends packets back.
func (s *Server) echo() {
	packet := make([]byte, 1)
	for {
		_, from, err := s.packets.ReadFrom(packet)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			_, _ = s.packets.WriteTo(packet, from)
		}
	}
}
