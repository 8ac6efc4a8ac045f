// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 is the operator's own API, group ovnbgp.io: what each node
// does for its networks, and what it has imported.
//
// It holds types and their markers only.
//
// +kubebuilder:object:generate=true
// +groupName=ovnbgp.io
package v1alpha1
