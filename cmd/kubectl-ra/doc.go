// Command kubectl-ra is the kubectl plugin for RouteAdvertisements: it shows what
// the operator would generate from them.
//
// This package only reads flags, and wires up the others. It must never decide
// anything about routes, and it never writes to a cluster.
package main
