// Command agent is the operator's half on every node: it keeps the gateway
// routers of the node's networks in step with the BGP routes of its kernel.
//
// This room reads flags and the environment and puts the parts together. It
// must never decide anything about routes.
package main
