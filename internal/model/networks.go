package model

import "net/netip"

// NodeNetwork is what one node has to do for one network, as the plan decides it.
type NodeNetwork struct {
	*Network
	// ID is the cluster's number of the network, 0 where it is not known.
	ID int
	// HostSubnets are the node's own parts of a network that has such.
	HostSubnets []netip.Prefix
	// Gateway is the link that the network's gateway router leaves the node by, ""
	// where it is not known.
	Gateway string
	// AdvertisedIn are the VRFs ("" for the default one) in which the node advertises
	// the network's pods to at least one neighbor; sorted.
	AdvertisedIn []string
	// OwnVRFOnly is set if the pods are meant for the network's own VRF alone, which
	// makes it VRF-Lite. An object that is not accepted while a user edits it still
	// counts for that: it must not open a VRF.
	OwnVRFOnly bool
	// PodVRFs are the VRFs ("" for the default one) in which a route may lead astray
	// what goes to the pods: the network's own and those that RouteAdvertisements
	// name for it, accepted or not; sorted.
	PodVRFs []string
	// Tunnel is how the node reaches the fabric by EVPN, nil where it does not.
	Tunnel *Tunnel
}

// Surroundings are what a Node says of itself besides its networks.
type Surroundings struct {
	// UID is the Node's.
	UID string
	// Addresses are the node's own, with the lengths of the subnets they are in.
	Addresses []netip.Prefix
	// Gateway is the link of the node's gateway, "" where it is not known.
	Gateway string
	// GatewayProblem is why it can't be known, for people; "" while OVN-Kubernetes
	// has not said anything.
	GatewayProblem string
	// Uplinks are the links of the Uplinks that networks name.
	Uplinks map[string]string
	// Masquerade and Transit are subnets that OVN-Kubernetes uses on the node.
	Masquerade, Transit []netip.Prefix
	// NetworkIDs are those that older releases write on nodes, by network.
	NetworkIDs map[string]int
}
