// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// NodeNetworks says what a node has to do for each network: whether the node
// advertises the network, and what the node must not import. It has the node's name,
// and only the manager writes it.
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
	// nodeUID is the Node's UID. The agent makes the Node the owner of what it writes,
	// so that it is deleted with the Node.
	//
	// +optional
	NodeUID types.UID `json:"nodeUID,omitempty"`

	// addresses are the node's own addresses, with the prefix lengths of their
	// subnets.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=1024
	Addresses []CIDR `json:"addresses,omitempty"`

	// gateway is the link through which gateway routers reach the outside. It is not
	// set until OVN-Kubernetes has annotated the node with it.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=15
	Gateway string `json:"gateway,omitempty"`

	// gatewayProblem says why the link is not known.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	GatewayProblem string `json:"gatewayProblem,omitempty"`

	// reserved are subnets that the cluster itself uses. No imported route may
	// overlap them.
	//
	// +optional
	Reserved ReservedSubnets `json:"reserved,omitzero"`

	// vteps are the VTEPs that the node's EVPN networks use, with the node's address of
	// each. With --manage-vteps, they are also those of which the manager gave the node
	// an address, whether a network uses them or not.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=4096
	VTEPs []NodeVTEP `json:"vteps,omitempty"`

	// networks are the primary networks of the cluster, including the default one,
	// sorted by name. Not all of them are set up on the node.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=4096
	Networks []NodeNetwork `json:"networks,omitempty"`
}

// ReservedSubnets are the subnets that the cluster uses for other things than pods.
type ReservedSubnets struct {
	// services are the subnets of Services: those of the cluster's ServiceCIDRs, and
	// those in the manager's --service-subnets.
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

	// join are the join subnets of single networks.
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
	// name is the network's name in OVN: "default" or "cluster_udn_<name>".
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

	// id is the network's ID in the cluster. It is not set until it is known.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	ID int32 `json:"id,omitempty"`

	// vrf is the kernel's VRF device; the device determines the routing table. It is
	// not set for the default network, which uses the main table. It is also not set
	// while it is unknown; problem then says so.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=15
	VRF string `json:"vrf,omitempty"`

	// problem says why the node can't work on the network. What the node has set up
	// for the network stays.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Problem string `json:"problem,omitempty"`

	// subnets are those of the whole network, as far as they are known.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=400
	Subnets []CIDR `json:"subnets,omitempty"`

	// hostSubnets are the node's own subnets of a Layer3 network or the default one.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=400
	HostSubnets []CIDR `json:"hostSubnets,omitempty"`

	// uplink is the network's own Uplink, if it has one. Its gateway router then
	// reaches the outside through uplinkGateway instead of gateway.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Uplink string `json:"uplink,omitempty"`

	// uplinkGateway is the link of the uplink. It is not set until the uplink is
	// resolved on the node.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=15
	UplinkGateway string `json:"uplinkGateway,omitempty"`

	// advertisedIn are the VRFs in which this node advertises the network's pods to a
	// neighbor, "default" for the default VRF. It is empty for a network that the
	// node does not advertise, whatever RouteAdvertisements select it.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=256
	AdvertisedIn []VRFName `json:"advertisedIn,omitempty"`

	// ownVRFOnly is true if the pods must be reachable in the network's own VRF only
	// (VRF-Lite). Nothing may then leak between that VRF and the default VRF.
	//
	// +optional
	OwnVRFOnly bool `json:"ownVRFOnly,omitempty"`

	// podVRFs are the VRFs in which a route could divert traffic to the network's
	// pods. Networks that share such a VRF must not import routes within each other's
	// subnets.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=256
	PodVRFs []VRFName `json:"podVRFs,omitempty"`

	// evpn is how this node reaches the fabric by EVPN. It is set for a network with
	// transport EVPN whose EVPN is in the node's configuration for FRR.
	//
	// +optional
	EVPN *NodeNetworkEVPN `json:"evpn,omitempty"`
}

// NodeNetworkEVPN is a network's EVPN on a node.
//
// +kubebuilder:validation:XValidation:rule="has(self.macVRF) || has(self.ipVRF)",message="EVPN needs a macVRF or an ipVRF"
type NodeNetworkEVPN struct {
	// vtep is one of the node's vteps. Its address is the tunnel endpoint.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	VTEP string `json:"vtep"`

	// gateways are the addresses of the network's gateway, which every node has itself.
	// They are set with macVRF: requests for them stay out of it.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=2
	Gateways []IP `json:"gateways,omitempty"`

	// macVRF is the network's layer 2. It is not set for a network without.
	//
	// +optional
	MACVRF *NodeVPN `json:"macVRF,omitempty"`

	// ipVRF is the network's layer 3. It is not set for a network without, or if the
	// node had to be left without it.
	//
	// +optional
	IPVRF *NodeVPN `json:"ipVRF,omitempty"`
}

// NodeVPN is a MAC-VRF or an IP-VRF of a network on a node.
type NodeVPN struct {
	// vni is the VXLAN network identifier.
	//
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=16777215
	VNI int32 `json:"vni"`

	// vid is the VLAN of the VNI on the node's EVPN bridge. It is not set until
	// OVN-Kubernetes has given it one.
	//
	// +optional
	// +kubebuilder:validation:Minimum=2
	// +kubebuilder:validation:Maximum=4094
	VID int32 `json:"vid,omitempty"`

	// routeTarget is the one that the network's spec names. If it is not set, FRR
	// derives one from its AS number and the VNI.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=64
	RouteTarget string `json:"routeTarget,omitempty"`
}

// NodeVTEP is what a node has of a VTEP.
//
// +kubebuilder:validation:XValidation:rule="has(self.addresses) || has(self.problem)",message="a VTEP without an address needs a problem"
type NodeVTEP struct {
	// name is the VTEP's.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`

	// addresses are the node's tunnel endpoints. There are none if the node has no
	// address that can be used; problem then says why.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=2
	Addresses []IP `json:"addresses,omitempty"`

	// allocated are the addresses of the VTEP that the manager gave to the node. With
	// --manage-vteps the agent puts them on a device of their own.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=2
	Allocated []IP `json:"allocated,omitempty"`

	// problem says why the node has no address for the VTEP. Networks that use the
	// VTEP have no EVPN on the node then.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Problem string `json:"problem,omitempty"`
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

// VRFName is the name of a VRF, "default" for the default VRF.
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
