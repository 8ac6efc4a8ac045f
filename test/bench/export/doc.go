// Package export measures the manager against a real API server: how long a
// cluster of N nodes and M networks takes to converge, what that costs, and
// what the change of one node costs afterwards. Workloads are those of the
// peer: M Layer3 networks, one RouteAdvertisements object for all of them and
// one for the default network, one template with two neighbors.
//
// The manager runs as a process of its own, so that its CPU time and memory
// are its own. The floor is the same objects created by the barest client.
package export
