package kernel

import (
	"encoding/binary"
	"math"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/rtnetlink"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// Link is a network device.
type Link struct {
	Index int32
	Name  string
	// Up is set where the kernel routes out of it.
	Up     bool
	Master int32
	// VRFTable is the routing table of a VRF device, 0 for all others.
	VRFTable uint32
}

const attributeVRFTable = 1 // IFLA_VRF_TABLE

// DecodeLink decodes the payload of RTM_NEWLINK and RTM_DELLINK.
func DecodeLink(b []byte) (Link, error) {
	var l Link
	if len(b) < unix.SizeofIfInfomsg {
		return l, rtnetlink.ErrShort
	}
	l.Index = int32(binary.NativeEndian.Uint32(b[4:]))
	// Losing the carrier makes IPv4 routes vanish or die as going down does,
	// each without a message (fib_sync_down_dev).
	const up = unix.IFF_UP | unix.IFF_RUNNING
	l.Up = binary.NativeEndian.Uint32(b[8:])&up == up
	err := rtnetlink.Attributes(b[unix.SizeofIfInfomsg:], func(kind uint16, value []byte) (err error) {
		switch kind {
		case unix.IFLA_IFNAME:
			l.Name = unix.ByteSliceToString(value)
		case unix.IFLA_MASTER:
			var master uint32
			master, err = rtnetlink.Uint32(value)
			l.Master = int32(master)
		case unix.IFLA_LINKINFO:
			l.VRFTable, err = decodeVRF(value)
		}
		return err
	})
	return l, err
}

func decodeVRF(b []byte) (table uint32, err error) {
	kind := ""
	err = rtnetlink.Attributes(b, func(attribute uint16, value []byte) error {
		switch attribute {
		case unix.IFLA_INFO_KIND:
			kind = unix.ByteSliceToString(value)
		case unix.IFLA_INFO_DATA:
			// The kind comes before the data.
			if kind != "vrf" {
				return nil
			}
			return rtnetlink.Attributes(value, func(attribute uint16, value []byte) (err error) {
				if attribute == attributeVRFTable {
					table, err = rtnetlink.Uint32(value)
				}
				return err
			})
		}
		return nil
	})
	return table, err
}

// nexthop is a nexthop object.
type nexthop struct {
	id        uint32
	hop       model.NextHop
	blackhole bool
	group     []member
}

// member is a nexthop object in a group.
type member struct {
	id     uint32
	weight uint8
}

// decodeNexthop decodes the payload of RTM_NEWNEXTHOP and RTM_DELNEXTHOP.
func decodeNexthop(b []byte) (nexthop, error) {
	var n nexthop
	if len(b) < unix.SizeofNhmsg {
		return n, rtnetlink.ErrShort
	}
	n.hop.Dead = binary.NativeEndian.Uint32(b[4:])&unix.RTNH_F_DEAD != 0
	err := rtnetlink.Attributes(b[unix.SizeofNhmsg:], func(kind uint16, value []byte) (err error) {
		switch kind {
		case unix.NHA_ID:
			n.id, err = rtnetlink.Uint32(value)
		case unix.NHA_OIF:
			var link uint32
			link, err = rtnetlink.Uint32(value)
			n.hop.Link = int32(link)
		case unix.NHA_GATEWAY:
			n.hop.Addr, err = rtnetlink.Address(value)
		case unix.NHA_BLACKHOLE:
			n.blackhole = true
		case unix.NHA_GROUP:
			// struct nexthop_grp: ID, one less than the weight, and three bytes more.
			for ; len(value) >= 8; value = value[8:] {
				m := member{id: binary.NativeEndian.Uint32(value)}
				if value[4] > 0 {
					m.weight = uint8(min(int(value[4])+1, math.MaxUint8))
				}
				n.group = append(n.group, m)
			}
		}
		return err
	})
	return n, err
}

// resolve returns the path that a nexthop object stands for.
func resolve(nexthops map[uint32]nexthop, id uint32) model.Path {
	n, found := nexthops[id]
	switch {
	case !found:
		return model.MakePath(model.PathUnicast)
	case n.blackhole:
		return model.MakePath(model.PathDiscard)
	case len(n.group) == 0:
		return model.MakePath(model.PathUnicast, n.hop)
	}
	var list []model.NextHop
	for _, member := range n.group {
		m, found := nexthops[member.id]
		if found && m.blackhole {
			// A group has a blackhole as its only member or not at all.
			return model.MakePath(model.PathDiscard)
		}
		if found {
			hop := m.hop
			hop.Weight = member.weight
			list = append(list, hop)
		}
	}
	return model.MakePath(model.PathUnicast, list...)
}

// withoutHops returns path without the next hops of gone, dead or not, and
// how many were removed.
func withoutHops(path, gone model.Path) (model.Path, int) {
	same := func(a, b model.NextHop) bool { return a.Addr == b.Addr && a.Link == b.Link }
	leaving := gone.NextHops(nil)
	before := path.NextHops(nil)
	after := slices.DeleteFunc(slices.Clone(before), func(h model.NextHop) bool {
		return slices.ContainsFunc(leaving, func(l model.NextHop) bool { return same(h, l) })
	})
	return model.MakePath(model.PathUnicast, after...), len(before) - len(after)
}

// sameHops compares paths without regard to which next hops are dead, or how
// they are weighted.
func sameHops(a, b model.Path) bool {
	if a == b {
		return true
	}
	if a.Kind() != b.Kind() {
		return false
	}
	key := func(h model.NextHop) model.NextHop { h.Dead, h.Weight = false, 0; return h }
	alive := func(p model.Path) model.Path {
		list := p.NextHops(nil)
		for i := range list {
			list[i] = key(list[i])
		}
		return model.MakePath(p.Kind(), list...)
	}
	return alive(a) == alive(b)
}

func isIPv4(p netip.Prefix) bool { return p.Addr().Is4() }
