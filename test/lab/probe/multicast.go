package probe

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// Member is a machine that is in a multicast group.
type Member struct {
	packets net.PacketConn
	heard   atomic.Int64
}

// Join has a machine join a group, by its only interface.
func Join(m *machine.Machine, group netip.Addr) (*Member, error) {
	member := &Member{}
	err := m.Do(func() error {
		device, err := onlyInterface()
		if err != nil {
			return err
		}
		member.packets, err = net.ListenMulticastUDP("udp", device, net.UDPAddrFromAddrPort(netip.AddrPortFrom(group, Port+2)))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s can't join %s: %w", m.Name, group, err)
	}
	go func() {
		for packet := make([]byte, 1); ; {
			if _, _, err := member.packets.ReadFrom(packet); errors.Is(err, net.ErrClosed) {
				return
			} else if err == nil {
				member.heard.Add(1)
			}
		}
	}()
	return member, nil
}

func onlyInterface() (*net.Interface, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].Flags&net.FlagLoopback == 0 {
			return &all[i], nil
		}
	}
	return nil, errors.New("there is no interface but lo")
}

// Heard is how many packets have come.
func (m *Member) Heard() int64 { return m.heard.Load() }

// Close leaves the group.
func (m *Member) Close() error { return m.packets.Close() }

// SendTo sends one packet from a machine to all of a group.
func SendTo(from *machine.Machine, group netip.Addr) error {
	var socket net.Conn
	err := from.Do(func() (err error) {
		socket, err = net.Dial("udp", netip.AddrPortFrom(group, Port+2).String())
		return err
	})
	if err != nil {
		return fmt.Errorf("from %s: %w", from.Name, err)
	}
	defer socket.Close()
	_, err = socket.Write([]byte("!"))
	return err
}

// GroupFilter matches what SendTo sends, in pcap's words.
func GroupFilter(group netip.Addr) string {
	return fmt.Sprintf("udp port %d and dst host %s", Port+2, group)
}
