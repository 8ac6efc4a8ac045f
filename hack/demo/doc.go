// Command demo shows the operator at work: a real kube-apiserver, the real
// manager with no more than the rights of config/rbac, and the stories of
// config/samples one after the other, each with what came of it on every node.
//
// Everything is done as a user would do it, with kubectl and the files of this
// repository. It must never reach into the operator: what it prints is read
// from the API server.
package main
