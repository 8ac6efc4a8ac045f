package evpn

import (
	"net"
	"net/netip"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/devices"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vswitch"
)

const (
	kindBridge = "bridge"
	kindVXLAN  = "vxlan"
	kindVLAN   = "vlan"
	kindVRF    = "vrf"
	kindDummy  = "dummy"
)

// Device is a network device.
type Device struct {
	Index int32
	// Parent is the device that a VLAN device is on, Master the bridge or VRF that it is
	// in; 0 for none.
	Parent, Master int32
	Name           string
	// Kind is "" for physical devices.
	Kind  string
	Alias string
	// Group is the device group, by which the agent knows what it made.
	Group    uint32
	MAC      string
	MTU      uint32
	Up       bool
	Loopback bool
	// LinkLocal is set if the kernel gives the device IPv6 addresses of its own.
	LinkLocal bool
	Bridge    Bridge
	VXLAN     VXLAN
	// VID is a VLAN device's.
	VID  uint16
	Port Port
}

// Bridge are a bridge's settings.
type Bridge struct {
	VLANFiltering bool
	DefaultPVID   uint16
}

// VXLAN are a VXLAN device's settings.
type VXLAN struct {
	// External devices get a packet's VNI from the bridge.
	External, VNIFilter bool
	Local               netip.Addr
	UDPPort             uint16
}

// ours reports whether the agent made the device, in this package.
func (d *Device) ours() bool {
	return d.Group == devices.Group && (d.Kind == kindBridge || d.Kind == kindVXLAN || d.Kind == kindVLAN)
}

// Port are the settings of a bridge's port.
type Port struct{ Learning, VLANTunnel, NeighSuppress, Isolated bool }

// ofVXLAN are those of the port to the fabric: the bridge takes its VLANs for VNIs,
// answers requests that zebra knows the answer to, and learns from zebra only. Isolated
// ports don't forward to each other, should there be a second one to the fabric.
var ofVXLAN = Port{VLANTunnel: true, NeighSuppress: true, Isolated: true}

// Observed is what the kernel has.
type Observed struct {
	// Devices are all of the node's, since any may have a name that is wanted.
	Devices []Device
	// VLANs are those of bridges and their ports, Tunnels the VNIs of ports' VLANs.
	VLANs   map[PortVLAN]VLAN
	Tunnels map[PortVLAN]uint32
	// VNIs are VXLAN devices' filters.
	VNIs []VNIRange
	// Addresses are the node's IPv4 addresses, with their devices.
	Addresses map[netip.Addr]int32
	// MACs counts the entries of bridges' forwarding tables, Neighbors those of devices.
	MACs      map[PortVLAN]Count
	Neighbors map[int32]Count
	// FixedMACs are the entries that don't age of bridges' ports other than VXLAN devices.
	FixedMACs map[int32][]VLANMAC
	// FixedAddresses are the permanent neighbors of VLAN devices. Of their MAC addresses
	// RemoteMACs are behind a VXLAN device: zebra's.
	FixedAddresses map[int32]map[netip.Addr]MAC
	RemoteMACs     map[RemoteMAC]bool
	// Ports are those of Open vSwitch, as far as they concern EVPN.
	Ports []vswitch.Port
	// Endpoints are the other ends that have a VNI, by the VXLAN device.
	Endpoints map[DeviceVNI]int
	// Underlays are the links that tunnels of an endpoint leave by: of several, the one
	// with the lowest MTU.
	Underlays map[netip.Addr]Underlay
}

// PortVLAN is a VLAN of a bridge or of one of its ports.
type PortVLAN struct {
	Device int32
	VID    uint16
}

// MAC is an Ethernet address.
type MAC [6]byte

func (m MAC) String() string { return net.HardwareAddr(m[:]).String() }

// VLANMAC is a MAC address in a VLAN.
type VLANMAC struct {
	VID uint16
	MAC MAC
}

// RemoteMAC is a MAC address behind a VXLAN device.
type RemoteMAC struct {
	PortVLAN
	MAC MAC
}

// VLAN is how a port has a VLAN.
type VLAN struct{ PVID, Untagged bool }

// DeviceVNI is a VNI of a VXLAN device.
type DeviceVNI struct {
	Device int32
	VNI    uint32
}

// VNIRange is a part of a VXLAN device's filter.
type VNIRange struct {
	Device      int32
	First, Last uint32
}

// Count counts entries.
type Count struct {
	// Fixed ones don't age, and are of pods on the node. Learned ones are zebra's.
	Fixed, Learned int
}

// Underlay is a link that tunnels leave by.
type Underlay struct {
	Device string
	MTU    uint32
}

// filtered reports whether a VXLAN device takes packets of the VNI.
func (o *Observed) filtered(device int32, vni uint32) bool {
	for _, r := range o.VNIs {
		if r.Device == device && r.First <= vni && vni <= r.Last {
			return true
		}
	}
	return false
}
