package evpn

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vswitch"
)

// Verb is what a Change does.
type Verb uint8

// What can be changed, in the order in which changes are made: what is left over goes
// before something else takes its VLAN, VNI or name, in the reverse order of how it was
// made. A network's L3 VLAN device comes before its L2 one, because zebra may take the
// VLAN device of a VRF that comes up last for the one of its L3VNI (FRRouting/frr#23028).
const (
	DeleteNeighbor Verb = iota
	DeleteMAC
	DeletePort
	DeleteSVI
	DeleteBridgeVLAN
	DeleteTunnel
	DeleteVNI
	DeletePortVLAN
	DeleteVXLAN
	DeleteBridge
	CreateBridge
	SetBridge
	CreateVXLAN
	SetVXLAN
	SetVXLANPort
	AddPortVLAN
	AddVNI
	AddTunnel
	AddBridgeVLAN
	CreateL3SVI
	SetL3SVI
	CreateL2SVI
	SetL2SVI
	AddPort
	JoinPort
	SetMAC
	SetNeighbor
)

// entry reports whether the change is of a host's entry.
func (v Verb) entry() bool { return v <= DeleteMAC || v.sets() }

// sets reports whether it writes one. Each stands for itself, and waits for no other.
func (v Verb) sets() bool { return v == SetMAC || v == SetNeighbor }

// removes reports whether the change takes something away.
func (v Verb) removes() bool { return v < CreateBridge }

// Change is one change to the node.
type Change struct {
	Verb Verb
	// VTEP and Network are on whose behalf it is. Once a change failed, those after it of
	// the same network are left for the next time, or of the same VTEP if it is of no
	// network. Both are "" where nothing hangs on it.
	VTEP, Network string
	// Device is the name of the device that is changed, and Index its index, 0 while it is
	// not there yet. Bridge and VRF are those that it is in, or is to be in.
	Device      string
	Index       int32
	Bridge, VRF string
	Alias       string
	// Wrong says what is to be corrected.
	Wrong []string
	// MTU of 0 is left to the kernel.
	MTU   uint32
	Local netip.Addr
	// VPN is a VLAN with its VNI. LastVNI ends a range that begins with the VNI, if not 0.
	VPN
	LastVNI uint32
	Port    vswitch.Port
	// MAC is a host's, or a bridge's that is to get it.
	MAC     MAC
	Address netip.Addr
}

func (c Change) String() string {
	switch c.Verb {
	case CreateBridge:
		return fmt.Sprintf("create bridge %s with MAC address %s", c.Device, c.MAC)
	case CreateVXLAN:
		return fmt.Sprintf("create VXLAN device %s from %s on bridge %s", c.Device, c.Local, c.Bridge)
	case CreateL3SVI, CreateL2SVI:
		return fmt.Sprintf("create VLAN device %s (VLAN %d of %s) in VRF %s", c.Device, c.VID, c.Bridge, c.VRF)
	case SetBridge, SetVXLAN, SetVXLANPort, SetL3SVI, SetL2SVI, JoinPort:
		return fmt.Sprintf("correct %s, which %s", c.Device, strings.Join(c.Wrong, ", "))
	case DeleteSVI, DeleteVXLAN, DeleteBridge:
		return "delete device " + c.Device
	case AddPort:
		return fmt.Sprintf("have Open vSwitch's port %s for OVN's %s", c.Device, c.Port.LogicalPort)
	case DeletePort:
		return "delete Open vSwitch's port " + c.Device
	case AddPortVLAN, AddBridgeVLAN:
		return fmt.Sprintf("put %s into VLAN %d", c.Device, c.VID)
	case DeletePortVLAN, DeleteBridgeVLAN:
		return fmt.Sprintf("take %s out of VLAN %d", c.Device, c.VID)
	case AddTunnel:
		return fmt.Sprintf("give VLAN %d of %s VNI %d", c.VID, c.Device, c.VNI)
	case DeleteTunnel:
		return fmt.Sprintf("take VNI %d from VLAN %d of %s", c.VNI, c.VID, c.Device)
	case AddVNI:
		return fmt.Sprintf("add VNI %d to the filter of %s", c.VNI, c.Device)
	case DeleteVNI:
		if c.LastVNI != 0 {
			return fmt.Sprintf("remove VNIs %d to %d from the filter of %s", c.VNI, c.LastVNI, c.Device)
		}
		return fmt.Sprintf("remove VNI %d from the filter of %s", c.VNI, c.Device)
	case SetMAC:
		return fmt.Sprintf("have %s behind %s in VLAN %d", c.MAC, c.Device, c.VID)
	case DeleteMAC:
		return fmt.Sprintf("remove %s behind %s in VLAN %d", c.MAC, c.Device, c.VID)
	case SetNeighbor:
		return fmt.Sprintf("have neighbor %s at %s on %s", c.Address, c.MAC, c.Device)
	case DeleteNeighbor:
		return fmt.Sprintf("remove neighbor %s at %s from %s", c.Address, c.MAC, c.Device)
	default:
		return fmt.Sprintf("verb %d", c.Verb)
	}
}
