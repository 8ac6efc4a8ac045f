// Package current is what the controllers share: the rollout, which is the current plan
// with the nodes that have yet to catch up with it, and the triggers with which
// controllers wake each other.
//
// It must never read or write the cluster.
package current
