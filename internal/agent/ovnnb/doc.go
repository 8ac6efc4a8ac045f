// Package ovnnb keeps our static routes on gateway routers in the OVN
// Northbound database: it watches the rows that are ours, tells which of them
// changed, and writes changes in transactions whose every result is checked.
//
// It must never decide which routes belong on a router, and never touch a row
// of another owner.
//
// Connections, schema, monitors, the rows themselves and transactions are
// libovsdb's. An agent runs on every node and has 150 MiB, libovsdb keeps
// every monitored column as a Go value and decodes a reply as a whole, so what
// is monitored, and how, is chosen by what it costs. Measured with 100,000
// rows, libovsdb alone in a process, peak memory and its CPU time:
//
//	all columns, one monitor                 416 MiB  6.4 s
//	without external_ids, one monitor        204 MiB  2.7 s
//	without external_ids, in 64 parts         71 MiB  3.4 s, the server 28 s
//	no monitor, rows selected by UUID        112 MiB  5.8 s, edits of others not seen
//
// So external_ids, which libovsdb decodes twice over, are looked at by the
// monitors' conditions only; the output port tells the network instead. A mark
// in them divides the rows into a few parts, each read by a monitor of its
// own. The router's set of routes is not monitored at all. The whole agent then
// needs 120 MiB. With a session and a streaming JSON reader of our own it was
// 80 MiB and a quarter to a sixth of the CPU time, for nine hundred lines more to keep.
package ovnnb
