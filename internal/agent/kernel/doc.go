// Package kernel mirrors the BGP routes of kernel routing tables, and makes
// the VRF devices, rules and routes that an agent was asked to manage.
//
// Netlink loses messages, so its events are hints that are checked: the mirror
// subscribes first and lists after, lists again whenever it may have missed
// something, and takes nothing as gone because a listing was cut short. It
// must never decide what becomes of a route, and never change the kernel but
// for what its Manager owns.
package kernel
