// Package webhook says at `kubectl apply` what would otherwise stand in a
// status afterwards: it answers admission reviews with what the planner makes
// of the cluster as the manager's cache has it, with the object in it.
//
// It denies only what nothing that is applied later can mend, and only where
// the spec is the operator's to judge. All else is a warning, because manifests
// arrive in any order: that which the object brings about and which was not so
// before. Of nodes that look alike it plans a few, so that its time does not
// grow with the cluster; the status is the whole truth.
//
// Anybody who reaches the port may ask, and claim to be whoever he likes. Only
// the API server is told what other objects have to do with one; see NewHandler.
// Of its users only those are told who may read these objects; see rights.go.
//
// It must never stand in the way: what it can't find out, it lets pass, and
// says so. It writes nothing, so that a dry run may ask it.
package webhook
