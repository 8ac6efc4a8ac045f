package evpn

import (
	"fmt"
	"net/netip"
)

// Network is an EVPN network that the node is to carry.
type Network struct {
	// Name is OVN's, "cluster_udn_<cudn>".
	Name string
	// VRF is the network's VRF device, "" while it is not known.
	VRF string
	// ID is the cluster's number of the network, 0 while it is not known.
	ID int
	// VTEP is the name of the VTEP, Endpoint the node's address of it, which is not valid
	// while it is not known.
	VTEP     string
	Endpoint netip.Addr
	// Allocated is set if the manager gave the node the address.
	Allocated bool
	// MACVRF and IPVRF have VNI 0 where the network has none on the node.
	MACVRF, IPVRF VPN
	// Switch is why OVN's switch of the network is not joined with the MAC-VRF, "" if it is,
	// or if that is not the agent's to know.
	Switch string
	// Problem is why the agent can't work on the network.
	Problem string
}

// VPN is a MAC-VRF or an IP-VRF.
type VPN struct {
	VNI uint32
	// VID is its VLAN on the bridge, 0 while it is not known.
	VID uint16
}

// Host is a pod or virtual machine of the node in a network's MAC-VRF.
type Host struct {
	// MAC is in the form of net.HardwareAddr's String.
	MAC string
	// Addresses are sorted.
	Addresses []netip.Addr
}

// State is what the node has of a network.
type State struct {
	Network  string
	VTEP     string
	Endpoint netip.Addr
	// Bridge and VXLAN are the names that the VTEP's devices have, or should have.
	Bridge, VXLAN string
	// ByOVNKubernetes is set if OVN-Kubernetes made the bridge, ByAgent if the agent did.
	ByOVNKubernetes, ByAgent bool
	// RouterMAC is the bridge's address, by which the fabric sends to the node's VRFs.
	RouterMAC string
	// MTU is the network's, and UnderlayMTU that of the link Underlay, which tunnels
	// leave by; 0 where it is not known.
	MTU, UnderlayMTU uint32
	Underlay         string
	MACVRF, IPVRF    VPNState
	// Problem is what is wrong, and what to do about it; "" if all is there. Reason is the
	// first of several in one word.
	Reason  Reason
	Problem string
}

// VPNState is what the node has of a MAC-VRF or an IP-VRF.
type VPNState struct {
	VPN
	// Carried is set if frames of the VNI go from the fabric to the VLAN and back.
	Carried bool
	// SVI is the name that its VLAN device has, or should have.
	SVI string
	// LocalMACs and LocalAddresses are of the node's own pods, RemoteMACs and
	// RemoteAddresses what zebra learned from the fabric, RemoteEndpoints the other ends
	// that have the VNI. An IP-VRF has no local ones.
	LocalMACs, LocalAddresses, RemoteMACs, RemoteAddresses, RemoteEndpoints int
}

// trouble adds to what is wrong. Of several reasons the first counts.
func (s *State) trouble(reason Reason, format string, args ...any) {
	if s.Problem != "" {
		s.Problem += "; "
	} else {
		s.Reason = reason
	}
	s.Problem += fmt.Sprintf(format, args...)
}

// Reason is why a network's EVPN is not ready, in one word.
type Reason string

