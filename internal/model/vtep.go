package model

import (
	"net/netip"
	"time"
)

// NetworkEVPN is how a network with TransportEVPN reaches into the fabric. At least
// one of its VRFs is set.
type NetworkEVPN struct {
	// VTEP is the name of the VTEP whose addresses are the tunnel endpoints.
	VTEP string
	// Gateways are the addresses of the network's gateway, which every node has itself;
	// only with a MACVRF.
	Gateways []netip.Addr
	// MACVRF is the network's layer 2, IPVRF its layer 3; nil without.
	MACVRF, IPVRF *VPN
}

// VPN is a MAC-VRF or an IP-VRF of a network.
type VPN struct {
	VNI uint32
	// RouteTarget is "" where FRR derives one from the ASN and the VNI.
	RouteTarget string
	// VID is the VLAN that OVN-Kubernetes gave it on the nodes' bridge, 0 where not
	// known: only its NetworkAttachmentDefinitions tell.
	VID uint16
}

// VTEP says which addresses of nodes are tunnel endpoints.
type VTEP struct {
	Name    string
	Created time.Time
	// CIDRs are sorted.
	CIDRs []netip.Prefix
	// Managed is set where nodes get their addresses from CIDRs, instead of having
	// them already.
	Managed bool
	// Allocated is set where the operator gives nodes addresses. These need not be those
	// that count: see Source.
	Allocated bool
	// Source says where nodes' tunnel endpoints are found.
	Source  AddressSource
	Problem *Problem
}

// AddressSource says which of a node's addresses is its tunnel endpoint.
type AddressSource uint8

// The sources of addresses.
const (
	// FromNode is what the node tells; see Node.VTEPs.
	FromNode AddressSource = iota
	// FromOperator is what the operator gave it; see Node.Allocated.
	FromOperator
	// FromOperatorElseNode is the second, or the first for nodes that were given nothing.
	FromOperatorElseNode
)

// AddressesOn are the node's tunnel endpoints of the VTEP, and given says that they are
// those that the operator gave it, which no two nodes have.
func (v *VTEP) AddressesOn(n *Node) (addresses []netip.Addr, given bool) {
	given = v.Source == FromOperator || v.Source == FromOperatorElseNode && (len(n.Allocated[v.Name]) > 0 || len(n.VTEPs[v.Name]) == 0)
	if given {
		return n.Allocated[v.Name], true
	}
	return n.VTEPs[v.Name], false
}
