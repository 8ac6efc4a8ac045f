// Package agent measures the agent against the least that its work could cost
// with the same kernel and the same ovsdb-server: a netlink dump that looks at
// nothing, and the same rows written by the barest libovsdb transactions.
package agent
