package model

import "net/netip"

// RouterEVPN is what a router of a NodeConfig has of EVPN.
type RouterEVPN struct {
	// AdvertiseVNIs has FRR announce every VNI that the kernel has, AdvertiseSVI the
	// addresses of their VLAN devices, too.
	AdvertiseVNIs, AdvertiseSVI bool
	// L2VNIs, sorted, are those with route targets of their own. FRR finds the others
	// in the kernel.
	L2VNIs []RouterVNI
	// L3VNI is the VRF's own, nil for none. Its router has no neighbors.
	L3VNI *RouterVNI
	// Endpoints, sorted, are those whose VNIs FRR announces. They are for people.
	Endpoints []Endpoint
}

// Endpoint is where a node's tunnels of a VTEP end.
type Endpoint struct {
	VTEP    string
	Address netip.Addr
}

// RouterVNI is a VNI with its route targets, where these are not FRR's.
type RouterVNI struct {
	Number    uint32
	ImportRTs []string
	ExportRTs []string
	// VTEP is the network's, for people.
	VTEP string
}

// Tunnel is an EVPN network on a node, as far as it is in the node's plan.
type Tunnel struct {
	Network string
	// VTEP is the name of the node's tunnel endpoint for it.
	VTEP string
	// MACVRF and IPVRF are nil where the network has none, or the node is left without.
	MACVRF, IPVRF *VPN
}

// NodeVTEP is what a node has of a VTEP that its networks use.
type NodeVTEP struct {
	Name string
	// Address is not valid where the node has none that can be used; Problem says why.
	Address netip.Addr
	Problem string
	// Allocated are the addresses that the operator gave to the node, to be on a device
	// of its own; sorted.
	Allocated []netip.Addr
}
