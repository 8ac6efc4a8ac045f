// SPDX-License-Identifier: Apache-2.0

package v1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ClusterUserDefinedNetwork is a network that the pods of several namespaces
// share.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=clusteruserdefinednetworks,scope=Cluster,shortName=cudn,singular=clusteruserdefinednetwork
// +kubebuilder:subresource:status
type ClusterUserDefinedNetwork struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec describes the network, and the namespaces that can use it.
	//
	// +required
	Spec ClusterUserDefinedNetworkSpec `json:"spec"`

	// status is what OVN-Kubernetes reports about the network.
	//
	// +optional
	Status ClusterUserDefinedNetworkStatus `json:"status,omitzero"`
}

// ClusterUserDefinedNetworkSpec is a network and the namespaces that can use it.
//
// +kubebuilder:validation:XValidation:rule="!has(self.uplinks) || (has(self.network.layer3) && self.network.layer3.role == 'Primary') || (has(self.network.layer2) && self.network.layer2.role == 'Primary')",message="uplinks can only be set for a Primary network of topology Layer2 or Layer3"
// +kubebuilder:validation:XValidation:rule="!has(self.uplinks) || self.network.?transport.orValue('Overlay') != 'EVPN'",message="uplinks can't be set with transport EVPN, whose packets leave through the VTEP"
// +kubebuilder:validation:XValidation:rule="has(self.uplinks) == has(oldSelf.uplinks) && (!has(self.uplinks) || self.uplinks == oldSelf.uplinks)",message="uplinks can't be changed"
type ClusterUserDefinedNetworkSpec struct {
	// namespaceSelector matches the labels of the namespaces that can use the
	// network.
	//
	// +required
	NamespaceSelector metav1.LabelSelector `json:"namespaceSelector"`

	// uplinks names the Uplink through which the network's traffic leaves the
	// nodes.
	//
	// +optional
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:items:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Uplinks []string `json:"uplinks,omitempty"`

	// network describes the network itself.
	//
	// +required
	Network NetworkSpec `json:"network"`
}

// NetworkSpec describes a network: its topology, the settings for that
// topology, and how its packets travel between nodes.
//
// +union
// +kubebuilder:validation:XValidation:rule="(self.topology == 'Layer3') == has(self.layer3)",message="set layer3 with topology Layer3, and only then"
// +kubebuilder:validation:XValidation:rule="(self.topology == 'Layer2') == has(self.layer2)",message="set layer2 with topology Layer2, and only then"
// +kubebuilder:validation:XValidation:rule="(self.topology == 'Localnet') == has(self.localnet)",message="set localnet with topology Localnet, and only then"
// +kubebuilder:validation:XValidation:rule="has(self.transport) == has(oldSelf.transport) && (!has(self.transport) || self.transport == oldSelf.transport)",message="transport can't be changed",fieldPath=".transport"
// +kubebuilder:validation:XValidation:rule="self.?transport.orValue('Overlay') != 'NoOverlay' || (has(self.layer3) && self.layer3.role == 'Primary')",message="transport NoOverlay is only for a Primary network of topology Layer3"
// +kubebuilder:validation:XValidation:rule="(self.?transport.orValue('Overlay') == 'NoOverlay') == has(self.noOverlay)",message="set noOverlay with transport NoOverlay, and only then"
// +kubebuilder:validation:XValidation:rule="self.?transport.orValue('Overlay') != 'EVPN' || (has(self.layer3) && self.layer3.role == 'Primary') || (has(self.layer2) && self.layer2.role == 'Primary')",message="transport EVPN is only for a Primary network of topology Layer2 or Layer3"
// +kubebuilder:validation:XValidation:rule="(self.?transport.orValue('Overlay') == 'EVPN') == has(self.evpn)",message="set evpn with transport EVPN, and only then"
// +kubebuilder:validation:XValidation:rule="!has(self.evpn) || self.topology != 'Layer2' || has(self.evpn.macVRF)",message="evpn.macVRF must be set with topology Layer2"
// +kubebuilder:validation:XValidation:rule="!has(self.evpn) || self.topology != 'Layer3' || has(self.evpn.ipVRF)",message="evpn.ipVRF must be set with topology Layer3"
// +kubebuilder:validation:XValidation:rule="!has(self.evpn) || self.topology != 'Layer3' || !has(self.evpn.macVRF)",message="evpn.macVRF can't be set with topology Layer3, which has no layer 2 over the nodes"
type NetworkSpec struct {
	// topology is the network's shape: a routed subnet per node (Layer3), one
	// switch across all nodes (Layer2), or a physical network that the nodes are
	// attached to (Localnet).
	//
	// +required
	// +unionDiscriminator
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="topology can't be changed"
	Topology NetworkTopology `json:"topology"`

	// layer3 has the settings for topology Layer3.
	//
	// +optional
	Layer3 *Layer3Config `json:"layer3,omitempty"`

	// layer2 has the settings for topology Layer2.
	//
	// +optional
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="layer2 can't be changed"
	Layer2 *Layer2Config `json:"layer2,omitempty"`

	// localnet has the settings for topology Localnet.
	//
	// +optional
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="localnet can't be changed"
	Localnet *LocalnetConfig `json:"localnet,omitempty"`

	// transport is how packets travel between nodes; if it is not set, over the
	// overlay.
	//
	// +optional
	Transport TransportOption `json:"transport,omitempty"`

	// noOverlay has the settings for transport NoOverlay.
	//
	// +optional
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="noOverlay can't be changed"
	NoOverlay *NoOverlayConfig `json:"noOverlay,omitempty"`

	// evpn has the settings for transport EVPN.
	//
	// +optional
	EVPN *EVPNConfig `json:"evpn,omitempty"`
}

