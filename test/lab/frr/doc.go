// Package frr runs FRR, as Debian packages it, on the lab's machines, queries it and
// configures it.
//
// Queries go straight to the daemons' vty sockets, as vtysh's do: in an emulated
// machine the start of a vtysh takes longer than the answer.
package frr
