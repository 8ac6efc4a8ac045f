// Package current is what the controllers share: the plan that holds now, the
// nodes that still have to catch up with it, and the triggers by which one
// controller gives work to another.
//
// It must never read or write the cluster.
package current
