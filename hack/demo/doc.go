// Command demo shows the operator at work, on one of two stages.
//
// The lab (test/lab) has everything: nodes with FRR, the unmodified frr-k8s, OVN and
// this agent, an external router, pods and a server. The demo runs one scenario
// there, step by step. After each step it shows what each part knows, and it sends
// packets in both directions. It needs root and what `make lab-root lab-binaries`
// builds.
//
// The control plane is a real kube-apiserver and the real manager, with only the
// rights of config/rbac. It needs nothing else. The demo applies the samples in
// config/samples there one after the other, and shows what each node got from them.
//
// The demo does everything as a user would: with kubectl and the files of this
// repository. It must never use the operator's internals: what it prints comes from
// the API server, from FRR, from kernels and from OVN.
package main
