// Package report tells the cluster what an agent did: a NodeRouteState named
// after the node, and events for what people should know soon.
//
// It must never decide anything, and never write more often than every few
// seconds, because thousands of nodes do it at once.
package report
