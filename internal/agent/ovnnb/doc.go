// Package ovnnb maintains our static routes on gateway routers in the OVN Northbound
// database. It watches our rows, reports which of them changed, and writes changes in
// transactions whose every result is checked.
//
// It must never decide which routes belong on a router, and never touch a row of another
// owner.
//
// libovsdb provides connections, schema, monitors, rows and transactions. An agent runs on
// every node and may use 150 MiB. libovsdb keeps every monitored column as a Go value and
// decodes a reply as a whole, so the monitors are chosen by what they cost. Measured with
// 100,000 rows and libovsdb alone in a process, peak memory and its CPU time:
//
//	all columns, one monitor                 416 MiB  6.4 s
//	without external_ids, one monitor        204 MiB  2.7 s
//	without external_ids, in 64 parts         71 MiB  3.4 s, the server 28 s
//	no monitor, rows selected by UUID        112 MiB  5.8 s, edits of others not seen
//
// libovsdb decodes external_ids twice, so only the monitors' conditions use them; the
// output port identifies the network instead. A mark in them divides the rows into a few
// parts, each with a monitor of its own. The router's set of routes is not monitored at
// all. The whole agent then needs 120 MiB. With a session and a streaming JSON reader of
// our own it needed 80 MiB and a sixth to a quarter of the CPU time, but that was nine
// hundred more lines to maintain.
package ovnnb
