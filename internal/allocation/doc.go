// Package allocation gives nodes the addresses of their tunnel endpoints: one per VTEP and
// family, from the VTEP's ranges in their order.
//
// Allocate is a pure function. Who has an address that a VTEP's ranges contain keeps it;
// the others get what is left. So an address changes hands only when its holder is gone,
// whatever becomes of ranges, of other nodes or of the order that they come in.
//
// It must never take an address from a node that may have it, and knows nothing of where
// addresses are written down.
package allocation
