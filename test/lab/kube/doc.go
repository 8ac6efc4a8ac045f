// Package kube is the lab's control plane: an etcd and a kube-apiserver that
// test/controlplane starts, or one that is running already, as in the virtual
// machine, where they run on the host.
//
// Everything in the lab talks to it with a token of its own service account,
// through a port of its own machine's loopback, so that a test can take either
// away.
package kube
