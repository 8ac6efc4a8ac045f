// Package agent keeps each network's gateway router on this node in step with the BGP
// routes in the network's kernel table. One loop per network takes what changed in the
// kernel or in OVN, asks routediff what to do, and has ovnnb write it.
//
// Everything is level-triggered: events only say where to look. It must never parse
// netlink or OVSDB messages, and an unknown state must never look like an empty one.
package agent
