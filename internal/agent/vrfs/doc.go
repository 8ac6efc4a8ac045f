// Package vrfs creates the VRF devices of networks, if nothing else does. A network that
// is also reached through other VRFs gets ip rules that lead to it. A network that is
// advertised in its own VRF alone (VRF-Lite) gets routes that isolate it, and no rule, so
// that tenants may have the same subnets.
//
// Plan is the pure part: it compares what is wanted with what the kernel has. A Keeper
// reads the kernel, plans, and writes. A Loop runs it whenever the networks change or the
// kernel reports a change. Whatever this package creates carries a mark from the start:
// devices by their group, rules and routes by their protocol. So an agent that is killed
// at any point leaves nothing without a mark, and the next one continues from there and
// needs no memory.
//
// It must never change or remove a device, rule or route without its mark, and must never
// treat a network that is not fully known as a deleted one. It knows nothing about
// Kubernetes, OVN or BGP: it is given the networks.
package vrfs
