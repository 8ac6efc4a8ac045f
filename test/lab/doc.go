// Package lab brings up a cluster and everything around it from one description,
// with real components:
//
//   - a control plane with the operator's CRDs, and this manager with the rights
//     that config/rbac gives it;
//   - nodes, each a machine (test/lab/machine) with FRR (test/lab/frr), the
//     unmodified frr-k8s (test/lab/frrk8s), Open vSwitch and OVN (test/lab/ovn)
//     and this agent with the rights of config/agent;
//   - routers with FRR or GoBGP (test/lab/gobgp), on the fabric or behind
//     others, and servers behind them;
//   - pods and networks, which test/lab/cni sets up as OVN-Kubernetes would.
//
// The nodes and routers share one segment, the fabric. Its default gateway leads
// nowhere, so a packet that reaches a server used a route that BGP carried. Routers
// behind others are connected to them by links of their own.
//
//	                          servers
//	                             |
//	                           core              only if the description has
//	        192.168.101.0/31  /      \            it, such as TwoToRs
//	        fd00:101::/127   /        \
//	             servers    /          \   servers
//	                   \  /            \  /
//	                   tor            tor2
//	                    |              |
//	fabric =============+==+========+==+============= gateway (leads nowhere)
//	192.168.100.0/24       |        |
//	fd00:100::/64        node1    node2
//
// The description says which routers there are, their AS numbers, and whether they
// run FRR or GoBGP.
//
// A lab needs an enclosure (machine.Main) and nothing else. What it starts ends with
// it, whatever ends it.
package lab
