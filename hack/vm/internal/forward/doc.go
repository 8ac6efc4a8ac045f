// Package forward brings connections out of a network namespace that has no
// way out, to a fixed list of addresses on the host's loopback.
//
// The process in the namespace listens and hands its listeners, as open files,
// to the one that started it, which accepts outside. In the virtual machine the
// accepted connections go on over one virtio-serial port, multiplexed by yamux:
// each has flow control of its own, so that a watch that nobody reads holds up
// no other.
//
// The room moves bytes. It never looks into them, and opens nothing that is not
// on the list.
package forward
