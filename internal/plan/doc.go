// Package plan decides what every node's BGP routers should look like: it turns a
// model.Snapshot into a model.Plan and the findings that explain it.
//
// It is pure: no I/O, no clock, no globals, and the same input gives the same output,
// whatever order it arrives in. It works in two steps, so that an event on one node costs
// one node: Compile resolves what all nodes share (which networks and templates each
// RouteAdvertisements object selects, what excludes what), and Compiled.Node applies that
// to a node.
//
// A failure never spreads: it is a finding in the scope of the node, template, neighbor or
// network at fault, and everything else is planned.
package plan
