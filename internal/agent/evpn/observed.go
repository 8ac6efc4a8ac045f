package evpn

import "net/netip"

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
	Kind     string
	Alias    string
	MAC      string
	MTU      uint32
	Up       bool
	Loopback bool
	Bridge   Bridge
	VXLAN    VXLAN
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

// Port are the settings of a bridge's port. Whether it is isolated from others makes no
// difference while there is one VXLAN device in the bridge.
type Port struct{ Learning, VLANTunnel, NeighSuppress bool }

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
