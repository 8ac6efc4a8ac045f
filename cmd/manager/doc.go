// Command manager is the operator's cluster-wide part: it turns
// RouteAdvertisements into one FRRConfiguration per node.
//
// This package only reads flags and the environment, and wires up the others. It
// must never decide anything about routes.
package main
