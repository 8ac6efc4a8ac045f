// Package node is the controller with one request per node: it plans the node
// by the current revision, has the result applied, and tallies how far every
// RouteAdvertisements object got there.
//
// It must never decide what a node advertises (that is package plan's
// business), and it writes no status: it only triggers who does.
package node
