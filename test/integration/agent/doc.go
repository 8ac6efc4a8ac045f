// Package agent tests the agent as a whole: a real kernel's tables in network
// namespaces, a real ovsdb-server, and what lies between.
package agent
