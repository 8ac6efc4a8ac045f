// Command kubectl-ra is the kubectl plugin for RouteAdvertisements: it shows what
// the operator would generate from them, and changes templates that are in use.
//
// This package only reads flags, and wires up the others. It must never decide
// anything about routes, and nothing but apply writes to a cluster.
package main
