// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// NodeRouteState reports which BGP routes a node's agent imports into OVN. It has
// the node's name, and only the agent writes it.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=noderoutestates,scope=Cluster,shortName=nrs,singular=noderoutestate
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Synced",type=string,JSONPath=".status.conditions[?(@.type=='Synced')].status"
// +kubebuilder:printcolumn:name="Networks",type=integer,JSONPath=".status.networkCount"
// +kubebuilder:printcolumn:name="Learned",type=integer,JSONPath=".status.learned"
// +kubebuilder:printcolumn:name="Imported",type=integer,JSONPath=".status.imported"
// +kubebuilder:printcolumn:name="WithinLimit",type=string,JSONPath=".status.conditions[?(@.type=='WithinLimit')].status"
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=".status.conditions[?(@.type=='Synced')].reason",priority=1
// +kubebuilder:printcolumn:name="VRFs",type=string,JSONPath=".status.conditions[?(@.type=='VRFReady')].status",priority=1
// +kubebuilder:printcolumn:name="EVPN",type=string,JSONPath=".status.conditions[?(@.type=='EVPNReady')].status",priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=".metadata.creationTimestamp"
type NodeRouteState struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// status is what the agent last reported.
	//
	// +optional
	Status NodeRouteStateStatus `json:"status,omitzero"`
}

// Conditions of a NodeRouteState and of each network in it.
//
//reference:conditions NodeRouteState
const (
	// ConditionSynced is True while every route that belongs on a gateway
	// router is there.
	ConditionSynced = "Synced"
	// ConditionNetworksKnown is True while the agent follows the NodeNetworks object
	// that the manager writes for the node.
	ConditionNetworksKnown = "NetworksKnown"
	// ConditionWithinLimit is False while routes are skipped because of
	// --max-routes-per-vrf.
	ConditionWithinLimit = "WithinLimit"
	// ConditionFlagsAgree is False while the agent's flags leave out subnets that
	// the manager names.
	ConditionFlagsAgree = "FlagsAgree"
	// ConditionVRFReady exists with --manage-vrfs. It is True while the VRF
	// device, its rules and its routes are set up correctly.
	ConditionVRFReady = "VRFReady"
	// ConditionEVPNReady exists on nodes with EVPN networks. It is True while the node
	// has the devices that FRR announces these networks by. What FRR announces it does
	// not say.
	ConditionEVPNReady = "EVPNReady"
	// ConditionVTEPReady exists where the manager gave the node addresses of VTEPs. It is
	// True while the node has them.
	ConditionVTEPReady = "VTEPReady"
)

// NodeRouteStateStatus reports the node's routes.
type NodeRouteStateStatus struct {
	// networkCount is the number of networks on the node.
	//
	// +optional
	NetworkCount int32 `json:"networkCount"`

	// learned is the number of BGP routes in the kernel, for all networks.
	//
	// +optional
	Learned int64 `json:"learned"`

	// imported is the number of routes on gateway routers.
	//
	// +optional
	Imported int64 `json:"imported"`

	// absentNetworks are the Layer2 networks that OVN-Kubernetes has not set up on
	// the node: their gateway routers are not in the node's OVN. The manager does
	// not advertise them from this node. While the agent can't read the database,
	// the list stays unchanged.
	//
	// +optional
	// +listType=set
	AbsentNetworks []string `json:"absentNetworks,omitempty"`

	// absentTime is when the agent last knew which Layer2 networks are absent. It
	// is set while there are Layer2 networks, and renewed every ten minutes. If it
	// is older than half an hour, absentNetworks is ignored.
	//
	// +optional
	AbsentTime *metav1.Time `json:"absentTime,omitempty"`

	// networks are the networks of the node.
	//
	// +optional
	// +listType=map
	// +listMapKey=name
	Networks []NetworkRouteState `json:"networks,omitempty"`

	// evpn are the EVPN networks of the node, sorted by name. Of more than 500 networks,
	// those that are not ready come into the list first.
	//
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=500
	EVPN []EVPNState `json:"evpn,omitempty"`

	// vteps are those of which the manager gave the node addresses, sorted by name.
	//
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=4096
	VTEPs []VTEPState `json:"vteps,omitempty"`

	// conditions summarize those of the networks.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// NetworkRouteState reports one network's routes on the node.
type NetworkRouteState struct {
	// name is the network's name in OVN: "default" or "cluster_udn_<name>".
	//
	// +required
	Name string `json:"name"`

	// vrf is the kernel's VRF device; empty for the default VRF.
	//
	// +optional
	VRF string `json:"vrf,omitempty"`

	// table is the routing table that routes are read from; empty while the
	// VRF device is missing.
	//
	// +optional
	Table int64 `json:"table,omitempty"`

	// gatewayRouter is the OVN router that routes are written to.
	//
	// +optional
	GatewayRouter string `json:"gatewayRouter,omitempty"`

	// learned is the number of BGP routes in the table.
	//
	// +optional
	Learned int64 `json:"learned"`

	// imported is the number of these routes that are on the gateway router.
	//
	// +optional
	Imported int64 `json:"imported"`

	// skipped counts learned routes that were not imported, by reason.
	//
	// +optional
	// +listType=map
	// +listMapKey=reason
	Skipped []SkippedRoutes `json:"skipped,omitempty"`

	// lastChange is when routes on the gateway router last changed.
	//
	// +optional
	LastChange *metav1.Time `json:"lastChange,omitempty"`

	// conditions report the state of the import and of the network's VRF.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// SkippedRoutes counts routes that are not imported for one reason.
type SkippedRoutes struct {
	// reason is a word such as PodSubnet or NoUsableNextHop.
	//
	// +required
	Reason string `json:"reason"`

	// count is the number of routes.
	//
	// +optional
	Count int64 `json:"count"`
}

// NodeRouteStateList is a list of NodeRouteStates.
//
// +kubebuilder:object:root=true
type NodeRouteStateList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []NodeRouteState `json:"items"`
}
