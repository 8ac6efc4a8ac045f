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
	Problem *Problem
}
