// Command gobgprouter is a router for the lab that runs GoBGP, to show that the
// operator works with other BGP implementations than FRR.
//
// It is the published GoBGP with its own configuration file and API. It adds the
// one thing that a router has and a BGP daemon lacks: it installs the best routes
// in the kernel's main table (fib.go). The lab controls it with GoBGP's own
// client, gobgp, which is built with it.
//
// It is a module of its own, so that the operator doesn't depend on GoBGP.
// test/lab/gobgp runs it.
package main
