// Package metrics holds what the controllers count and time, beside what
// controller-runtime counts by itself.
//
// It must never decide anything, nor read the cluster.
package metrics
