package evpn

import (
	"encoding/binary"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// The messages are made here rather than by the netlink library, which asks for a device's
// index by its name after it made one, and takes a request for each of its settings.

const (
	create = unix.NLM_F_ACK | unix.NLM_F_CREATE | unix.NLM_F_EXCL
	modify = unix.NLM_F_ACK
	ensure = unix.NLM_F_ACK | unix.NLM_F_CREATE | unix.NLM_F_REPLACE
)

// linkRequest changes a device, or makes one. A device is known by its index, or by its
// name where that is 0.
func linkRequest(flags int, name string, index int32, attributes ...*nl.RtAttr) *nl.NetlinkRequest {
	request := nl.NewNetlinkRequest(unix.RTM_NEWLINK, flags)
	header := nl.NewIfInfomsg(unix.AF_UNSPEC)
	header.Index = index
	request.AddData(header)
	if index == 0 {
		request.AddData(nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(name)))
	}
	for _, a := range attributes {
		request.AddData(a)
	}
	return request
}

// upRequest sets a device up.
func upRequest(name string, index int32, attributes ...*nl.RtAttr) *nl.NetlinkRequest {
	request := linkRequest(modify, name, index, attributes...)
	header := request.Data[0].(*nl.IfInfomsg)
	header.Flags, header.Change = unix.IFF_UP, unix.IFF_UP
	return request
}

func deleteLinkRequest(index int32) *nl.NetlinkRequest {
	request := nl.NewNetlinkRequest(unix.RTM_DELLINK, unix.NLM_F_ACK)
	header := nl.NewIfInfomsg(unix.AF_UNSPEC)
	header.Index = index
	request.AddData(header)
	return request
}

// indexRequest asks for a device by its name.
func indexRequest(name string) *nl.NetlinkRequest {
	request := linkRequest(0, name, 0)
	request.Type = unix.RTM_GETLINK
	return request
}

func number(kind int, n uint32) *nl.RtAttr { return nl.NewRtAttr(kind, nl.Uint32Attr(n)) }

func deviceOf(kind int, index int32) *nl.RtAttr { return number(kind, uint32(index)) } //nolint:gosec // indexes are positive

// settings are what only devices of a kind have.
func settings(kind string, of ...*nl.RtAttr) *nl.RtAttr {
	info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	info.AddRtAttr(nl.IFLA_INFO_KIND, nl.NonZeroTerminated(kind))
	data := info.AddRtAttr(nl.IFLA_INFO_DATA, nil)
	for _, a := range of {
		data.AddChild(a)
	}
	return info
}

func toggle(kind int, on bool) *nl.RtAttr {
	if on {
		return nl.NewRtAttr(kind, []byte{1})
	}
	return nl.NewRtAttr(kind, []byte{0})
}

// filtersVLANs are a bridge's settings.
func filtersVLANs() *nl.RtAttr {
	return settings(kindBridge, toggle(nl.IFLA_BR_VLAN_FILTERING, true), nl.NewRtAttr(nl.IFLA_BR_VLAN_DEFAULT_PVID, nl.Uint16Attr(0)))
}

func localAddress(a netip.Addr) *nl.RtAttr { return nl.NewRtAttr(nl.IFLA_VXLAN_LOCAL, a.AsSlice()) }

// noIPv6 has the kernel make no IPv6 addresses for a device.
func noIPv6() *nl.RtAttr {
	all := nl.NewRtAttr(unix.IFLA_AF_SPEC, nil)
	all.AddRtAttr(unix.AF_INET6, nl.NewRtAttr(unix.IFLA_INET6_ADDR_GEN_MODE, []byte{addrGenModeNone}).Serialize())
	return all
}

// bridgeRequest is about a bridge's VLANs, or a port's.
func bridgeRequest(kind int, index int32, attributes ...*nl.RtAttr) *nl.NetlinkRequest {
	request := nl.NewNetlinkRequest(kind, unix.NLM_F_ACK)
	header := nl.NewIfInfomsg(unix.AF_BRIDGE)
	header.Index = index
	request.AddData(header)
	for _, a := range attributes {
		request.AddData(a)
	}
	return request
}

