// Package drain is the controller that follows the nodes that drain, and writes down in the
// status of each DrainPolicy how far they are. The planner goes by that: it has a listed
// node drain, and withdraws routes in phase Withdrawn. So time, which the planner doesn't
// know, comes from here, and a manager that starts goes on where the last one ended.
//
// It must never decide which node drains, or what a draining node advertises.
package drain
