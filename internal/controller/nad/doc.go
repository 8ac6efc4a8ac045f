// Package nad is the controller that tells OVN-Kubernetes which RouteAdvertisements
// advertise a network: it maintains the annotation k8s.ovn.org/route-advertisements of the
// network's NetworkAttachmentDefinitions, which OVN-Kubernetes' node components read.
//
// It must never remove what others wrote there, unless it is about objects that the
// operator is responsible for.
package nad
