// Package cluster is the controller of what concerns every node: it gathers
// the cluster's objects, compiles them into a revision, and gives work to the
// controllers whose results may change because of it.
//
// It must never write anything for a node; the only object it writes is the
// RouteAdvertisements object of networks with managed routing.
package cluster
