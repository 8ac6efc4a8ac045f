// SPDX-License-Identifier: Apache-2.0

package v1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// RouteAdvertisements says which networks' routes are advertised over BGP, in
// which VRF, from which nodes, and to the neighbors of which FRRConfigurations.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=routeadvertisements,scope=Cluster,shortName=ra,singular=routeadvertisements
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=".status.status"
type RouteAdvertisements struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says what to advertise, and where. OVN-Kubernetes doesn't require it,
	// but an object without one has no effect.
	//
	// +optional
	Spec RouteAdvertisementsSpec `json:"spec,omitempty"`

	// status reports what is advertised.
	//
	// +optional
	Status RouteAdvertisementsStatus `json:"status,omitzero"`
}

// RouteAdvertisementsSpec is what to advertise, and where.
//
// +kubebuilder:validation:XValidation:rule="!('PodNetwork' in self.advertisements) || !(has(self.nodeSelector.matchLabels) || has(self.nodeSelector.matchExpressions))",message="nodeSelector must be empty ({}) when advertisements has PodNetwork: a pod network is advertised from every node that is part of it"
// +kubebuilder:validation:XValidation:rule="self.networkSelectors.all(s, s.networkSelectionType in ['DefaultNetwork', 'ClusterUserDefinedNetworks'])",message="networkSelectors may only use networkSelectionType DefaultNetwork or ClusterUserDefinedNetworks"
type RouteAdvertisementsSpec struct {
	// targetVRF is the VRF to advertise in. Empty or "default" is the default VRF;
	// "auto" is each network's own VRF; any other value is the name of a VRF.
	//
	// +optional
	TargetVRF string `json:"targetVRF,omitempty"`

	// networkSelectors say which networks are advertised: the default network,
	// ClusterUserDefinedNetworks, or both.
	//
	// +required
	NetworkSelectors NetworkSelectors `json:"networkSelectors"`

	// nodeSelector limits the advertisements to nodes with matching labels. It
	// must be empty if advertisements has PodNetwork.
	//
	// +required
	NodeSelector metav1.LabelSelector `json:"nodeSelector"`

	// frrConfigurationSelector matches the labels of the FRRConfigurations to
	// whose neighbors the routes are advertised.
	//
	// +required
	FRRConfigurationSelector metav1.LabelSelector `json:"frrConfigurationSelector"`

	// advertisements say which prefixes of the selected networks are advertised:
	// PodNetwork is for pod subnets, EgressIP for egress IPs.
	//
	// +required
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=2
	// +kubebuilder:validation:XValidation:rule="self.all(a, self.exists_one(b, a == b))",message="advertisements must not repeat a value"
	Advertisements []AdvertisementType `json:"advertisements,omitempty"`
}

// AdvertisementType is a kind of prefixes to advertise.
//
// +kubebuilder:validation:Enum=PodNetwork;EgressIP
type AdvertisementType string

// The kinds of a network's prefixes that can be advertised.
const (
	// AdvertisePodNetwork is for the subnets that pods' addresses come from.
	AdvertisePodNetwork AdvertisementType = "PodNetwork"
	// AdvertiseEgressIP is for the egress IPs of the network's namespaces.
	AdvertiseEgressIP AdvertisementType = "EgressIP"
)

// TargetVRFs with a special meaning.
const (
	TargetVRFDefault = "default"
	TargetVRFAuto    = "auto"
)

// RouteAdvertisementsAccepted is the condition that OVN-Kubernetes' node
// components wait for, True at the object's current generation.
const RouteAdvertisementsAccepted = "Accepted"

// Reasons of the condition RouteAdvertisementsAccepted.
const (
	RouteAdvertisementsReasonAccepted             = "Accepted"
	RouteAdvertisementsReasonConfigurationError   = "ConfigurationError"
	RouteAdvertisementsReasonConfigurationPending = "ConfigurationPending"
	RouteAdvertisementsReasonInternalError        = "InternalError"
)

// The values of RouteAdvertisementsStatus.Status; the cause follows
// StatusNotAcceptedPrefix.
const (
	RouteAdvertisementsStatusAccepted          = "Accepted"
	RouteAdvertisementsStatusNotAcceptedPrefix = "Not Accepted: "
)

// RouteAdvertisementsStatus reports what is advertised.
type RouteAdvertisementsStatus struct {
	// status is a summary: "Accepted", or "Not Accepted: " and the cause.
	//
	// +optional
	Status string `json:"status,omitempty"`

	// conditions report the details: Accepted, Rendered and FRRConfigured.
	//
	// +optional
	// +patchMergeKey=type
	// +patchStrategy=merge
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty" patchStrategy:"merge" patchMergeKey:"type"`
}

// RouteAdvertisementsList is a list of RouteAdvertisements.
//
// +kubebuilder:object:root=true
type RouteAdvertisementsList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []RouteAdvertisements `json:"items"`
}
