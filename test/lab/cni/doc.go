// Package cni plays OVN-Kubernetes in the lab: what the operator works beside,
// and nothing that the operator does.
//
//	cluster, err := cni.New(ctx, cni.Options{Nodes: []cni.NodeSpec{...}})
//	err = cluster.AddNetwork(ctx, cni.Network{Name: cni.Default, Topology: cni.Layer3, Subnets: ...})
//	pod, err := cluster.AddPod(ctx, cni.PodSpec{Namespace: "blue", Name: "web", Node: "node1"})
//	err = cluster.Publish(ctx, apiClient)   // node annotations and network definitions
//	err = cluster.Follow(ctx, apiClient)    // carry what the operator advertises
//
// It writes OVN's Northbound database as OVN-Kubernetes does (northbound.go,
// gateway.go: routers, switches, ports, routes and SNAT of each network with
// their names and external_ids), makes the node's part of the data path
// (flows.go: the flows of br-ex, where gateway routers share the node's MAC and
// addresses; kernel.go: management ports, VRFs, rules, NAT), and attaches pods
// (pods.go), on wish with an egress IP (egressip.go). When a network's route
// advertisements are accepted it does what OVN-Kubernetes' node components do
// (advertise.go).
//
// Its names are written down from OVN-Kubernetes, not taken from the operator's
// own code, so that a wrong name there is found. Left out is what has no part
// in these paths: services, egress gateways, policies, hybrid overlay, multicast.
package cni
