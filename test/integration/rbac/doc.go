// Package rbac proves that the rights in config/ are the least that works: it
// runs manager and agent as processes under their own service accounts and
// compares what the API server's audit log says that they did with what their
// roles grant, in both directions. It also proves what RBAC can't say: that an
// agent writes its own node's NodeRouteState only, and that metrics are for
// those who may read them.
package rbac
