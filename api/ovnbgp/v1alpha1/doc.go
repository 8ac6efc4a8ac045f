// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 is the operator's own API, group ovnbgp.io: what each node
// does for its networks, what it has imported, and policies for what it advertises.
//
// It holds types and their markers only.
//
// +kubebuilder:object:generate=true
// +groupName=ovnbgp.io
package v1alpha1
