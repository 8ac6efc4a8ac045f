// Package gobgp runs a router of the lab that runs GoBGP, to show that the operator
// works with other BGP implementations than FRR.
//
// The program is in hack/gobgp: the published GoBGP, with its best routes in the
// kernel. It is a module and a process of its own, and this package uses GoBGP's own
// client, so that the operator's go.mod has nothing of GoBGP. `make gobgp` builds
// both.
package gobgp
