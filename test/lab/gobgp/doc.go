// Package gobgp runs a router of the lab whose BGP is GoBGP's, so that what
// works does not work only because FRR talks to FRR.
//
// The program is hack/gobgp's: GoBGP as its authors publish it, and its best
// routes in the kernel. It is a module and a process of its own, and is asked
// through GoBGP's own client, so that nothing of GoBGP is in the operator's
// go.mod. `make gobgp` builds both.
package gobgp
