// Package cluster is the controller for what all nodes share: it gathers the cluster's
// objects, compiles them into a revision, and triggers the controllers whose results may
// change because of it.
//
// It must never write anything for a node; the only object that it writes is the
// RouteAdvertisements object for networks with managed routing.
package cluster
