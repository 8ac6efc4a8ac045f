// Package sources finds out from the API server which networks an agent
// imports routes for, and which subnets no imported route may touch.
//
// Agents run on every node, so it reads the agent's own Node and the few
// cluster-wide kinds that describe networks. It must never cache pods, other
// nodes, or anything else that grows with the cluster.
package sources
