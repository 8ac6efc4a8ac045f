// Command gobgprouter is a router for the lab whose BGP is GoBGP's, so that
// what works does not work only because FRR talks to FRR.
//
// It is GoBGP as its authors publish it, with their configuration file and
// their API, plus the one thing that a router has and a BGP daemon hasn't: it
// keeps the best routes that it learned in the kernel's main table (fib.go).
// The lab talks to it with GoBGP's own client, gobgp, which is built beside it.
//
// It is a module of its own, so that GoBGP's dependencies are not the
// operator's. test/lab/gobgp runs it.
package main
