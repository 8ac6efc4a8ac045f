// Package ovn runs OVN and Open vSwitch, as Debian packages them, on the lab's
// machines.
//
// A Central is one OVN: Northbound and Southbound databases and ovn-northd. The lab
// has one for all nodes, or one on each node, as with OVN-Kubernetes' interconnect.
// There, a database knows only the other nodes that Central.AddRemoteChassis adds. A
// Switch is a node's part: Open vSwitch and ovn-controller. Open vSwitch uses the
// kernel's datapath if there is one, or its own in userspace.
//
// Every daemon can be stopped, killed and started again by itself; its data stays. This
// package doesn't write networks into the databases: test/lab/cni does.
package ovn
