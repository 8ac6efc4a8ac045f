// Package controlplane runs the Kubernetes control plane for tests and the demo: a
// real kube-apiserver and a real etcd, with the CRDs that the operator needs.
//
// There are no controllers and no nodes. Nothing deletes the contents of a deleted
// namespace, nothing collects garbage, and Nodes are only objects that tests write.
// The package starts, stops and gives access. It must never create objects of a
// test or wait for the operator.
package controlplane
