package evpn

import (
	"encoding/binary"
	"slices"
	"syscall"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/rtnetlink"
)

// subscribed are the kinds of events that may change a state. A bridge tells of its VLANs
// by its ports; a VNI that only a filter lost is found at the interval.
var subscribed = []uint{unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_IFADDR}

// subscription asks for neighbors, too, where entries of hosts are kept: zebra removes and
// overwrites them (FRRouting/frr#21472, #21473).
func (l *Loop) subscription() *rtnetlink.Subscription {
	s := &rtnetlink.Subscription{Namespace: l.Namespace, Groups: slices.Clone(subscribed)}
	if l.Keeper != nil {
		s.Groups = append(s.Groups, unix.RTNLGRP_NEIGH)
		s.Filter = onlyZebrasNeighbors()
	}
	return s
}

// onlyZebrasNeighbors has the kernel keep back events of neighbors that are neither gone
// nor written by a routing daemon: every host that a bridge learns, or that was asked for
// by ARP, is one.
func onlyZebrasNeighbors() []bpf.Instruction {
	const (
		kindAt  = 4                        // nlmsg_type of struct nlmsghdr
		flagsAt = unix.SizeofNlMsghdr + 10 // ndm_flags of struct ndmsg
		all     = 1<<32 - 1                // bytes to keep
		none    = 0
	)
	// BPF takes everything for big endian.
	added := uint32(binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, unix.RTM_NEWNEIGH)))
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: kindAt, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: added, SkipTrue: 2},
		bpf.LoadAbsolute{Off: flagsAt, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: unix.NTF_EXT_LEARNED, SkipTrue: 1},
		bpf.RetConstant{Val: all},
		bpf.RetConstant{Val: none},
	}
}

// concerned sorts out the devices of pods, which come and go all the time, and neighbors
// that are no hosts of the node.
func (l *Loop) concerned(messages []syscall.NetlinkMessage) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(messages, func(m syscall.NetlinkMessage) bool {
		switch m.Header.Type {
		case unix.RTM_NEWLINK, unix.RTM_DELLINK:
			d, err := decodeDevice(m.Data)
			return err != nil || l.names[d.Name]
		case unix.RTM_NEWADDR, unix.RTM_DELADDR:
			address, _, err := decodeAddress(m.Data)
			return err != nil || slices.ContainsFunc(l.networks, func(n Network) bool { return n.Endpoint == address })
		case unix.RTM_NEWNEIGH, unix.RTM_DELNEIGH:
			n, err := decodeNeighbor(m.Data)
			if err != nil || n.master != 0 {
				return err != nil || l.macs[n.mac]
			}
			return l.addresses[n.endpoint]
		default:
			return false
		}
	})
}
