// Package vteps puts the addresses of VTEPs that the manager gave to the node on devices of
// their own: a dummy for each VTEP, which no cable can take down.
//
// Plan is the pure part: it compares what is wanted with what the kernel has. A Keeper
// reads the kernel, plans, and writes. A Loop runs it whenever the VTEPs change or the
// kernel reports a change. A device carries its mark, the device group, from the moment it
// is made, and what is on it is this package's. So an agent that is killed at any point
// leaves nothing without a mark, and the next one goes on without a memory.
//
// It must never change or remove a device without its mark, nor an address on one. It knows
// nothing of EVPN, BGP or Kubernetes: it is given names and addresses.
package vteps
