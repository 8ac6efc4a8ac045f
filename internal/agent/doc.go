// Package agent keeps each network's gateway router on this node in step with
// the BGP routes of the network's kernel table: one loop per network, which
// takes what changed in the kernel or in OVN, asks routediff what follows, and
// has ovnnb write it.
//
// Everything is level-triggered: events only say where to look. It must never
// parse netlink or OVSDB messages, and a state that it does not know must
// never look like an empty one.
package agent
