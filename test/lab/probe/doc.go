// Package probe checks, from one machine of the lab to another, whether packets
// arrive and which source address they have. It opens a TCP connection, because a
// ping shows neither whether checksums are right nor, to the other end, who sent it.
// A Stream measures for how long a longer exchange was interrupted, a Connection
// shows that TCP outlives it.
//
// Sockets are opened inside the machines, on one thread, so no process is started:
// in an emulated machine a process takes 50 ms to start.
package probe
