// Command manager is the operator's cluster-wide half: it turns
// RouteAdvertisements into one FRRConfiguration per node.
//
// This room reads flags and the environment and puts the parts together. It
// must never decide anything about routes.
package main