// NetworkTopology is a network's shape.
//
// +kubebuilder:validation:Enum=Layer2;Layer3;Localnet
type NetworkTopology string

// The shapes of networks.
const (
	NetworkTopologyLayer2   NetworkTopology = "Layer2"
	NetworkTopologyLayer3   NetworkTopology = "Layer3"
	NetworkTopologyLocalnet NetworkTopology = "Localnet"
)

// NetworkRole is the role of a network for its pods.
type NetworkRole string

// The roles of networks.
const (
	// NetworkRolePrimary is for a network that replaces the default network in
	// its namespaces.
	NetworkRolePrimary NetworkRole = "Primary"
	// NetworkRoleSecondary is for a network that pods request in addition.
	NetworkRoleSecondary NetworkRole = "Secondary"
)

// TransportOption is how packets travel between nodes.
//
// +kubebuilder:validation:Enum=NoOverlay;EVPN
type TransportOption string

// How packets can travel between nodes, other than by the default overlay.
const (
	TransportNoOverlay TransportOption = "NoOverlay"
	TransportEVPN      TransportOption = "EVPN"
)

// Conditions of a ClusterUserDefinedNetwork.
const (
	// ConditionNetworkCreated is True when the network can be used.
	ConditionNetworkCreated = "NetworkCreated"
	// ConditionTransportAccepted is True when the network's routes are
	// advertised as its transport requires.
	ConditionTransportAccepted = "TransportAccepted"
)

// ClusterUserDefinedNetworkStatus is what OVN-Kubernetes reports about a network.
type ClusterUserDefinedNetworkStatus struct {
	// vrfName is the network's VRF device on the nodes; older OVN-Kubernetes
	// releases don't publish it.
	//
	// +optional
	VRFName string `json:"vrfName,omitempty"`

	// conditions report the state of the network.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// ClusterUserDefinedNetworkList is a list of ClusterUserDefinedNetworks.
//
// +kubebuilder:object:root=true
type ClusterUserDefinedNetworkList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ClusterUserDefinedNetwork `json:"items"`
}
