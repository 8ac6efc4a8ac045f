// Package preview shows people what the operator would make of some objects:
// as a table, as manifests, or as a diff. It runs the manager's own snapshot,
// plan, render and status rooms.
//
// It decides nothing itself, it writes to no cluster, and what it prints
// depends on its input alone: no clock, no order of arrival.
package preview
