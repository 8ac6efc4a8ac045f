// Package evpn looks whether a node has the devices that FRR announces EVPN networks by:
// per VTEP a bridge with a VXLAN device, and per network its VNIs, its VLAN devices in the
// VRF and OVN's port. OVN-Kubernetes' node component makes them.
//
// Check is the pure part: it compares what is wanted with what the kernel has. A Loop
// observes and checks whenever the networks change, or the kernel reports a change of one
// of their devices, and at an interval, which is also how old counts of hosts may be.
//
// FRR's own view is out of reach: vtysh speaks with sockets of the FRR container, and what
// frr-k8s reports is an object that the agent may not read. What FRR did is seen in the
// kernel instead: the entries that zebra learned from the fabric. None at all while other
// nodes have pods of the network is a sign that FRR does not take part. A person compares
// the rest in the FRR container of the node's frr-k8s pod: `vtysh -c 'show evpn vni'` has
// to list every VNI with the VRF and the VLAN device that the state names, and
// `vtysh -c 'show evpn mac vni all'` as many local and remote MACs as are counted here.
//
// It must never change the kernel, and never take a state for known that it could not
// read.
package evpn
