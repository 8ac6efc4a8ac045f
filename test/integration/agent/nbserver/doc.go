// Package nbserver runs real ovsdb-servers with OVN's Northbound schema for tests,
// alone or as a cluster, and reads them with tools that share no code with the agent.
//
// It knows nothing about the agent, and it stops nothing that it did not start.
package nbserver
