// SPDX-License-Identifier: Apache-2.0

package v1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// EgressIP gives the pods that it selects fixed source addresses for traffic
// that leaves the cluster. OVN-Kubernetes assigns the addresses to nodes and
// writes the status, which is not a subresource.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=egressips,scope=Cluster,shortName=eip
// +kubebuilder:printcolumn:name="EgressIPs",type=string,JSONPath=".spec.egressIPs[*]"
// +kubebuilder:printcolumn:name="Assigned Node",type=string,JSONPath=".status.items[*].node"
// +kubebuilder:printcolumn:name="Assigned EgressIPs",type=string,JSONPath=".status.items[*].egressIP"
type EgressIP struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says which pods get which addresses.
	//
	// +required
	Spec EgressIPSpec `json:"spec"`

	// status is what OVN-Kubernetes assigned.
	//
	// +optional
	Status EgressIPStatus `json:"status,omitzero"`
}

// EgressIPSpec says which addresses are for which pods.
type EgressIPSpec struct {
	// egressIPs are the addresses, of either family.
	//
	// +required
	EgressIPs []string `json:"egressIPs"`

	// namespaceSelector matches the labels of the namespaces whose pods get
	// the addresses.
	//
	// +required
	NamespaceSelector metav1.LabelSelector `json:"namespaceSelector"`

	// podSelector limits the selection to pods with matching labels; if it is not
	// set, all pods of the namespaces are selected.
	//
	// +optional
	PodSelector metav1.LabelSelector `json:"podSelector,omitempty"`
}

// EgressIPStatus is the addresses' assignment.
type EgressIPStatus struct {
	// items are the addresses that are assigned to a node.
	//
	// +required
	Items []EgressIPStatusItem `json:"items"`
}

// EgressIPStatusItem is one address on one node.
type EgressIPStatusItem struct {
	// node is the node's name.
	//
	// +required
	Node string `json:"node"`

	// egressIP is the address.
	//
	// +required
	EgressIP string `json:"egressIP"`
}

// EgressIPList is a list of EgressIPs.
//
// +kubebuilder:object:root=true
type EgressIPList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []EgressIP `json:"items"`
}
