// SPDX-License-Identifier: Apache-2.0

package v1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// RouteAdvertisements says which networks' routes are advertised over BGP, in
// which VRF, from which nodes, and with which FRRConfigurations' neighbors.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=routeadvertisements,scope=Cluster,shortName=ra,singular=routeadvertisements
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=".status.status"
type RouteAdvertisements struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// OVN-Kubernetes doesn't require a spec, though nothing comes of an object
	// without one.
	//
	// +optional
	Spec RouteAdvertisementsSpec `json:"spec,omitempty"`

	// +optional
	Status RouteAdvertisementsStatus `json:"status,omitzero"`
}

// RouteAdvertisementsSpec is what to advertise, and where.
//
// +kubebuilder:validation:XValidation:rule="!('PodNetwork' in self.advertisements) || !(has(self.nodeSelector.matchLabels) || has(self.nodeSelector.matchExpressions))",message="nodeSelector must be empty ({}) when advertisements has PodNetwork: a pod network is advertised from every node that is part of it"
// +kubebuilder:validation:XValidation:rule="self.networkSelectors.all(s, s.networkSelectionType in ['DefaultNetwork', 'ClusterUserDefinedNetworks'])",message="networkSelectors may only use networkSelectionType DefaultNetwork or ClusterUserDefinedNetworks"
type RouteAdvertisementsSpec struct {
	// targetVRF is the VRF to advertise in: the default VRF when it is empty
	// or "default", each network's own VRF when it is "auto", and the VRF of
	// that name otherwise.
	//
	// +optional
	TargetVRF string `json:"targetVRF,omitempty"`

	// networkSelectors say which networks are advertised: the default network,
	// ClusterUserDefinedNetworks, or both.
	//
	// +required
	NetworkSelectors NetworkSelectors `json:"networkSelectors"`

	// nodeSelector limits the advertisements to nodes with matching labels. It
	// has to be empty when advertisements has PodNetwork.
	//
	// +required
	NodeSelector metav1.LabelSelector `json:"nodeSelector"`

	// frrConfigurationSelector matches the labels of the FRRConfigurations
	// whose routers and neighbors carry the advertisements.
	//
	// +required
	FRRConfigurationSelector metav1.LabelSelector `json:"frrConfigurationSelector"`

	// advertisements are what is advertised of the selected networks.
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

// What can be advertised of a network.
const (
	// AdvertisePodNetwork is for the subnets that pods' addresses come from.
	AdvertisePodNetwork AdvertisementType = "PodNetwork"
	// AdvertiseEgressIP is for the egress IPs of the network's namespaces.
	AdvertiseEgressIP AdvertisementType = "EgressIP"
)

// TargetVRFs with a meaning of their own.
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

// What RouteAdvertisementsStatus.Status says; the reason for not accepting
// follows StatusNotAcceptedPrefix.
const (
	RouteAdvertisementsStatusAccepted          = "Accepted"
	RouteAdvertisementsStatusNotAcceptedPrefix = "Not Accepted: "
)

// RouteAdvertisementsStatus is what became of a RouteAdvertisements object.
type RouteAdvertisementsStatus struct {
	// status is the short form: "Accepted", or "Not Accepted: " and the cause.
	//
	// +optional
	Status string `json:"status,omitempty"`

	// conditions tell it in full.
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
