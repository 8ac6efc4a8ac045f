package vrfs

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

var errShort = errors.New("a netlink message ends too early")

// attributes calls each attribute of a message. The netlink library's parser
// trusts the last attribute's padding to be there, and panics where it isn't.
func attributes(b []byte, each func(kind uint16, value []byte) error) error {
	const kinds = ^uint16(unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER)
	for len(b) >= unix.SizeofRtAttr {
		length := int(binary.NativeEndian.Uint16(b))
		if length < unix.SizeofRtAttr || length > len(b) {
			return errShort
		}
		if err := each(binary.NativeEndian.Uint16(b[2:])&kinds, b[unix.SizeofRtAttr:length]); err != nil {
			return err
		}
		b = b[min(len(b), (length+unix.RTA_ALIGNTO-1)&^(unix.RTA_ALIGNTO-1)):]
	}
	return nil
}

func number(value []byte) (uint32, error) {
	if len(value) < 4 {
		return 0, errShort
	}
	return binary.NativeEndian.Uint32(value), nil
}

// decodeDevice decodes the payload of RTM_NEWLINK and RTM_DELLINK.
func decodeDevice(b []byte) (Device, error) {
	var d Device
	if len(b) < unix.SizeofIfInfomsg {
		return d, errShort
	}
	d.Index = int32(binary.NativeEndian.Uint32(b[4:]))
	d.Up = binary.NativeEndian.Uint32(b[8:])&unix.IFF_UP != 0
	err := attributes(b[unix.SizeofIfInfomsg:], func(kind uint16, value []byte) (err error) {
		switch kind {
		case unix.IFLA_IFNAME:
			d.Name = unix.ByteSliceToString(value)
		case unix.IFLA_IFALIAS:
			d.Alias = unix.ByteSliceToString(value)
		case unix.IFLA_GROUP:
			d.Group, err = number(value)
		case unix.IFLA_LINKINFO:
			err = d.decodeKind(value)
		}
		return err
	})
	return d, err
}

func (d *Device) decodeKind(b []byte) error {
	return attributes(b, func(kind uint16, value []byte) error {
		switch kind {
		case unix.IFLA_INFO_KIND:
			d.Kind = unix.ByteSliceToString(value)
		case unix.IFLA_INFO_DATA:
			// The kind comes before the data.
			if d.Kind != kindVRF {
				return nil
			}
			return attributes(value, func(kind uint16, value []byte) (err error) {
				if kind == nl.IFLA_VRF_TABLE {
					d.Table, err = number(value)
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
		return Rule{}, errShort
	}
	length, tos, action, flags := int(b[1]), b[3], b[7], binary.NativeEndian.Uint32(b[8:])
	r := Rule{Table: uint32(b[4]), Plain: action == nl.FR_ACT_TO_TBL && tos == 0 && flags&^(unix.FIB_RULE_PERMANENT|fibRuleUnresolved) == 0}
	err := attributes(b[unix.SizeofRtMsg:], func(kind uint16, value []byte) (err error) {
		switch kind {
		case nl.FRA_DST:
			address, ok := netip.AddrFromSlice(value)
			if !ok || length > address.BitLen() {
				return errShort
			}
			r.To = netip.PrefixFrom(address, length)
		case nl.FRA_PRIORITY:
			r.Priority, err = number(value)
		case nl.FRA_TABLE:
			r.Table, err = number(value)
		case nl.FRA_PROTOCOL:
			if len(value) < 1 {
				return errShort
			}
			r.Protocol = value[0]
		case nl.FRA_SUPPRESS_PREFIXLEN, nl.FRA_SUPPRESS_IFGROUP:
			// Told even where nothing is suppressed.
			var suppressed uint32
			suppressed, err = number(value)
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
		return r, false, errShort
	}
	r = Route{Table: uint32(b[4]), IPv6: b[0] == unix.AF_INET6, Protocol: b[5]}
	cloned := binary.NativeEndian.Uint32(b[8:])&unix.RTM_F_CLONED != 0
	stopsAll = b[0] == family && b[1] == 0 && b[2] == 0 && b[3] == 0 && b[7] == unix.RTN_UNREACHABLE && !cloned
	err = attributes(b[unix.SizeofRtMsg:], func(kind uint16, value []byte) (err error) {
		switch kind {
		case unix.RTA_TABLE:
			r.Table, err = number(value)
		case unix.RTA_PRIORITY:
			r.Metric, err = number(value)
		}
		return err
	})
	return r, stopsAll && err == nil, err
}
