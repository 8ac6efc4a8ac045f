// Command demo shows the operator at work, on one of two stages.
//
// The lab (test/lab) has all of it: nodes with FRR, the unmodified frr-k8s, OVN
// and this agent, a router outside, pods and a server. One story is told there,
// step by step, with what each part knows after each step, and with packets
// both ways. It needs root and what `make lab-root lab-binaries` builds.
//
// The control plane is a real kube-apiserver and the real manager with no more
// than the rights of config/rbac, and needs nothing else. The stories of
// config/samples are told there one after the other, each with what came of it
// on every node.
//
// Everything is done as a user would do it, with kubectl and the files of this
// repository. It must never reach into the operator: what it prints is read
// from the API server, from FRR, from kernels and from OVN.
package main
