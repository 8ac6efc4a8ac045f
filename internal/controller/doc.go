// Package controller puts the controllers together: what they share, what the
// cache keeps of each object, and when the manager is ready.
//
// There are four. Package cluster compiles what concerns every node, package
// node applies one node's plan, package verdict writes the status of one
// RouteAdvertisements object, and package nad one annotation. They share a
// plan and give each other work (package current), so that a change costs what
// it concerns.
//
// This package must never decide anything about routes, and reads no flags.
package controller
