// Package preview shows people what the operator would generate from some objects: as a
// table, as manifests, or as a diff. It uses the manager's own snapshot, plan, render and
// status packages.
//
// It decides nothing itself and writes to no cluster, and its output depends on its input
// alone: not on the clock, not on the order of arrival.
package preview
