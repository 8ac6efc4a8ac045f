// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// VTEPState reports what the node has of a VTEP of which the manager gave it addresses.
type VTEPState struct {
	// name is the VTEP's.
	//
	// +required
	Name string `json:"name"`

	// device is the name that the dummy device with the addresses has, or should have.
	//
	// +optional
	Device string `json:"device,omitempty"`

	// addresses are those that the manager gave to the node.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=2
	Addresses []IP `json:"addresses,omitempty"`

	// conditions say whether the node has them.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}
