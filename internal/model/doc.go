// Package model holds the plain values that the rooms of this project hand to
// each other: a Snapshot of what the cluster says, the Plan that follows from
// it, and Findings about what could not be planned.
//
// It imports the standard library only, so that the planner can be read,
// tested and fuzzed without a cluster. Nothing here reads, writes or decides.
package model
