// Package vrfs makes the VRF devices of networks for which nothing else does,
// with the ip rules that lead to them and the routes that close them.
//
// Plan is the pure part: what is wanted against what the kernel has. A Keeper
// reads the kernel, plans, and writes. Whatever this package makes is marked
// in the message that makes it: devices by their group, rules and routes by
// their protocol. So an agent that is killed at any point leaves nothing whose
// maker is unknown, and the next one goes on from there without a memory.
//
// It must never change or remove a device, rule or route without its mark, nor
// take a network that is not known well enough for one that is gone. It knows
// neither Kubernetes nor OVN nor BGP: networks are handed to it.
package vrfs
