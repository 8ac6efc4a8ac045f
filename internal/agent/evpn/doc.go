// Package evpn looks whether a node has the devices that FRR announces EVPN networks by:
// per VTEP a bridge with a VXLAN device, and per network its VNIs, its VLAN devices in the
// VRF and OVN's port. OVN-Kubernetes' node component makes them. Where it does not, this
// package makes them, if it is asked to, and the entries of the node's hosts on them.
//
// Check and Plan are the pure parts: they compare what is wanted with what the node has.
// Check says what is missing, Plan what has to be changed. A Keeper carries that out. A Loop
// runs whenever the networks change, or the kernel reports a change of one of their devices,
// and at an interval, which is also how old counts of hosts may be. Entries of hosts that
// come or go don't wait for it.
//
// Devices carry the agent's mark from the start, their group. An entry has none, because
// zebra takes entries over and overwrites what they carry: it is the agent's if it is on a
// device of the agent's, unless the bridge knows its host behind the VXLAN device. So an
// agent that is killed at any point leaves nothing that the next one can't go on from.
//
// FRR's own view is out of reach: vtysh speaks with sockets of the FRR container, and what
// frr-k8s reports is an object that the agent may not read. What FRR did is seen in the
// kernel instead: the entries that zebra learned from the fabric. None at all while other
// nodes have pods of the network is a sign that FRR does not take part. A person compares
// the rest in the FRR container of the node's frr-k8s pod: `vtysh -c 'show evpn vni'` has
// to list every VNI with the VRF and the VLAN device that the state names, and
// `vtysh -c 'show evpn mac vni all'` as many local and remote MACs as are counted here.
//
// It must never change a device that the agent did not make, never make any on a node where
// OVN-Kubernetes does, and never take a state for known that it could not read. A network
// that is not fully known keeps what it has.
package evpn
