// Package rtnetlink asks a network namespace's kernel for listings, and follows
// its events, for the rooms that know what they mean.
//
// Neither can be relied on alone. The kernel drops events for which a socket has
// no room, and says so; a listing that something changed meanwhile may be wrong,
// and for some kinds the kernel says so, too. The package tells its callers of
// both. It must never decide what is done then, and never change the kernel.
//
// A namespace is a handle of vishvananda/netns; the zero value is the process's
// own.
package rtnetlink
