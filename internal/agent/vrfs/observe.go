package vrfs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// attempts is how often a listing that was interrupted is begun again.
const attempts = 10

// Observe reads what Plan needs to know. An error means that nothing is known.
func Observe(namespace netns.NsHandle) (*Observed, error) {
	out := &Observed{}
	links := nl.NewNetlinkRequest(unix.RTM_GETLINK, unix.NLM_F_DUMP)
	links.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	const skipStatistics = 1 << 3 // RTEXT_FILTER_SKIP_STATS
	links.AddData(nl.NewRtAttr(unix.IFLA_EXT_MASK, binary.NativeEndian.AppendUint32(nil, skipStatistics)))
	err := list(namespace, links, func(payload []byte) error {
		d, err := decodeDevice(payload)
		out.Devices = append(out.Devices, d)
		return err
	}, func() { out.Devices = nil })
	if err != nil {
		return nil, fmt.Errorf("cannot list the devices: %w", err)
	}
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		err := out.readFamily(namespace, family)
		if family == unix.AF_INET6 && errors.Is(err, syscall.EAFNOSUPPORT) {
			out.WithoutIPv6 = true
			continue
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (o *Observed) readFamily(namespace netns.NsHandle, family uint8) error {
	request := nl.NewNetlinkRequest(unix.RTM_GETRULE, unix.NLM_F_DUMP)
	request.AddData(familyHeader(family))
	before := len(o.Rules)
	err := list(namespace, request, func(payload []byte) error {
		r, err := decodeRule(payload)
		o.Rules = append(o.Rules, r)
		return err
	}, func() { o.Rules = o.Rules[:before] })
	if err != nil {
		return fmt.Errorf("cannot list the ip rules: %w", err)
	}
	request = nl.NewNetlinkRequest(unix.RTM_GETROUTE, unix.NLM_F_DUMP)
	header := familyHeader(family)
	// Tables may have a full BGP feed: the kernel is to pick these few.
	header.Type = unix.RTN_UNREACHABLE
	request.AddData(header)
	before = len(o.Routes)
	err = list(namespace, request, func(payload []byte) error {
		r, isDefault, err := decodeRoute(payload, family)
		if isDefault {
			o.Routes = append(o.Routes, r)
		}
		return err
	}, func() { o.Routes = o.Routes[:before] })
	if err != nil {
		return fmt.Errorf("cannot list the unreachable routes: %w", err)
	}
	return nil
}

// familyHeader asks for everything of a family. The headers of rules and
// routes are laid out alike.
func familyHeader(family uint8) *nl.RtMsg {
	header := &nl.RtMsg{}
	header.Family = family
	return header
}

// list calls each message of a listing, and undo before it is begun anew.
func list(namespace netns.NsHandle, request *nl.NetlinkRequest, each func([]byte) error, undo func()) error {
	s, err := nl.GetNetlinkSocketAt(orOwn(namespace), netns.None(), unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("cannot open a netlink socket: %w", err)
	}
	defer func() { _ = s.Close() }()
	// Without strict checking the kernel ignores the filter.
	if err := unix.SetsockoptInt(s.GetFd(), unix.SOL_NETLINK, unix.NETLINK_GET_STRICT_CHK, 1); err != nil {
		return fmt.Errorf("the kernel can't filter listings (Linux 4.20 or newer is needed): %w", err)
	}
	if err := s.SetReceiveTimeout(&unix.Timeval{Sec: 60}); err != nil {
		return err
	}
	request.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: {Socket: s}}
	for attempt := 1; ; attempt++ {
		var failure error
		err := request.ExecuteIter(unix.NETLINK_ROUTE, 0, func(payload []byte) bool {
			failure = each(payload)
			return failure == nil
		})
		if failure != nil {
			return failure
		}
		if attempt == attempts || !errors.Is(err, netlink.ErrDumpInterrupted) {
			return err
		}
		undo()
	}
}

// orOwn lets the zero value stand for the process's own namespace.
func orOwn(namespace netns.NsHandle) netns.NsHandle {
	if namespace <= 0 {
		return netns.None()
	}
	return namespace
}

var errShort = errors.New("a netlink message ends too early")

func decodeDevice(b []byte) (Device, error) {
	var d Device
	if len(b) < unix.SizeofIfInfomsg {
		return d, errShort
	}
	d.Index = int32(binary.NativeEndian.Uint32(b[4:]))
	d.Up = binary.NativeEndian.Uint32(b[8:])&unix.IFF_UP != 0
	attributes, err := nl.ParseRouteAttrAsMap(b[unix.SizeofIfInfomsg:])
	if err != nil {
		return d, err
	}
	d.Name = unix.ByteSliceToString(attributes[unix.IFLA_IFNAME].Value)
	d.Alias = unix.ByteSliceToString(attributes[unix.IFLA_IFALIAS].Value)
	d.Group = number(attributes[unix.IFLA_GROUP].Value)
	kind, err := nl.ParseRouteAttrAsMap(attributes[unix.IFLA_LINKINFO].Value)
	if err != nil {
		return d, err
	}
	d.Kind = unix.ByteSliceToString(kind[unix.IFLA_INFO_KIND].Value)
	if d.Kind == kindVRF {
		vrf, err := nl.ParseRouteAttrAsMap(kind[unix.IFLA_INFO_DATA].Value)
		if err != nil {
			return d, err
		}
		d.Table = number(vrf[nl.IFLA_VRF_TABLE].Value)
	}
	return d, nil
}

func number(value []byte) uint32 {
	if len(value) < 4 {
		return 0
	}
	return binary.NativeEndian.Uint32(value)
}

// decodeRule reads a rule. Whatever it does not know makes the rule one that
// is not plain: it must not be taken for a rule of ours.
func decodeRule(b []byte) (Rule, error) {
	if len(b) < unix.SizeofRtMsg {
		return Rule{}, errShort
	}
	length, tos, action, flags := int(b[1]), b[3], b[7], binary.NativeEndian.Uint32(b[8:])
	r := Rule{Table: uint32(b[4]), Plain: action == nl.FR_ACT_TO_TBL && tos == 0 && flags&^(unix.FIB_RULE_PERMANENT|fibRuleUnresolved) == 0}
	attributes, err := nl.ParseRouteAttr(b[unix.SizeofRtMsg:])
	if err != nil {
		return r, err
	}
	for _, a := range attributes {
		switch a.Attr.Type & ^uint16(unix.NLA_F_NESTED|unix.NLA_F_NET_BYTEORDER) {
		case nl.FRA_DST:
			address, ok := netip.AddrFromSlice(a.Value)
			if !ok {
				return r, errShort
			}
			r.To = netip.PrefixFrom(address, length)
		case nl.FRA_PRIORITY:
			r.Priority = number(a.Value)
		case nl.FRA_TABLE:
			r.Table = number(a.Value)
		case nl.FRA_PROTOCOL:
			if len(a.Value) > 0 {
				r.Protocol = a.Value[0]
			}
		case nl.FRA_SUPPRESS_PREFIXLEN, nl.FRA_SUPPRESS_IFGROUP:
			// Told even where nothing is suppressed.
			r.Plain = r.Plain && number(a.Value) == ^uint32(0)
		case nl.FRA_PAD:
		default:
			r.Plain = false
		}
	}
	return r, nil
}

// fibRuleUnresolved is set on rules that go to a rule that isn't there.
const fibRuleUnresolved = 0x4

func decodeRoute(b []byte, family uint8) (r Route, isDefault bool, err error) {
	if len(b) < unix.SizeofRtMsg {
		return r, false, errShort
	}
	r = Route{Table: uint32(b[4]), IPv6: b[0] == unix.AF_INET6, Protocol: b[5]}
	cloned := binary.NativeEndian.Uint32(b[8:])&unix.RTM_F_CLONED != 0
	// With a type of service, or a source, it stops only some packets.
	isDefault = b[0] == family && b[1] == 0 && b[2] == 0 && b[3] == 0 && b[7] == unix.RTN_UNREACHABLE && !cloned
	attributes, err := nl.ParseRouteAttrAsMap(b[unix.SizeofRtMsg:])
	if err != nil {
		return r, false, err
	}
	if table, found := attributes[unix.RTA_TABLE]; found {
		r.Table = number(table.Value)
	}
	r.Metric = number(attributes[unix.RTA_PRIORITY].Value)
	return r, isDefault, nil
}
