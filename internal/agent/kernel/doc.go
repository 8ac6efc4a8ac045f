// Package kernel mirrors kernel routing tables as far as BGP's routes go: which
// of them the kernel uses, for which packets, and by which next hops.
//
// Netlink loses messages, so its events are hints that are checked: the mirror
// subscribes first and lists after, lists again whenever it may have missed
// something, and takes nothing as gone because a listing was cut short. It
// must never decide what becomes of a route, never change the kernel, and keep
// no more of a table than it was told to.
package kernel
