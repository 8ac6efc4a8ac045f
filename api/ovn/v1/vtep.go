// SPDX-License-Identifier: Apache-2.0

package v1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// VTEP says which addresses the nodes use as VXLAN tunnel endpoints for EVPN
// networks.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=vteps,scope=Cluster,singular=vtep
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Accepted",type=string,JSONPath=`.status.conditions[?(@.type=="Accepted")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Accepted")].reason`
type VTEP struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says where the addresses come from.
	//
	// +required
	Spec VTEPSpec `json:"spec"`

	// status says whether the VTEP is in use.
	//
	// +optional
	Status VTEPStatus `json:"status,omitzero"`
}

// VTEPSpec says where the endpoints' addresses come from.
//
// +kubebuilder:validation:XValidation:rule="self.mode != 'Managed' || size(self.cidrs) >= size(oldSelf.cidrs)",message="cidrs of a Managed VTEP can't be removed, because nodes have addresses from them; append new ones instead",fieldPath=".cidrs"
// +kubebuilder:validation:XValidation:rule="self.mode != 'Managed' || size(self.cidrs) < size(oldSelf.cidrs) || !self.cidrs.all(c, isCIDR(c)) || oldSelf.cidrs.all(i, o, cidr(self.cidrs[i]).containsCIDR(o))",message="cidrs of a Managed VTEP keep their order and can only be widened, because nodes have addresses from them; append new ones at the end",fieldPath=".cidrs"
type VTEPSpec struct {
	// cidrs are the ranges that contain the nodes' addresses.
	//
	// +required
	CIDRs VTEPCIDRs `json:"cidrs"`

	// mode says how nodes get their addresses: Managed allocates one per node from
	// cidrs, Unmanaged uses addresses within cidrs that the nodes already have.
	//
	// +optional
	// +kubebuilder:default=Managed
	Mode VTEPMode `json:"mode,omitempty"`
}

// VTEPCIDRs are ranges that don't overlap.
//
// +kubebuilder:validation:MinItems=1
// +kubebuilder:validation:MaxItems=20
// +kubebuilder:validation:XValidation:rule="!self.all(c, isCIDR(c)) || self.all(a, self.exists_one(b, cidr(a).containsIP(cidr(b).ip())))",message="cidrs must not overlap each other or repeat"
type VTEPCIDRs []NetworkCIDR

// NetworkCIDR is a CIDR with no host bits set.
//
// +kubebuilder:validation:MaxLength=43
// +kubebuilder:validation:XValidation:rule="isCIDR(self) && cidr(self) == cidr(self).masked()",message="must be a subnet in CIDR notation with no host bits set, such as 100.64.0.0/24"
type NetworkCIDR string

// VTEPMode says how nodes get their tunnel endpoint addresses.
//
// +kubebuilder:validation:Enum=Managed;Unmanaged
type VTEPMode string

// How nodes get their tunnel endpoint addresses.
const (
	// VTEPModeManaged allocates one per node from the CIDRs.
	VTEPModeManaged VTEPMode = "Managed"
	// VTEPModeUnmanaged uses addresses within the CIDRs that nodes already have.
	VTEPModeUnmanaged VTEPMode = "Unmanaged"
)

// VTEPAccepted is the condition that says whether a VTEP is in use.
const VTEPAccepted = "Accepted"

// Reasons of the condition VTEPAccepted.
const (
	VTEPReasonAllocated        = "Allocated"
	VTEPReasonAllocationFailed = "AllocationFailed"
	VTEPReasonCIDROverlap      = "CIDROverlap"
	// VTEPReasonManagedModeNotSupported is OVN-Kubernetes' for every VTEP with mode
	// Managed, VTEPReasonEVPNIPv6NotSupported for one with an IPv6 range that an EVPN
	// network refers to.
	VTEPReasonManagedModeNotSupported = "ManagedModeNotSupported"
	VTEPReasonEVPNIPv6NotSupported    = "EVPNIPv6NotSupported"
)

// VTEPStatus says whether a VTEP is in use.
type VTEPStatus struct {
	// conditions say whether the VTEP is in use.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// VTEPList is a list of VTEPs.
//
// +kubebuilder:object:root=true
type VTEPList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []VTEP `json:"items"`
}
