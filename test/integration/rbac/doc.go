// Package rbac proves that the rights in config/ are the least that works. It runs
// manager and agent as processes under their own service accounts, and compares what
// they did, as the API server's audit log records it, with what their roles grant, in
// both directions. It also proves what RBAC can't express: that an agent writes only
// its own node's NodeRouteState, and that only clients with the right to read metrics
// get them.
package rbac
