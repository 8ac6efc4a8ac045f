// SPDX-License-Identifier: Apache-2.0

// Package v1 is the k8s.ovn.org/v1 API as OVN-Kubernetes serves it:
// RouteAdvertisements, ClusterUserDefinedNetwork, EgressIP and VTEP. Field names,
// enums, list types and validation are the same, so that every manifest written for
// OVN-Kubernetes means the same here.
//
// It holds types, their constants and their validation markers, but no code that
// decides or reads: what a type means is up to internal/ovnk. It must never add a
// field that OVN-Kubernetes doesn't have: our own settings are in our own API group.
//
// +kubebuilder:object:generate=true
// +groupName=k8s.ovn.org
package v1
