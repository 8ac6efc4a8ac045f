// Package cni stands in for OVN-Kubernetes in the lab: it does what the operator
// relies on, and nothing that the operator does itself.
//
//	cluster, err := cni.New(ctx, cni.Options{Nodes: []cni.NodeSpec{...}})
//	err = cluster.AddNetwork(ctx, cni.Network{Name: cni.Default, Topology: cni.Layer3, Subnets: ...})
//	pod, err := cluster.AddPod(ctx, cni.PodSpec{Namespace: "blue", Name: "web", Node: "node1"})
//	err = cluster.Publish(ctx, apiClient)   // node annotations and network definitions
//	err = cluster.Follow(ctx, apiClient)    // carry what the operator advertises
//
// It writes OVN's Northbound database as OVN-Kubernetes does (northbound.go,
// gateway.go: routers, switches, ports, routes and SNAT of each network with their
// names and external_ids). It sets up the node's part of the data path (flows.go: the
// flows of br-ex, where gateway routers share the node's MAC and addresses; kernel.go:
// management ports, VRFs, rules, NAT). It attaches pods (pods.go), with an egress IP if
// requested (egressip.go), and makes what networks with EVPN have on nodes: a bridge, a
// VXLAN device, VLANs and their hosts (evpn.go). When a network's route advertisements
// are accepted, it does what OVN-Kubernetes' node components do (advertise.go).
//
// Its names are copied from OVN-Kubernetes, not taken from the operator's own code, so
// that tests find a wrong name there. It leaves out what has no part in these paths:
// services, egress gateways, policies, hybrid overlay, multicast.
package cni
