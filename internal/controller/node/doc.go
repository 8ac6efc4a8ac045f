// Package node is the controller with one request per node: it plans the node with the
// current revision, has the result applied, and counts how far every RouteAdvertisements
// object got there.
//
// It must never decide what a node advertises (package plan does that), and it writes no
// status: it only triggers the controllers that do.
package node
