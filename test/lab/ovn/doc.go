// Package ovn runs OVN and Open vSwitch, as Debian packages them, on the lab's
// machines.
//
// A Central is one OVN: Northbound and Southbound databases and ovn-northd. The
// lab has one for all nodes, or one on each node as OVN-Kubernetes'
// interconnect has it, where the databases know of other nodes only what
// Central.AddRemoteChassis tells. A Switch is a node's part: Open vSwitch, with
// the kernel's datapath where there is one and its own in userspace elsewhere,
// and ovn-controller.
//
// Every daemon can be stopped, killed and started again by itself; its data
// stays. What the databases say of networks is not this package's: that is
// test/lab/cni.
package ovn
