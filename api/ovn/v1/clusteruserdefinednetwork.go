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

	// spec is the network, and the namespaces that it is for.
	//
	// +required
	Spec ClusterUserDefinedNetworkSpec `json:"spec"`

	// status is what became of it.
	//
	// +optional
	Status ClusterUserDefinedNetworkStatus `json:"status,omitzero"`
}

// ClusterUserDefinedNetworkSpec is a network and the namespaces it is for.
type ClusterUserDefinedNetworkSpec struct {
	// namespaceSelector matches the labels of the namespaces that can use the
	// network.
	//
	// +required
	NamespaceSelector metav1.LabelSelector `json:"namespaceSelector"`

	// uplinks names the Uplink through which the network leaves the nodes.
	//
	// +optional
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1
	Uplinks []string `json:"uplinks,omitempty"`

	// network is the network itself.
	//
	// +required
	Network NetworkSpec `json:"network"`
}

// NetworkSpec describes a network: its topology, what belongs to that
// topology, and how its packets travel between nodes.
//
// +union
type NetworkSpec struct {
	// topology is the network's shape: a subnet per node, routed (Layer3), one
	// switch over all nodes (Layer2), or a physical network that the nodes are
	// attached to (Localnet).
	//
	// +required
	// +unionDiscriminator
	Topology NetworkTopology `json:"topology"`

	// layer3 belongs to topology Layer3.
	//
	// +optional
	Layer3 *Layer3Config `json:"layer3,omitempty"`

	// layer2 belongs to topology Layer2.
	//
	// +optional
	Layer2 *Layer2Config `json:"layer2,omitempty"`

	// localnet belongs to topology Localnet.
	//
	// +optional
	Localnet *LocalnetConfig `json:"localnet,omitempty"`

	// transport is how packets travel between nodes; the overlay when it is
	// left out.
	//
	// +optional
	Transport TransportOption `json:"transport,omitempty"`

	// noOverlay belongs to transport NoOverlay.
	//
	// +optional
	NoOverlay *NoOverlayConfig `json:"noOverlay,omitempty"`

	// evpn belongs to transport EVPN.
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

// NetworkRole is what a network is to the pods that have it.
type NetworkRole string

// The roles of networks.
const (
	// NetworkRolePrimary is for the network that takes the default network's
	// place in its namespaces.
	NetworkRolePrimary NetworkRole = "Primary"
	// NetworkRoleSecondary is for one that pods ask for beside it.
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
	// ConditionNetworkCreated is True once the network is there to be used.
	ConditionNetworkCreated = "NetworkCreated"
	// ConditionTransportAccepted is True once its routes are advertised as its
	// transport needs.
	ConditionTransportAccepted = "TransportAccepted"
)

// ClusterUserDefinedNetworkStatus is what became of a network.
type ClusterUserDefinedNetworkStatus struct {
	// vrfName is the network's VRF device on the nodes; older OVN-Kubernetes
	// releases don't publish it.
	//
	// +optional
	VRFName string `json:"vrfName,omitempty"`

	// conditions tell how far it got.
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
