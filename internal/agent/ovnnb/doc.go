// Package ovnnb keeps our static routes on gateway routers in the OVN
// Northbound database: it watches the rows that are ours, tells which of them
// changed, and writes changes in transactions whose every result is checked.
//
// It must never decide which routes belong on a router, and never touch a row
// of another owner.
//
// The session with ovsdb-server is this package's own, on libovsdb's protocol
// types. libovsdb's client keeps every monitored row as a Go struct and
// decodes a reply as a whole: with 100,000 routes it was measured at 416 MB,
// while an agent, which runs on every node, gets 150. Here rows go from the
// socket straight into a table of some 200 bytes per route.
package ovnnb
