// SPDX-License-Identifier: Apache-2.0

package v1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// NetworkSelectionType says which kind of networks a NetworkSelector selects.
//
// +kubebuilder:validation:Enum=DefaultNetwork;ClusterUserDefinedNetworks;PrimaryUserDefinedNetworks;SecondaryUserDefinedNetworks;NetworkAttachmentDefinitions
type NetworkSelectionType string

// The kinds of networks that can be selected.
const (
	DefaultNetwork               NetworkSelectionType = "DefaultNetwork"
	ClusterUserDefinedNetworks   NetworkSelectionType = "ClusterUserDefinedNetworks"
	PrimaryUserDefinedNetworks   NetworkSelectionType = "PrimaryUserDefinedNetworks"
	SecondaryUserDefinedNetworks NetworkSelectionType = "SecondaryUserDefinedNetworks"
	NetworkAttachmentDefinitions NetworkSelectionType = "NetworkAttachmentDefinitions"
)

// NetworkSelectors selects networks; at most one selector of each kind.
//
// +kubebuilder:validation:MinItems=1
// +kubebuilder:validation:MaxItems=5
// +listType=map
// +listMapKey=networkSelectionType
type NetworkSelectors []NetworkSelector

// NetworkSelector selects networks of one kind. For every kind but
// DefaultNetwork, a selector of its own says which networks.
//
// +union
// +kubebuilder:validation:XValidation:rule="has(self.clusterUserDefinedNetworkSelector) == (self.networkSelectionType == 'ClusterUserDefinedNetworks')",message="set clusterUserDefinedNetworkSelector with networkSelectionType ClusterUserDefinedNetworks, and only then"
// +kubebuilder:validation:XValidation:rule="has(self.primaryUserDefinedNetworkSelector) == (self.networkSelectionType == 'PrimaryUserDefinedNetworks')",message="set primaryUserDefinedNetworkSelector with networkSelectionType PrimaryUserDefinedNetworks, and only then"
// +kubebuilder:validation:XValidation:rule="has(self.secondaryUserDefinedNetworkSelector) == (self.networkSelectionType == 'SecondaryUserDefinedNetworks')",message="set secondaryUserDefinedNetworkSelector with networkSelectionType SecondaryUserDefinedNetworks, and only then"
// +kubebuilder:validation:XValidation:rule="has(self.networkAttachmentDefinitionSelector) == (self.networkSelectionType == 'NetworkAttachmentDefinitions')",message="set networkAttachmentDefinitionSelector with networkSelectionType NetworkAttachmentDefinitions, and only then"
type NetworkSelector struct {
	// networkSelectionType is the kind of networks to select.
	//
	// +required
	// +unionDiscriminator
	NetworkSelectionType NetworkSelectionType `json:"networkSelectionType"`

	// clusterUserDefinedNetworkSelector selects ClusterUserDefinedNetworks. Set it
	// if networkSelectionType is ClusterUserDefinedNetworks.
	//
	// +optional
	ClusterUserDefinedNetworkSelector *ClusterUserDefinedNetworkSelector `json:"clusterUserDefinedNetworkSelector,omitempty"`

	// primaryUserDefinedNetworkSelector selects primary UserDefinedNetworks. Set
	// it if networkSelectionType is PrimaryUserDefinedNetworks.
	//
	// +optional
	PrimaryUserDefinedNetworkSelector *PrimaryUserDefinedNetworkSelector `json:"primaryUserDefinedNetworkSelector,omitempty"`

	// secondaryUserDefinedNetworkSelector selects secondary UserDefinedNetworks.
	// Set it if networkSelectionType is SecondaryUserDefinedNetworks.
	//
	// +optional
	SecondaryUserDefinedNetworkSelector *SecondaryUserDefinedNetworkSelector `json:"secondaryUserDefinedNetworkSelector,omitempty"`

	// networkAttachmentDefinitionSelector selects the networks of
	// NetworkAttachmentDefinitions. Set it if networkSelectionType is
	// NetworkAttachmentDefinitions.
	//
	// +optional
	NetworkAttachmentDefinitionSelector *NetworkAttachmentDefinitionSelector `json:"networkAttachmentDefinitionSelector,omitempty"`
}

// ClusterUserDefinedNetworkSelector selects ClusterUserDefinedNetworks.
type ClusterUserDefinedNetworkSelector struct {
	// networkSelector matches the labels of ClusterUserDefinedNetworks; if it is
	// empty, it matches all of them.
	//
	// +required
	NetworkSelector metav1.LabelSelector `json:"networkSelector"`
}

// PrimaryUserDefinedNetworkSelector selects primary UserDefinedNetworks.
type PrimaryUserDefinedNetworkSelector struct {
	// namespaceSelector matches the labels of the namespaces whose primary
	// network is selected.
	//
	// +required
	NamespaceSelector metav1.LabelSelector `json:"namespaceSelector"`
}

// SecondaryUserDefinedNetworkSelector selects secondary UserDefinedNetworks.
type SecondaryUserDefinedNetworkSelector struct {
	// namespaceSelector matches the labels of the namespaces to select from.
	//
	// +required
	NamespaceSelector metav1.LabelSelector `json:"namespaceSelector"`

	// networkSelector matches the labels of UserDefinedNetworks in these
	// namespaces.
	//
	// +required
	NetworkSelector metav1.LabelSelector `json:"networkSelector"`
}

// NetworkAttachmentDefinitionSelector selects the networks of
// NetworkAttachmentDefinitions.
type NetworkAttachmentDefinitionSelector struct {
	// namespaceSelector matches the labels of the namespaces to select from.
	//
	// +required
	NamespaceSelector metav1.LabelSelector `json:"namespaceSelector"`

	// networkSelector matches the labels of NetworkAttachmentDefinitions in these
	// namespaces.
	//
	// +required
	NetworkSelector metav1.LabelSelector `json:"networkSelector"`
}
