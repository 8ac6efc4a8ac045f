// Package export measures the manager against a real API server: how long a cluster of
// N nodes and M networks takes to converge, what that costs, and what a change of one
// node costs afterwards. Workloads are those of the peer: M Layer3 networks, one
// RouteAdvertisements object for all of them and one for the default network, and one
// template with two neighbors.
//
// The manager runs as a separate process, so that its CPU time and memory can be
// measured. The floor is the same objects, created by a minimal client.
package export
