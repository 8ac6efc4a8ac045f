// Package vrfs makes the VRF devices of networks for which nothing else does.
// A network that is also reached by way of other VRFs gets the ip rules that
// lead to it; one that is advertised in its own VRF alone (VRF-Lite) gets the
// routes that close it, and no rule: tenants may have the same subnets.
//
// Plan is the pure part: what is wanted against what the kernel has. A Keeper
// reads the kernel, plans, and writes. A Loop has it look whenever the networks
// change or the kernel tells of a change. Whatever this package makes is marked
// in the message that makes it: devices by their group, rules and routes by
// their protocol. So an agent that is killed at any point leaves nothing whose
// maker is unknown, and the next one goes on from there without a memory.
//
// It must never change or remove a device, rule or route without its mark, nor
// take a network that is not known well enough for one that is gone. It knows
// neither Kubernetes nor OVN nor BGP: networks are handed to it.
package vrfs
