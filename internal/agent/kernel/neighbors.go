package kernel

import (
	"encoding/binary"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/rtnetlink"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

const (
	attributeNeighbor        = 1 // NDA_DST
	attributeHardwareAddress = 2 // NDA_LLADDR
	sizeofNdMsg              = 12
	// unusable neighbors have no hardware address that can be believed.
	unusable = unix.NUD_INCOMPLETE | unix.NUD_FAILED
)

// neighbor is a neighbor entry.
type neighbor struct {
	link     int32
	address  netip.Addr
	hardware [6]byte
	usable   bool
}

// decodeNeighbor decodes the payload of RTM_NEWNEIGH and RTM_DELNEIGH.
func decodeNeighbor(b []byte) (neighbor, error) {
	var n neighbor
	if len(b) < sizeofNdMsg {
		return n, rtnetlink.ErrShort
	}
	n.link = int32(binary.NativeEndian.Uint32(b[4:]))
	state := binary.NativeEndian.Uint16(b[8:])
	err := rtnetlink.Attributes(b[sizeofNdMsg:], func(kind uint16, value []byte) (err error) {
		switch kind {
		case attributeNeighbor:
			// Other families have other addresses, which are none of ours.
			if a, ok := netip.AddrFromSlice(value); ok {
				n.address = a
			}
		case attributeHardwareAddress:
			n.usable = len(value) == len(n.hardware) && state&unusable == 0
			copy(n.hardware[:], value)
		}
		return nil
	})
	return n, err
}

// concerns reports whether a neighbor can change what a stand-in means.
func (n neighbor) concerns() bool {
	return n.address == model.StandIn || n.address.Is6() && n.address.IsLinkLocalUnicast()
}

// linkLocal is the address that a hardware address gives (RFC 4291, appendix A),
// by which FRR finds the hardware address in turn.
func linkLocal(hardware [6]byte) netip.Addr {
	return netip.AddrFrom16([16]byte{0xfe, 0x80, 8: hardware[0] ^ 2, 9: hardware[1], 10: hardware[2], 11: 0xff, 12: 0xfe,
		13: hardware[3], 14: hardware[4], 15: hardware[5]})
}

func standsIn(path model.Path) bool {
	var room [8]model.NextHop
	return slices.ContainsFunc(path.NextHops(room[:0]), func(h model.NextHop) bool { return h.Addr == model.StandIn })
}

// dumpStandIns finds the IPv6 next hop that the stand-in means, by link.
func dumpStandIns(namespace netns.NsHandle) (map[int32]netip.Addr, error) {
	var all []neighbor
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		request := nl.NewNetlinkRequest(unix.RTM_GETNEIGH, unix.NLM_F_DUMP)
		header := make([]byte, sizeofNdMsg)
		header[0] = family
		request.AddRawData(header)
		err := rtnetlink.List(namespace, request, func(payload []byte) error {
			n, err := decodeNeighbor(payload)
			if err == nil && n.usable && n.concerns() {
				all = append(all, n)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("cannot list the neighbors: %w", err)
		}
	}
	out := map[int32]netip.Addr{}
	for _, n := range all {
		if n.address != model.StandIn {
			continue
		}
		// The address that the neighbor really uses is better than the one that
		// it would have by its hardware address; the choice must be steady.
		real := netip.Addr{}
		for _, other := range all {
			if other.link == n.link && other.hardware == n.hardware && other.address.Is6() && (!real.IsValid() || other.address.Less(real)) {
				real = other.address
			}
		}
		if !real.IsValid() {
			real = linkLocal(n.hardware)
		}
		out[n.link] = real
	}
	return out, nil
}

// wantsNeighbors reports whether a route has the stand-in: on a node neighbors
// change all the time, so that they are followed only then. The caller holds
// the lock.
func (m *Mirror) wantsNeighbors() bool {
	for t := range m.tables {
		if len(t.routes.standIns) > 0 {
			return true
		}
	}
	return false
}

// listNeighbors finds out what the stand-in means, where that may have changed.
func (m *Mirror) listNeighbors() error {
	m.mu.Lock()
	if !m.wantsNeighbors() || m.neighborsFollowed && !m.neighborsStale {
		m.mu.Unlock()
		return nil
	}
	if !m.neighborsFollowed {
		if err := m.subscription.Join(unix.RTNLGRP_NEIGH); err != nil {
			m.mu.Unlock()
			return err
		}
		m.neighborsFollowed = true
	}
	m.neighborsStale = false
	m.mu.Unlock()
	hops, err := dumpStandIns(m.options.Namespace)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		m.neighborsStale = true
		return err
	}
	if maps.Equal(hops, m.standIns) {
		return nil
	}
	m.standIns = hops
	for t := range m.tables {
		if len(t.routes.standIns) > 0 {
			t.touchAll()
			t.notify()
		}
	}
	return nil
}

func (m *Mirror) neighborEvent(payload []byte) error {
	n, err := decodeNeighbor(payload)
	if err == nil && n.concerns() {
		m.neighborsStale = true
		m.poke()
	}
	return err
}

// real returns a path with the stand-ins' real next hops, as far as they are
// known; the caller holds the lock.
func (m *Mirror) real(path model.Path) model.Path {
	hops := path.NextHops(nil)
	for i := range hops {
		if address, found := m.standIns[hops[i].Link]; found && hops[i].Addr == model.StandIn {
			hops[i].Addr = address
		}
	}
	return model.MakePath(path.Kind(), hops...)
}
