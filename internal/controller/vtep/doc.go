// Package vtep is the controller that gives nodes the addresses of VTEPs, with
// --manage-vteps. Package allocation decides who gets which. An address is written into
// the annotation of the node's NodeNetworks before anything is planned with it, and only
// the manager may write that object: a node could change an annotation of its Node.
//
// A VTEP with mode Managed has a condition of this controller, unless OVN-Kubernetes keeps
// the cluster's VTEPs.
//
// It must never give out what another node may still have: a manager that begins to lead
// asks the API server, since its cache may be behind, and afterwards goes by what it
// decided itself.
package vtep
