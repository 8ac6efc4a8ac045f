package kernel

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/rtnetlink"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// ProtocolBGP is the routing protocol number of BGP, RTPROT_BGP.
const ProtocolBGP = 186

const (
	attributeVia       = 18 // RTA_VIA
	attributeEncap     = 22 // RTA_ENCAP
	attributeNexthopID = 30 // RTA_NH_ID
)

// Route is a route as a netlink message describes it.
type Route struct {
	Table    uint32
	Prefix   netip.Prefix
	Metric   uint32
	TOS      uint8
	Protocol uint8
	// Source is set where the route is for packets from there only.
	Source netip.Prefix
	// NexthopID is the nexthop object that the route uses, 0 for none.
	NexthopID uint32
	Path      model.Path
	// Unresolved is set where the message names the nexthop object only, as it
	// does with the sysctl nexthop_compat_mode=0.
	Unresolved bool
	// Cloned marks entries of the routing cache.
	Cloned bool
}

// tableOf returns a route message's table and protocol without decoding the rest:
// most messages on a node are for tables that are not watched.
func tableOf(b []byte) (table uint32, protocol uint8, err error) {
	if len(b) < unix.SizeofRtMsg {
		return 0, 0, rtnetlink.ErrShort
	}
	table, protocol = uint32(b[4]), b[5]
	err = rtnetlink.Attributes(b[unix.SizeofRtMsg:], func(kind uint16, value []byte) (err error) {
		if kind == unix.RTA_TABLE {
			table, err = rtnetlink.Uint32(value)
		}
		return err
	})
	return table, protocol, err
}

// hopsRoom is used again for the next route: there are a hundred thousand.
var hopsRoom = sync.Pool{New: func() any { return &hops{} }}

// hops collects the next hops of one route.
type hops struct {
	list []model.NextHop
	// encap is set where packets would have to be encapsulated on the way.
	encap bool
}

// DecodeRoute decodes the payload of RTM_NEWROUTE and RTM_DELROUTE.
func DecodeRoute(b []byte) (Route, error) {
	var r Route
	if len(b) < unix.SizeofRtMsg {
		return r, rtnetlink.ErrShort
	}
	family, length, sourceLength := b[0], int(b[1]), int(b[2])
	r.TOS, r.Table, r.Protocol = b[3], uint32(b[4]), b[5]
	kind := b[7]
	flags := binary.NativeEndian.Uint32(b[8:])
	r.Cloned = flags&unix.RTM_F_CLONED != 0

	var destination, source netip.Addr
	switch family {
	case unix.AF_INET:
		destination = netip.IPv4Unspecified()
	case unix.AF_INET6:
		destination = netip.IPv6Unspecified()
	default:
		return r, fmt.Errorf("a route of family %d", family)
	}
	collected := hopsRoom.Get().(*hops)
	defer hopsRoom.Put(collected)
	collected.list, collected.encap = collected.list[:0], false
	single := model.NextHop{Dead: flags&unix.RTNH_F_DEAD != 0}
	err := rtnetlink.Attributes(b[unix.SizeofRtMsg:], func(kind uint16, value []byte) (err error) {
		switch kind {
		case unix.RTA_DST:
			bits := destination.BitLen()
			if len(value)*8 != bits {
				return fmt.Errorf("a destination of %d bytes", len(value))
			}
			destination, _ = netip.AddrFromSlice(value)
		case unix.RTA_SRC:
			source, err = rtnetlink.Address(value)
		case unix.RTA_TABLE:
			r.Table, err = rtnetlink.Uint32(value)
		case unix.RTA_PRIORITY:
			r.Metric, err = rtnetlink.Uint32(value)
		case attributeNexthopID:
			r.NexthopID, err = rtnetlink.Uint32(value)
		case unix.RTA_MULTIPATH:
			err = collected.multipath(value)
		default:
			err = collected.attribute(&single, kind, value)
		}
		return err
	})
	if err != nil {
		return r, err
	}
	r.Prefix, err = destination.Prefix(length)
	if err != nil {
		return r, err
	}
	// It is invalid without one.
	r.Source, _ = source.Prefix(sourceLength)
	if single.Addr.IsValid() || single.Link != 0 {
		collected.list = append(collected.list, single)
	}
	r.Path = collected.path(kind)
	r.Unresolved = kind == unix.RTN_UNICAST && r.NexthopID != 0 && len(collected.list) == 0
	return r, nil
}

// attribute reads an attribute of a next hop.
func (h *hops) attribute(hop *model.NextHop, kind uint16, value []byte) (err error) {
	switch kind {
	case unix.RTA_OIF:
		var link uint32
		link, err = rtnetlink.Uint32(value)
		hop.Link = int32(link)
	case unix.RTA_GATEWAY:
		hop.Addr, err = rtnetlink.Address(value)
	case attributeVia:
		// An IPv4 route with an IPv6 next hop (RFC 8950): family, address.
		if len(value) < 2 {
			return rtnetlink.ErrShort
		}
		hop.Addr, err = rtnetlink.Address(value[2:])
	case attributeEncap:
		h.encap = true
	}
	return err
}

func (h *hops) multipath(b []byte) error {
	for len(b) >= unix.SizeofRtNexthop {
		length := int(binary.NativeEndian.Uint16(b))
		if length < unix.SizeofRtNexthop || length > len(b) {
			return fmt.Errorf("a next hop of %d bytes: %w", length, rtnetlink.ErrShort)
		}
		hop := model.NextHop{
			Link: int32(binary.NativeEndian.Uint32(b[4:])),
			Dead: b[2]&unix.RTNH_F_DEAD != 0,
		}
		// rtnh_hops is one less than the weight.
		if b[3] > 0 {
			hop.Weight = uint8(min(int(b[3])+1, math.MaxUint8))
		}
		err := rtnetlink.Attributes(b[unix.SizeofRtNexthop:length], func(kind uint16, value []byte) error {
			return h.attribute(&hop, kind, value)
		})
		if err != nil {
			return err
		}
		h.list = append(h.list, hop)
		b = b[min(len(b), (length+unix.RTA_ALIGNTO-1)&^(unix.RTA_ALIGNTO-1)):]
	}
	return nil
}

func (h *hops) path(kind uint8) model.Path {
	switch kind {
	case unix.RTN_UNICAST:
		if h.encap {
			return model.MakePath(model.PathOther)
		}
		return model.MakePath(model.PathUnicast, h.list...)
	case unix.RTN_BLACKHOLE, unix.RTN_UNREACHABLE, unix.RTN_PROHIBIT:
		return model.MakePath(model.PathDiscard)
	default:
		return model.MakePath(model.PathOther)
	}
}
