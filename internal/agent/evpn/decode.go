package evpn

import (
	"encoding/binary"
	"net"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/rtnetlink"
)

// addrGenModeNone is IN6_ADDR_GEN_MODE_NONE.
const addrGenModeNone = 1

// decodeDevice decodes the payload of RTM_NEWLINK and RTM_DELLINK, bridges' own
// messages about their ports among them.
func decodeDevice(b []byte) (Device, error) {
	var d Device
	if len(b) < unix.SizeofIfInfomsg {
		return d, rtnetlink.ErrShort
	}
	flags := binary.NativeEndian.Uint32(b[8:])
	d.Index = int32(binary.NativeEndian.Uint32(b[4:]))
	d.Up, d.Loopback = flags&unix.IFF_UP != 0, flags&unix.IFF_LOOPBACK != 0
	err := rtnetlink.Attributes(b[unix.SizeofIfInfomsg:], func(kind uint16, value []byte) (err error) {
		switch kind {
		case unix.IFLA_IFNAME:
			d.Name = unix.ByteSliceToString(value)
		case unix.IFLA_IFALIAS:
			d.Alias = unix.ByteSliceToString(value)
		case unix.IFLA_GROUP:
			d.Group, err = rtnetlink.Uint32(value)
		case unix.IFLA_AF_SPEC:
			// Bridges' messages about ports have VLANs there.
			if b[0] == unix.AF_UNSPEC {
				err = d.decodeIPv6(value)
			}
		case unix.IFLA_ADDRESS:
			d.MAC = net.HardwareAddr(value).String()
		case unix.IFLA_MTU:
			d.MTU, err = rtnetlink.Uint32(value)
		case unix.IFLA_LINK:
			d.Parent, err = index(value)
		case unix.IFLA_MASTER:
			d.Master, err = index(value)
		case unix.IFLA_LINKINFO:
			err = d.decodeKind(value)
		}
		return err
	})
	return d, err
}

// decodeIPv6 reads how the kernel makes IPv6 addresses.
func (d *Device) decodeIPv6(b []byte) error {
	return rtnetlink.Attributes(b, func(family uint16, value []byte) error {
		if family != unix.AF_INET6 {
			return nil
		}
		return rtnetlink.Attributes(value, func(kind uint16, value []byte) error {
			if kind == unix.IFLA_INET6_ADDR_GEN_MODE && len(value) > 0 {
				d.LinkLocal = value[0] != addrGenModeNone
			}
			return nil
		})
	})
}

func index(value []byte) (int32, error) {
	n, err := rtnetlink.Uint32(value)
	return int32(n), err
}

func uint16Of(value []byte) (uint16, error) {
	if len(value) < 2 {
		return 0, rtnetlink.ErrShort
	}
	return binary.NativeEndian.Uint16(value), nil
}

func set(value []byte) bool { return len(value) > 0 && value[0] != 0 }

// decodeKind reads what only devices of a kind have. Kinds come before their data.
func (d *Device) decodeKind(b []byte) error {
	portOf := ""
	return rtnetlink.Attributes(b, func(kind uint16, value []byte) error {
		switch kind {
		case unix.IFLA_INFO_KIND:
			d.Kind = unix.ByteSliceToString(value)
		case unix.IFLA_INFO_SLAVE_KIND:
			portOf = unix.ByteSliceToString(value)
		case unix.IFLA_INFO_DATA:
			return rtnetlink.Attributes(value, d.decodeSetting)
		case unix.IFLA_INFO_SLAVE_DATA:
			if portOf == kindBridge {
				return rtnetlink.Attributes(value, d.Port.decodeSetting)
			}
		}
		return nil
	})
}

func (d *Device) decodeSetting(kind uint16, value []byte) (err error) {
	switch d.Kind {
	case kindBridge:
		switch kind {
		case nl.IFLA_BR_VLAN_FILTERING:
			d.Bridge.VLANFiltering = set(value)
		case nl.IFLA_BR_VLAN_DEFAULT_PVID:
			d.Bridge.DefaultPVID, err = uint16Of(value)
		}
	case kindVLAN:
		if kind == nl.IFLA_VLAN_ID {
			d.VID, err = uint16Of(value)
		}
	case kindVXLAN:
		switch kind {
		case nl.IFLA_VXLAN_FLOWBASED:
			d.VXLAN.External = set(value)
		case nl.IFLA_VXLAN_VNIFILTER:
			d.VXLAN.VNIFilter = set(value)
		case nl.IFLA_VXLAN_LOCAL, nl.IFLA_VXLAN_LOCAL6:
			d.VXLAN.Local, err = rtnetlink.Address(value)
		case nl.IFLA_VXLAN_PORT:
			if len(value) < 2 {
				return rtnetlink.ErrShort
			}
			d.VXLAN.UDPPort = binary.BigEndian.Uint16(value)
		}
	}
	return err
}

