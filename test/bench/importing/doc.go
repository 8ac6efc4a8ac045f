// Package importing measures the agent against a real kernel table and a real
// ovsdb-server: how long R routes take until OVN has them, what one change
// costs afterwards, and how much memory the agent needs. Workloads are those
// of the peer: routes of the default network, over two next hops.
//
// The agent runs as a process of its own, so that its CPU time and memory are
// its own. There are two floors, measured in the same run: a dump of the
// table, and the same rows written by the barest transaction.
//
// One route more costs ovsdb-server time that grows with the router's set of
// routes, which it copies and compares whole: floor-add-elsewhere is the same
// row on a router with few. own-add and own-replace are what the agent and the
// kernel add to the floor.
//
// BenchmarkVariants has IPv6, ECMP over nexthop objects, several networks, SSL,
// a cluster and, where the kernel has VRF devices, a VRF.
package importing
