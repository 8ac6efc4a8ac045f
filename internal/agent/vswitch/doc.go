// Package vswitch keeps ports of a node's Open vSwitch: the internal ports by which OVN's
// switches reach a bridge of the kernel.
//
// It must never touch a port that has not its mark, and no other table than the ones that
// make up a port.
package vswitch
