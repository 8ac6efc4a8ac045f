// Command agent is the operator's part on every node: it keeps the gateway routers
// of the node's networks in step with the BGP routes in its kernel.
//
// This package only reads flags and the environment, and wires up the others. It
// must never decide anything about routes.
package main
