// Package probe asks, from one machine of the lab to another, whether packets
// arrive and which address they arrive from: with a TCP connection, because a
// ping tells neither whether checksums are right nor, to the other end, who
// sent it. A Stream is for what lasts: how long it was interrupted.
//
// Sockets are made inside of the machines, on one thread, so it starts no
// process: in an emulated machine a process costs 50 ms.
package probe
