// Package controlplane runs the Kubernetes control plane that tests and the
// demo talk to: a real kube-apiserver on a real etcd, with the CRDs that the
// operator works with.
//
// There are no controllers and no nodes: nothing deletes the contents of a
// deleted namespace, nothing collects garbage, and Nodes are only what
// somebody writes. The room starts, stops and gives access; it must never
// create objects of a story or wait for the operator.
package controlplane
