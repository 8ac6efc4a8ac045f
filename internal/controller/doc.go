// Package controller wires up the controllers: what they share, what the cache keeps of
// each object, and when the manager is ready.
//
// There are four. Package cluster compiles what all nodes share, package node applies one
// node's plan, package verdict writes the status of one RouteAdvertisements object, and
// package nad writes one annotation. They share a plan and trigger each other (package
// current), so that a change costs only what it affects.
//
// This package must never decide anything about routes, and reads no flags.
package controller
