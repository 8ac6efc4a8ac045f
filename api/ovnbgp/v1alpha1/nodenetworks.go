// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// NodeNetworks tells what a node has to do for each network: whether the network is
// advertised from there, and what the node must not import. It is named after the
// node, and only the manager writes it.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=nodenetworks,scope=Cluster,shortName=nn,singular=nodenetworks
// +kubebuilder:printcolumn:name="Gateway",type=string,JSONPath=".spec.gateway"
// +kubebuilder:printcolumn:name="Networks",type=string,JSONPath=".spec.networks[*].name",priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=".metadata.creationTimestamp"
type NodeNetworks struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what the manager's plan decided. It is replaced as a whole.
	//
	// +required
	Spec NodeNetworksSpec `json:"spec"`
}

// NodeNetworksSpec is what one node has to do.
//
// +structType=atomic
type NodeNetworksSpec struct {
	// nodeUID is the Node's, so that what the node's agent writes goes with it.
	//
	// +optional
	NodeUID types.UID `json:"nodeUID,omitempty"`

	// addresses are the node's own, with the lengths of the subnets that they are
	// in.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=1024
	Addresses []CIDR `json:"addresses,omitempty"`

	// gateway is the link that gateway routers leave the node by. It is not set
	// while OVN-Kubernetes has not told it.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=15
	Gateway string `json:"gateway,omitempty"`

	// gatewayProblem is why the link can't be found out, for people.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	GatewayProblem string `json:"gatewayProblem,omitempty"`

	// reserved are subnets that the cluster itself uses, which no imported route may
	// touch.
	//
	// +optional
	Reserved ReservedSubnets `json:"reserved,omitzero"`

	// networks are the primary networks of the cluster, the default one among them,
	// sorted by name. Not all of them are set up on the node.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=4096
	Networks []NodeNetwork `json:"networks,omitempty"`
}

// ReservedSubnets are what the cluster uses beside its pods.
type ReservedSubnets struct {
	// services are the subnets of Services: those that the cluster tells as
	// ServiceCIDRs, and those that the manager was told.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Services []CIDR `json:"services,omitempty"`

	// apiServer are the API server's addresses.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	APIServer []IP `json:"apiServer,omitempty"`

	// join are the join subnets that networks have of their own.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8192
	Join []CIDR `json:"join,omitempty"`

	// masquerade are the node's masquerade subnets.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Masquerade []CIDR `json:"masquerade,omitempty"`

	// transit are the subnets between the nodes' routers.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Transit []CIDR `json:"transit,omitempty"`
}

// NodeNetwork is what a node has to do for one network.
//
// +kubebuilder:validation:XValidation:rule="self.name != 'default' || !has(self.vrf)",message="the default network has no VRF of its own"
// +kubebuilder:validation:XValidation:rule="!has(self.ownVRFOnly) || !self.ownVRFOnly || self.name != 'default'",message="the default network can't be meant for a VRF of its own"
type NodeNetwork struct {
	// name is OVN's: "default" or "cluster_udn_<name>".
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`

	// topology is Layer2 or Layer3.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	Topology string `json:"topology"`

	// transport is NoOverlay or EVPN; empty for Geneve.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=32
	Transport string `json:"transport,omitempty"`

	// id is the cluster's number of the network; not set while it is not known.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	ID int32 `json:"id,omitempty"`

	// vrf is the kernel's VRF device. It is not set for the default network, which
	// uses the main table, and while it is not known: problem says so then. The
	// routing table is the device's own.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=15
	VRF string `json:"vrf,omitempty"`

	// problem is why the node can't work on the network; what it has of it stays.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Problem string `json:"problem,omitempty"`

	// subnets are the whole network's, as far as they are known.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=400
	Subnets []CIDR `json:"subnets,omitempty"`

	// hostSubnets are the node's own parts of a Layer3 network or the default one.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=400
	HostSubnets []CIDR `json:"hostSubnets,omitempty"`

	// uplink is set for a network with an Uplink of its own: the link that its
	// gateway router leaves the node by is uplinkGateway, and not the node's gateway.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Uplink string `json:"uplink,omitempty"`

	// uplinkGateway is not set while the uplink is not resolved on the node.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=15
	UplinkGateway string `json:"uplinkGateway,omitempty"`

	// advertisedIn are the VRFs in which this node tells a neighbor the way to the
	// network's pods, "default" for the default VRF. It is empty for a network that
	// is not advertised from this node, whatever RouteAdvertisements select it.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=256
	AdvertisedIn []VRFName `json:"advertisedIn,omitempty"`

	// ownVRFOnly is set if the pods are meant for the network's own VRF alone
	// (VRF-Lite), so that nothing may leak between that and the default VRF.
	//
	// +optional
	OwnVRFOnly bool `json:"ownVRFOnly,omitempty"`

	// podVRFs are the VRFs in which a route may lead astray what goes to the pods.
	// Networks that share one must not import routes within each other's subnets.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=256
	PodVRFs []VRFName `json:"podVRFs,omitempty"`
}

// CIDR is a subnet, or an address with the length of its subnet.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=43
// +kubebuilder:validation:Format=cidr
type CIDR string

// IP is an address.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=45
type IP string

// VRFName is a VRF's name, "default" for the default VRF.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=15
type VRFName string

// NodeNetworksList is a list of NodeNetworks.
//
// +kubebuilder:object:root=true
type NodeNetworksList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []NodeNetworks `json:"items"`
}
