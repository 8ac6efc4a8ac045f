// Package forward carries connections from a network namespace that has no way out
// to a fixed list of addresses on the host's loopback.
//
// The process in the namespace listens and passes its listeners, as open files, to
// the process that started it, which accepts connections outside. In the virtual
// machine, yamux multiplexes the accepted connections over one virtio-serial port.
// Each connection has its own flow control, so a watch that nobody reads does not
// block the others.
//
// The package moves bytes. It never looks into them, and connects to nothing that is
// not on the list.
package forward
