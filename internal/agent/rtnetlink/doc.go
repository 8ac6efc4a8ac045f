// Package rtnetlink gets listings from a network namespace's kernel, and follows its
// events, for the packages that know what they mean, and takes messages apart.
//
// Neither can be relied on alone. The kernel drops events if a socket's buffer is full,
// and reports that. A listing during which something changed may be wrong; for some kinds
// the kernel reports that, too. This package passes both reports on. It must never decide
// what to do about them, and never change the kernel.
//
// A namespace is a handle of vishvananda/netns; the zero value is the process's own.
package rtnetlink
