// Package kube is the lab's control plane: an etcd and a kube-apiserver. Either
// test/controlplane starts them, or they run already: for the virtual machine they
// run on the host.
//
// Everything in the lab connects to it with a token of its own service account,
// through a port on its own machine's loopback, so that a test can take either away.
package kube