// Reasons. With the first two the network's state is not known.
//
//reference:reasons NodeRouteState EVPNReady
const (
	// Unknown: a number, name or address that the network's devices depend on is not
	// known yet.
	// Do: wait for OVN-Kubernetes to give the network its ID and VLANs, or follow the
	// message.
	ReasonNetworkUnknown Reason = "NetworkUnknown"
	// Unknown: the agent could not read the kernel's devices, or Open vSwitch's ports.
	// Do: fix the error in the message; the agent tries again by itself.
	ReasonKernelUnread Reason = "KernelUnread"
	// False: no link of the node has the VTEP's address.
	// Do: give the address to a link, or correct the annotation k8s.ovn.org/vteps. If the
	// manager gave the node the address, start the agent with --manage-vteps.
	ReasonAddressMissing Reason = "AddressMissing"
	// False: the VTEP's bridge is not on the node.
	// Do: start ovnkube-node 1.3 or later with --enable-evpn, in local gateway mode, and
	// look at its log; or start the agent with --manage-evpn.
	ReasonBridgeMissing Reason = "BridgeMissing"
	// False: the bridge is down, or its settings are not those that EVPN needs.
	// Do: correct what the message names, or delete the bridge and restart ovnkube-node.
	// With --manage-evpn the agent corrects it.
	ReasonBridgeWrong Reason = "BridgeWrong"
	// False: the VTEP's VXLAN device is not on the node.
	// Do: look at the log of what makes it, ovnkube-node or the agent; another VXLAN device
	// with the UDP port keeps it from being made.
	ReasonVXLANMissing Reason = "VXLANMissing"
	// False: the VXLAN device is down, not a port of the bridge, or its settings are not
	// those that EVPN needs.
	// Do: correct what the message names, or delete the device and restart ovnkube-node.
	// With --manage-evpn the agent corrects it.
	ReasonVXLANWrong Reason = "VXLANWrong"
	// False: the VXLAN device has no VNI filter.
	// Do: use a kernel that has it (Linux 5.18 or later); with one, delete the device, and
	// restart ovnkube-node if that makes it.
	ReasonNoVNIFilter Reason = "NoVNIFilter"
	// False: a VNI of the network doesn't get from the VXLAN device to its VLAN.
	// Do: look at the log of what makes the devices, ovnkube-node or the agent.
	ReasonVNIMissing Reason = "VNIMissing"
	// False: the network's VRF device is not on the node.
	// Do: start the agent with --manage-vrfs if nothing else makes the device.
	ReasonVRFMissing Reason = "VRFMissing"
	// False: a VLAN device of the network is not on the bridge.
	// Do: look at the log of what makes the devices, ovnkube-node or the agent.
	ReasonSVIMissing Reason = "SVIMissing"
	// False: a VLAN device of the network is down.
	// Do: set it up: ip link set NAME up. Its entries of pods are lost: restart
	// ovnkube-node, which writes them again. With --manage-evpn the agent does both.
	ReasonSVIDown Reason = "SVIDown"
	// False: a VLAN device is in another VRF than the network's, or in none, so that FRR
	// takes its VNI for another network's.
	// Do: put it there: ip link set NAME master VRF.
	ReasonSVIWrongVRF Reason = "SVIWrongVRF"
	// False: OVN's port of the network is not on the node.
	// Do: look at the log of what makes it, ovnkube-node or the agent, and at ovs-vsctl
	// show.
	ReasonPortMissing Reason = "PortMissing"
	// False: OVN's switch of the network has no logical port for the MAC-VRF.
	// Do: follow the message.
	ReasonSwitchNotJoined Reason = "SwitchNotJoined"
	// False: OVN's port of the network is down, not in the bridge, or not in the
	// network's VLAN.
	// Do: correct what the message names, or restart ovnkube-node. With --manage-evpn the
	// agent corrects it.
	ReasonPortWrong Reason = "PortWrong"
	// False: the link that tunnels leave by is too narrow for the network's packets with
	// the 50 bytes of a tunnel.
	// Do: raise the link's MTU, or lower the network's.
	ReasonMTUTooSmall Reason = "MTUTooSmall"
	// False: pods have MAC addresses in the MAC-VRF and no IP addresses, so that others
	// can't be told where these are. A VLAN device that was down loses them.
	// Do: restart ovnkube-node, which writes them again. With --manage-evpn the agent does.
	ReasonNeighborsMissing Reason = "NeighborsMissing"
	// False: the agent runs with --manage-evpn, but OVN-Kubernetes' node component makes the
	// devices of the node, and something is missing.
	// Do: look at the log of ovnkube-node. For the agent to make the devices, start
	// ovnkube-node without --enable-evpn, and delete what it made.
	ReasonMadeByOVNKubernetes Reason = "MadeByOVNKubernetes"
	// False: a device that the agent did not make has the name of one that it would make,
	// or two networks need devices of one name.
	// Do: delete or rename the device, or rename one of the networks.
	ReasonNameTaken Reason = "NameTaken"
	// False: another VXLAN device of the node has UDP port 4789, and no VNI filter, with
	// which it would share the port.
	// Do: delete that device, or give it another port.
	ReasonUDPPortTaken Reason = "UDPPortTaken"
	// False: another network of the VTEP has the VLAN or the VNI.
	// Do: give one of the networks another VNI.
	ReasonNumberTaken Reason = "NumberTaken"
	// False: the kernel, or Open vSwitch, refused a change.
	// Do: fix the error in the message, mostly a missing capability (NET_ADMIN) or kernel
	// module (bridge, vxlan, 8021q).
	ReasonKernelRefused Reason = "KernelRefused"
)

// Decided reports whether it is known that something is wrong.
func (r Reason) Decided() bool { return r != ReasonNetworkUnknown && r != ReasonKernelUnread }
