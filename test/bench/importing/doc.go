// Package importing measures the agent against a real kernel table and a real
// ovsdb-server: how long it takes until R routes are in OVN, what one change costs
// afterwards, and how much memory the agent needs. Workloads are those of the peer:
// routes of the default network, with two next hops.
//
// The agent runs as a separate process, so that its CPU time and memory can be
// measured. There are two floors, measured in the same run: a dump of the table, and
// the same rows, written in a minimal transaction.
//
// For each additional route, ovsdb-server needs time that grows with the router's set
// of routes, because it copies and compares the whole set: floor-add-elsewhere adds the
// same row to a router with few routes. own-add and own-replace are what the agent and
// the kernel add to the floor.
//
// BenchmarkVariants has IPv6, ECMP over nexthop objects, several networks, SSL, a
// cluster and, if the kernel has VRF devices, a VRF.
package importing
