// Package kernel mirrors the BGP routes in kernel routing tables: which of them the
// kernel uses, for which packets, and with which next hops.
//
// Netlink loses messages, so its events are only hints. The mirror subscribes first and
// lists afterwards, lists again whenever it may have missed something, and never assumes
// that a route is gone because a listing was cut short. It must never decide what happens
// to a route, never change the kernel, and keep no more of a table than it needs.
package kernel