// vlans are the VLANs of a port, or with self those of the bridge.
func vlans(self bool, of ...*nl.RtAttr) *nl.RtAttr {
	all := nl.NewRtAttr(unix.IFLA_AF_SPEC, nil)
	flags := uint16(nl.BRIDGE_FLAGS_MASTER)
	if self {
		flags = nl.BRIDGE_FLAGS_SELF
	}
	all.AddRtAttr(nl.IFLA_BRIDGE_FLAGS, nl.Uint16Attr(flags))
	for _, a := range of {
		all.AddChild(a)
	}
	return all
}

func vlan(vid uint16, flags uint16) *nl.RtAttr {
	return nl.NewRtAttr(nl.IFLA_BRIDGE_VLAN_INFO, (&nl.BridgeVlanInfo{Vid: vid, Flags: flags}).Serialize())
}

func tunnel(vid uint16, vni uint32, flags uint16) *nl.RtAttr {
	info := nl.NewRtAttr(nl.IFLA_BRIDGE_VLAN_TUNNEL_INFO, nil)
	info.AddRtAttr(nl.IFLA_BRIDGE_VLAN_TUNNEL_ID, nl.Uint32Attr(vni))
	info.AddRtAttr(nl.IFLA_BRIDGE_VLAN_TUNNEL_VID, nl.Uint16Attr(vid))
	info.AddRtAttr(nl.IFLA_BRIDGE_VLAN_TUNNEL_FLAGS, nl.Uint16Attr(flags))
	return info
}

// filterRequest is about VNIs of a VXLAN device's filter, from the first to the last.
func filterRequest(kind int, index int32, first, last uint32) *nl.NetlinkRequest {
	request := nl.NewNetlinkRequest(kind, unix.NLM_F_ACK)
	request.AddData(nl.NewTunnelMsg(unix.AF_BRIDGE, int(index)))
	entry := nl.NewRtAttr(unix.NLA_F_NESTED|nl.VXLAN_VNIFILTER_ENTRY, nil)
	entry.AddChild(number(nl.VXLAN_VNIFILTER_ENTRY_START, first))
	if last > first {
		entry.AddChild(number(nl.VXLAN_VNIFILTER_ENTRY_END, last))
	}
	request.AddData(entry)
	return request
}

// portSettings are a bridge's about a port.
func portSettings(p Port) *nl.RtAttr {
	all := nl.NewRtAttr(unix.IFLA_PROTINFO|unix.NLA_F_NESTED, nil)
	all.AddChild(toggle(nl.IFLA_BRPORT_LEARNING, p.Learning))
	all.AddChild(toggle(nl.IFLA_BRPORT_VLAN_TUNNEL, p.VLANTunnel))
	all.AddChild(toggle(nl.IFLA_BRPORT_NEIGH_SUPPRESS, p.NeighSuppress))
	all.AddChild(toggle(nl.IFLA_BRPORT_ISOLATED, p.Isolated))
	return all
}

// neighborRequest is about an entry of a neighbor table or of a bridge's forwarding table.
func neighborRequest(kind, flags int, family uint8, index int32, state uint16, entry uint8, attributes ...*nl.RtAttr) *nl.NetlinkRequest {
	request := nl.NewNetlinkRequest(kind, flags)
	header := make([]byte, sizeofNdMsg)
	header[0], header[10] = family, entry
	binary.NativeEndian.PutUint32(header[4:], uint32(index)) //nolint:gosec // indexes are positive
	binary.NativeEndian.PutUint16(header[8:], state)
	for _, a := range attributes {
		header = append(header, a.Serialize()...)
	}
	request.AddRawData(header)
	return request
}

func (m MAC) attribute() *nl.RtAttr { return nl.NewRtAttr(unix.NDA_LLADDR, m[:]) }

// forwardingRequest is about a MAC address behind a port.
func forwardingRequest(kind, flags int, port int32, vid uint16, mac MAC, state uint16) *nl.NetlinkRequest {
	return neighborRequest(kind, flags, unix.AF_BRIDGE, port, state, unix.NTF_MASTER, mac.attribute(), nl.NewRtAttr(unix.NDA_VLAN, nl.Uint16Attr(vid)))
}

func familyOf(a netip.Addr) uint8 {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// addressRequest is about an IP address behind a device.
func addressRequest(kind, flags int, device int32, a netip.Addr, state uint16, more ...*nl.RtAttr) *nl.NetlinkRequest {
	return neighborRequest(kind, flags, familyOf(a), device, state, 0, append(more, nl.NewRtAttr(unix.NDA_DST, a.AsSlice()))...)
}
