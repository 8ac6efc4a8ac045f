// Package frr runs FRR as Debian packages it on the lab's machines, asks it
// what it knows, and configures it.
//
// Questions go straight to the daemons' vty sockets, as vtysh's do: in an
// emulated machine the start of a vtysh costs more than the answer.
package frr
