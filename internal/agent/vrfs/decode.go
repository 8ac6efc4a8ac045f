package vrfs

import (
	"encoding/binary"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/rtnetlink"
)

// decodeDevice decodes the payload of RTM_NEWLINK and RTM_DELLINK.
func decodeDevice(b []byte) (Device, error) {
	var d Device
	if len(b) < unix.SizeofIfInfomsg {
		return d, rtnetlink.ErrShort
	}
	d.Index = int32(binary.NativeEndian.Uint32(b[4:]))
	d.Up = binary.NativeEndian.Uint32(b[8:])&unix.IFF_UP != 0
	err := rtnetlink.Attributes(b[unix.SizeofIfInfomsg:], func(kind uint16, value []byte) (err error) {
		switch kind {
		case unix.IFLA_IFNAME:
			d.Name = unix.ByteSliceToString(value)
		case unix.IFLA_IFALIAS:
			d.Alias = unix.ByteSliceToString(value)
		case unix.IFLA_GROUP:
			d.Group, err = rtnetlink.Uint32(value)
		case unix.IFLA_LINKINFO:
			err = d.decodeKind(value)
		}
		return err
	})
	return d, err
}

func (d *Device) decodeKind(b []byte) error {
	return rtnetlink.Attributes(b, func(kind uint16, value []byte) error {
		switch kind {
		case unix.IFLA_INFO_KIND:
			d.Kind = unix.ByteSliceToString(value)
		case unix.IFLA_INFO_DATA:
			// The kind comes before the data.
			if d.Kind != kindVRF {
				return nil
			}
			return rtnetlink.Attributes(value, func(kind uint16, value []byte) (err error) {
				if kind == nl.IFLA_VRF_TABLE {
					d.Table, err = rtnetlink.Uint32(value)
				}
				return err
			})
		}
		return nil
	})
}

// fibRuleUnresolved is set on rules that go to a rule that isn't there.
const fibRuleUnresolved = 0x4

// decodeRule decodes the payload of RTM_NEWRULE and RTM_DELRULE. Whatever it
// does not know makes the rule one that is not plain: it must not be taken for
// a rule of ours.
func decodeRule(b []byte) (Rule, error) {
	if len(b) < unix.SizeofRtMsg {
		return Rule{}, rtnetlink.ErrShort
	}
	length, tos, action, flags := int(b[1]), b[3], b[7], binary.NativeEndian.Uint32(b[8:])
	r := Rule{Table: uint32(b[4]), Plain: action == nl.FR_ACT_TO_TBL && tos == 0 && flags&^(unix.FIB_RULE_PERMANENT|fibRuleUnresolved) == 0}
	err := rtnetlink.Attributes(b[unix.SizeofRtMsg:], func(kind uint16, value []byte) (err error) {
		switch kind {
		case nl.FRA_DST:
			address, ok := netip.AddrFromSlice(value)
			if !ok || length > address.BitLen() {
				return rtnetlink.ErrShort
			}
			r.To = netip.PrefixFrom(address, length)
		case nl.FRA_PRIORITY:
			r.Priority, err = rtnetlink.Uint32(value)
		case nl.FRA_TABLE:
			r.Table, err = rtnetlink.Uint32(value)
		case nl.FRA_PROTOCOL:
			if len(value) < 1 {
				return rtnetlink.ErrShort
			}
			r.Protocol = value[0]
		case nl.FRA_SUPPRESS_PREFIXLEN, nl.FRA_SUPPRESS_IFGROUP:
			// Told even where nothing is suppressed.
			var suppressed uint32
			suppressed, err = rtnetlink.Uint32(value)
			r.Plain = r.Plain && suppressed == ^uint32(0)
		case nl.FRA_PAD:
		default:
			r.Plain = false
		}
		return err
	})
	return r, err
}

// decodeRoute decodes the payload of RTM_NEWROUTE. With a type of service, or a
// source, a route stops only some packets, and is none of those looked for.
func decodeRoute(b []byte, family uint8) (r Route, stopsAll bool, err error) {
	if len(b) < unix.SizeofRtMsg {
		return r, false, rtnetlink.ErrShort
	}
	r = Route{Table: uint32(b[4]), IPv6: b[0] == unix.AF_INET6, Protocol: b[5]}
	cloned := binary.NativeEndian.Uint32(b[8:])&unix.RTM_F_CLONED != 0
	stopsAll = b[0] == family && b[1] == 0 && b[2] == 0 && b[3] == 0 && b[7] == unix.RTN_UNREACHABLE && !cloned
	err = rtnetlink.Attributes(b[unix.SizeofRtMsg:], func(kind uint16, value []byte) (err error) {
		switch kind {
		case unix.RTA_TABLE:
			r.Table, err = rtnetlink.Uint32(value)
		case unix.RTA_PRIORITY:
			r.Metric, err = rtnetlink.Uint32(value)
		}
		return err
	})
	return r, stopsAll && err == nil, err
}
