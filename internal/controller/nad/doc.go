// Package nad is the controller that tells OVN-Kubernetes which
// RouteAdvertisements advertise a network: it keeps the annotation
// k8s.ovn.org/route-advertisements of the network's
// NetworkAttachmentDefinitions, which OVN-Kubernetes' node components read.
//
// It must never take away what others wrote there, except about objects that
// are the operator's to decide.
package nad
