// Package metrics holds the controllers' metrics, in addition to those of
// controller-runtime.
//
// It must never decide anything, nor read the cluster.
package metrics
