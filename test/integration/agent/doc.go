// Package agent tests the agent as a whole, with the tables of a real kernel in network
// namespaces and a real ovsdb-server.
package agent
