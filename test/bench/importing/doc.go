// Package importing measures the agent against a real kernel table and a real
// ovsdb-server: how long R routes take until OVN has them, what one change
// costs afterwards, and how much memory the agent needs. Workloads are those
// of the peer: routes of the default network, over two next hops.
//
// The agent runs as a process of its own, so that its CPU time and memory are
// its own. There are two floors, measured in the same run: a dump of the
// table, and the same rows written by the barest transaction.
package importing