func (p *Port) decodeSetting(kind uint16, value []byte) error {
	switch kind {
	case nl.IFLA_BRPORT_LEARNING:
		p.Learning = set(value)
	case nl.IFLA_BRPORT_VLAN_TUNNEL:
		p.VLANTunnel = set(value)
	case nl.IFLA_BRPORT_NEIGH_SUPPRESS:
		p.NeighSuppress = set(value)
	case nl.IFLA_BRPORT_ISOLATED:
		p.Isolated = set(value)
	}
	return nil
}

// decodeVLANs decodes what a bridge tells of its own VLANs, or of a port's.
func (o *Observed) decodeVLANs(b []byte) error {
	if len(b) < unix.SizeofIfInfomsg {
		return rtnetlink.ErrShort
	}
	device := int32(binary.NativeEndian.Uint32(b[4:]))
	return rtnetlink.Attributes(b[unix.SizeofIfInfomsg:], func(kind uint16, value []byte) error {
		if kind != unix.IFLA_AF_SPEC {
			return nil
		}
		var vlans, tunnels ranges
		return rtnetlink.Attributes(value, func(kind uint16, value []byte) error {
			switch kind {
			case nl.IFLA_BRIDGE_VLAN_INFO:
				if len(value) < 4 {
					return rtnetlink.ErrShort
				}
				flags := binary.NativeEndian.Uint16(value)
				vlans.add(binary.NativeEndian.Uint16(value[2:]), 0, flags, func(vid uint16, _ uint32) {
					o.VLANs[PortVLAN{device, vid}] = VLAN{PVID: flags&nl.BRIDGE_VLAN_INFO_PVID != 0, Untagged: flags&nl.BRIDGE_VLAN_INFO_UNTAGGED != 0}
				})
			case nl.IFLA_BRIDGE_VLAN_TUNNEL_INFO:
				vid, vni, flags, err := decodeTunnel(value)
				if err != nil {
					return err
				}
				tunnels.add(vid, vni, flags, func(vid uint16, vni uint32) { o.Tunnels[PortVLAN{device, vid}] = vni })
			}
			return nil
		})
	})
}

func decodeTunnel(b []byte) (vid uint16, vni uint32, flags uint16, err error) {
	err = rtnetlink.Attributes(b, func(kind uint16, value []byte) (err error) {
		switch kind {
		case nl.IFLA_BRIDGE_VLAN_TUNNEL_ID:
			vni, err = rtnetlink.Uint32(value)
		case nl.IFLA_BRIDGE_VLAN_TUNNEL_VID:
			vid, err = uint16Of(value)
		case nl.IFLA_BRIDGE_VLAN_TUNNEL_FLAGS:
			flags, err = uint16Of(value)
		}
		return err
	})
	return vid, vni, flags, err
}

// ranges puts together what comes as the begin and the end of a range.
type ranges struct {
	begun    bool
	firstVID uint16
	firstVNI uint32
}

// add calls each VLAN, with its VNI where they have some. In a range both count up.
func (r *ranges) add(vid uint16, vni uint32, flags uint16, each func(uint16, uint32)) {
	if flags&nl.BRIDGE_VLAN_INFO_RANGE_BEGIN != 0 {
		r.begun, r.firstVID, r.firstVNI = true, vid, vni
		return
	}
	first, number := vid, vni
	if r.begun && flags&nl.BRIDGE_VLAN_INFO_RANGE_END != 0 {
		first, number = r.firstVID, r.firstVNI
	}
	r.begun = false
	for ; first <= vid; first, number = first+1, number+1 {
		each(first, number)
		if first == vid {
			return // 65535 has no successor.
		}
	}
}

// decodeVNIs decodes a VXLAN device's filter.
func (o *Observed) decodeVNIs(b []byte) error {
	if len(b) < nl.SizeofTunnelMsg {
		return rtnetlink.ErrShort
	}
	device := int32(binary.NativeEndian.Uint32(b[4:]))
	return rtnetlink.Attributes(b[nl.SizeofTunnelMsg:], func(kind uint16, value []byte) error {
		if kind != nl.VXLAN_VNIFILTER_ENTRY {
			return nil
		}
		r := VNIRange{Device: device}
		err := rtnetlink.Attributes(value, func(kind uint16, value []byte) (err error) {
			switch kind {
			case nl.VXLAN_VNIFILTER_ENTRY_START:
				r.First, err = rtnetlink.Uint32(value)
			case nl.VXLAN_VNIFILTER_ENTRY_END:
				r.Last, err = rtnetlink.Uint32(value)
			}
			return err
		})
		r.Last = max(r.Last, r.First)
		o.VNIs = append(o.VNIs, r)
		return err
	})
}
