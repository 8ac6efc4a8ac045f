// Package lab brings up a cluster with everything around it, out of real parts,
// from one description:
//
//   - a control plane with the operator's CRDs, and this manager with the rights
//     that config/rbac gives it;
//   - nodes, each a machine (test/lab/machine) with FRR (test/lab/frr), the
//     unmodified frr-k8s (test/lab/frrk8s), Open vSwitch and OVN (test/lab/ovn)
//     and this agent with the rights of config/agent;
//   - routers with FRR or GoBGP (test/lab/gobgp), on the fabric or behind
//     others, and servers behind them;
//   - pods and networks, which test/lab/cni makes as OVN-Kubernetes would.
//
// The nodes and routers share one segment, the fabric. It has a default gateway
// that leads nowhere, so that what reaches a server did so by a route that BGP
// carried. Routers behind others have links of their own with them.
//
//	                          servers
//	                             |
//	                           core              only where a description has
//	        192.168.101.0/31  /      \            it, as TwoToRs
//	        fd00:101::/127   /        \
//	             servers    /          \   servers
//	                   \  /            \  /
//	                   tor            tor2
//	                    |              |
//	fabric =============+==+========+==+============= gateway (leads nowhere)
//	192.168.100.0/24       |        |
//	fd00:100::/64        node1    node2
//
// Which routers there are, their AS numbers and whether they are FRR or GoBGP is
// the description's to say.
//
// A lab needs an enclosure (machine.Main) and nothing else: what it starts ends
// with it, whatever ends it.
package lab
