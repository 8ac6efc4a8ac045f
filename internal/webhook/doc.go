// Package webhook reports at `kubectl apply` what a status would otherwise report later:
// it answers admission reviews with what the planner makes of the cluster in the
// manager's cache, with the reviewed object in it.
//
// It denies only what nothing that is applied later can fix, and only if the operator is
// responsible for the spec. Everything else is a warning, because manifests arrive in any
// order; and it warns only about problems that the object causes and that did not exist
// before. Of nodes that look alike it plans a few, so that its time does not grow with the
// cluster. The status is the whole truth.
//
// Anyone who can reach the port may send a review and claim to be anyone. Only the API
// server learns how an object affects others: see NewHandler. Of its users, only
// those who may read these objects learn it: see rights.go.
//
// It must never get in the way: what it can't check, it lets pass, and says so. It writes
// nothing, so a dry run may call it.
package webhook
