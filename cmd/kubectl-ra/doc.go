// Command kubectl-ra is kubectl's plugin for RouteAdvertisements: it shows what
// they would turn into.
//
// This room reads flags and puts the parts together. It must never decide
// anything about routes, and it never writes to a cluster.
package main
