// Package vswitch keeps ports of a node's Open vSwitch: the internal ports by which OVN's
// switches reach a bridge of the kernel.
//
// It must never touch a port that has not its mark, and no other table than the ones that
// make up a port.
//
// A node has an Interface row for each of its pods, thousands of them. Only internal ones
// are monitored, which are the bridges' own and a few of each network. OVSDB has no
// condition on a key without its value (RFC 7047, 5.1), so that OVN-Kubernetes' mark, whose
// value is the name of a VTEP, can't be one.
package vswitch
