// SPDX-License-Identifier: Apache-2.0

// Package v1 is the k8s.ovn.org/v1 API as OVN-Kubernetes serves it:
// RouteAdvertisements, ClusterUserDefinedNetwork, EgressIP and VTEP, with the
// same field names, enums, list types and validation, so that every manifest
// written for OVN-Kubernetes means the same here.
//
// It holds types, their constants and their validation markers, and nothing
// that decides or reads: a type whose meaning needs code belongs in
// internal/ovnk. A field that OVN-Kubernetes doesn't have must never be added:
// our own settings live in our own API group.
//
// +kubebuilder:object:generate=true
// +groupName=k8s.ovn.org
package v1
