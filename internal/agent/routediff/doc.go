// Package routediff decides which of the kernel's routes belong on a gateway
// router, and which rows have to change so that they are there.
//
// It is pure: it sees values, it returns values, and it imports the model
// only. It must never read a table, a database or a clock.
package routediff
