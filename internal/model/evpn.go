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
