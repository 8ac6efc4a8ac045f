package cni

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
)

// Topology is how a network lies over the nodes.
type Topology string

const (
	// Layer3 has a switch and a subnet per node, between them a router.
	Layer3 Topology = "layer3"
	// Layer2 is one switch and one subnet over all nodes. OVN-Kubernetes has it
	// with one OVN per node only, and so has this fixture.
	Layer2 Topology = "layer2"
)

// Default is the name of the network of all pods that have no other.
const Default = "default"

// Network is a primary network of pods.
type Network struct {
	// Name as OVN-Kubernetes calls it: Default, or "cluster_udn_" and the
	// ClusterUserDefinedNetwork's.
	Name string
	// ID numbers the network: 0 for the default one.
	ID       int
	Topology Topology
	// Subnets of the network, at most one of each family.
	Subnets []netip.Prefix
	// HostBits is the length of a node's part of a Layer3 network's IPv4 and
	// IPv6 subnet. 24 and 64 unless set.
	HostBits, HostBitsV6 int
	// NoOverlay is set where no tunnels lead to the pods of other nodes.
	NoOverlay bool
	// OutboundSNAT is set where pods of a NoOverlay network leave with their
	// node's address for what is outside the network.
	OutboundSNAT bool
	// EVPN is set where VXLAN tunnels, which BGP knows the ends of, lead to the
	// pods of other nodes.
	EVPN *EVPN

	// leaveEVPN is set where the agent does the nodes' part of it.
	leaveEVPN bool
}

// geneve tells whether OVN's own tunnels lead to the pods of other nodes.
func (n *Network) geneve() bool { return !n.NoOverlay && n.EVPN == nil }

func (n *Network) isDefault() bool { return n.Name == Default }

// HostSubnets are a node's subnets: its part of a Layer3 network, all of a
// Layer2 network.
func (n *Network) HostSubnets(node *Node) []netip.Prefix {
	if n.Topology == Layer2 {
		return n.Subnets
	}
	out := make([]netip.Prefix, len(n.Subnets))
	for i, subnet := range n.Subnets {
		bits := n.hostBits(subnet)
		out[i] = part(subnet, bits, subnet.Addr().BitLen()-bits, node.index())
	}
	return out
}

// hostBits is the length of a node's part of a subnet.
func (n *Network) hostBits(subnet netip.Prefix) int {
	if subnet.Addr().Is4() {
		return cmp.Or(n.HostBits, 24)
	}
	return cmp.Or(n.HostBitsV6, 64)
}

// part is the n-th of the subnets of a length within a larger one.
func part(subnet netip.Prefix, bits, rest, n int) netip.Prefix {
	bytes := subnet.Masked().Addr().AsSlice()
	at, shift := len(bytes)-1-rest/8, rest%8
	for value := n << shift; value > 0 && at >= 0; at-- {
		value += int(bytes[at])
		bytes[at] = byte(value)
		value >>= 8
	}
	address, _ := netip.AddrFromSlice(bytes)
	return netip.PrefixFrom(address, bits)
}

// joinSubnets are of all families that nodes have: a network of one family has
// gateway routers of both.
func (n *Network) joinSubnets(node *Node) []netip.Prefix {
	if n.isDefault() {
		return sameFamilies(joinSubnets, node.Addresses)
	}
	return sameFamilies(udnJoinSubnets, node.Addresses)
}

// gatewayRouterMasquerade and managementMasquerade are the network's own
// addresses in the masquerade subnet.
func (n *Network) gatewayRouterMasquerade(node *Node) []netip.Prefix {
	return hostPrefixes(nths(sameFamilies(masqueradeSubnets, node.Addresses), udnMasqueradeBase+2*n.ID-1))
}

func (n *Network) managementMasquerade() []netip.Prefix {
	return hostPrefixes(nths(sameFamilies(masqueradeSubnets, n.Subnets), udnMasqueradeBase+2*n.ID))
}

func (n *Network) check() error {
	switch {
	case n.Topology != Layer2 && n.Topology != Layer3:
		return fmt.Errorf("network %s: topology %q; say %s or %s", n.Name, n.Topology, Layer2, Layer3)
	case len(n.Subnets) == 0:
		return fmt.Errorf("network %s has no subnets", n.Name)
	case n.isDefault() != (n.ID == 0):
		return fmt.Errorf("network %s has the ID %d; 0 is the default network's, and no other's", n.Name, n.ID)
	case n.isDefault() && n.Topology != Layer3:
		return fmt.Errorf("the default network is %s", Layer3)
	case n.EVPN != nil && (n.isDefault() || (n.EVPN.MACVRF != nil) != (n.Topology == Layer2) || n.Topology == Layer3 && n.EVPN.IPVRF == nil):
		return fmt.Errorf("network %s: with EVPN a %s network has an IP-VRF, a %s network a MAC-VRF", n.Name, Layer3, Layer2)
	case n.NoOverlay && n.Topology != Layer3:
		return fmt.Errorf("network %s: only %s networks can do without an overlay", n.Name, Layer3)
	}
	return nil
}

// Node is what OVN-Kubernetes knows of a node.
type Node struct {
	Name string
	// ID is OVN-Kubernetes' number of the node, which its addresses in the
	// join and transit subnets follow.
	ID int
	// MAC and Addresses of the gateway bridge, which the gateway routers share.
	MAC       string
	Addresses []netip.Prefix
	// NextHops are the node's default gateways.
	NextHops []netip.Addr
	// Tunnel is where other nodes' tunnels end.
	Tunnel netip.Addr
}

func (n *Node) index() int { return n.ID - firstNodeID + 1 }

// among tells whether a node is one of others.
func among(node *Node, nodes []*Node) bool {
	return slices.ContainsFunc(nodes, func(other *Node) bool { return other.Name == node.Name })
}
