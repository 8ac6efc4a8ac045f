// SPDX-License-Identifier: Apache-2.0

package v1

// Layer2Config is a network that is one switch across all nodes.
//
// +kubebuilder:validation:XValidation:rule="self.?ipam.?mode.orValue('Enabled') != 'Enabled' || has(self.subnets)",message="subnets must be set unless ipam.mode is Disabled"
// +kubebuilder:validation:XValidation:rule="self.?ipam.?mode.orValue('Enabled') != 'Disabled' || !has(self.subnets)",message="subnets must not be set with ipam.mode Disabled"
// +kubebuilder:validation:XValidation:rule="self.?ipam.?mode.orValue('Enabled') != 'Disabled' || self.role == 'Secondary'",message="ipam.mode Disabled is only for a Secondary network"
// +kubebuilder:validation:XValidation:rule="!has(self.mtu) || self.mtu >= 1280 || (!has(self.subnets) || !self.subnets.exists(s, isCIDR(s) && cidr(s).ip().family() == 6))",message="mtu must be at least 1280 with an IPv6 subnet (RFC 8200)"
// +kubebuilder:validation:XValidation:rule="!has(self.joinSubnets) || self.role == 'Primary'",message="joinSubnets can only be set for a Primary network"
// +kubebuilder:validation:XValidation:rule="!has(self.defaultGatewayIPs) || self.role == 'Primary'",message="defaultGatewayIPs can only be set for a Primary network"
// +kubebuilder:validation:XValidation:rule="!has(self.defaultGatewayIPs) || !has(self.subnets) || !self.defaultGatewayIPs.all(a, isIP(a)) || !self.subnets.all(s, isCIDR(s)) || self.defaultGatewayIPs.all(a, self.subnets.exists(s, cidr(s).containsIP(a)))",message="every one of defaultGatewayIPs must be within one of subnets"
// +kubebuilder:validation:XValidation:rule="!has(self.defaultGatewayIPs) || (has(self.subnets) && size(self.defaultGatewayIPs) == size(self.subnets))",message="defaultGatewayIPs must have one address for each of subnets"
// +kubebuilder:validation:XValidation:rule="!has(self.defaultGatewayIPs) || !has(self.infrastructureSubnets) || !self.defaultGatewayIPs.all(a, isIP(a)) || !self.infrastructureSubnets.all(s, isCIDR(s)) || self.defaultGatewayIPs.all(a, self.infrastructureSubnets.exists(s, cidr(s).containsIP(a)))",message="every one of defaultGatewayIPs must be within one of infrastructureSubnets"
// +kubebuilder:validation:XValidation:rule="!has(self.reservedSubnets) || has(self.subnets)",message="reservedSubnets are parts of subnets and can't be set without them"
// +kubebuilder:validation:XValidation:rule="!has(self.reservedSubnets) || self.role == 'Primary'",message="reservedSubnets can only be set for a Primary network"
// +kubebuilder:validation:XValidation:rule="!has(self.reservedSubnets) || !has(self.subnets) || !self.reservedSubnets.all(p, isCIDR(p)) || !self.subnets.all(s, isCIDR(s)) || self.reservedSubnets.all(p, self.subnets.exists(s, cidr(s).containsCIDR(p)))",message="every one of reservedSubnets must be within one of subnets",fieldPath=".reservedSubnets"
// +kubebuilder:validation:XValidation:rule="!has(self.reservedSubnets) || self.reservedSubnets.all(p, !isCIDR(p) || cidr(p) == cidr(p).masked())",message="reservedSubnets must have no host bits set, such as 10.128.4.0/24",fieldPath=".reservedSubnets"
// +kubebuilder:validation:XValidation:rule="!has(self.infrastructureSubnets) || has(self.subnets)",message="infrastructureSubnets are parts of subnets and can't be set without them"
// +kubebuilder:validation:XValidation:rule="!has(self.infrastructureSubnets) || self.role == 'Primary'",message="infrastructureSubnets can only be set for a Primary network"
// +kubebuilder:validation:XValidation:rule="!has(self.infrastructureSubnets) || !has(self.subnets) || !self.infrastructureSubnets.all(p, isCIDR(p)) || !self.subnets.all(s, isCIDR(s)) || self.infrastructureSubnets.all(p, self.subnets.exists(s, cidr(s).containsCIDR(p)))",message="every one of infrastructureSubnets must be within one of subnets",fieldPath=".infrastructureSubnets"
// +kubebuilder:validation:XValidation:rule="!has(self.infrastructureSubnets) || self.infrastructureSubnets.all(p, !isCIDR(p) || cidr(p) == cidr(p).masked())",message="infrastructureSubnets must have no host bits set, such as 10.128.4.0/24",fieldPath=".infrastructureSubnets"
// +kubebuilder:validation:XValidation:rule="!has(self.reservedSubnets) || !has(self.infrastructureSubnets) || !self.reservedSubnets.all(r, isCIDR(r)) || !self.infrastructureSubnets.all(i, isCIDR(i)) || !self.reservedSubnets.exists(r, self.infrastructureSubnets.exists(i, cidr(r).containsCIDR(i) || cidr(i).containsCIDR(r)))",message="reservedSubnets and infrastructureSubnets must not overlap"
type Layer2Config struct {
	// role is the network's role for its pods: Primary replaces the default
	// network, Secondary is an additional one.
	//
	// +required
	// +kubebuilder:validation:Enum=Primary;Secondary
	Role NetworkRole `json:"role"`

	// mtu of the pods' interfaces; if it is not set, OVN-Kubernetes' default.
	//
	// +optional
	// +kubebuilder:validation:Minimum=576
	// +kubebuilder:validation:Maximum=65536
	MTU int32 `json:"mtu,omitempty"`

	// subnets provide the pods' addresses.
	//
	// +optional
	Subnets DualStackCIDRs `json:"subnets,omitempty"`

	// reservedSubnets are parts of subnets whose addresses pods get only on
	// request.
	//
	// +optional
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=25
	ReservedSubnets []CIDR `json:"reservedSubnets,omitempty"`

	// infrastructureSubnets are parts of subnets for OVN's own addresses.
	//
	// +optional
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=4
	InfrastructureSubnets []CIDR `json:"infrastructureSubnets,omitempty"`

	// defaultGatewayIPs are the pods' gateways, one per family of subnets.
	//
	// +optional
	DefaultGatewayIPs DualStackIPs `json:"defaultGatewayIPs,omitempty"`

	// joinSubnets are for OVN's own links between the network's routers.
	//
	// +optional
	JoinSubnets DualStackCIDRs `json:"joinSubnets,omitempty"`

	// ipam is how pods get addresses.
	//
	// +optional
	IPAM *IPAMConfig `json:"ipam,omitempty"`
}

// IPAMConfig is how pods get addresses.
//
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="!has(self.lifecycle) || self.?mode.orValue('Enabled') == 'Enabled'",message="lifecycle can only be set with mode Enabled"
type IPAMConfig struct {
	// mode says whether OVN-Kubernetes assigns addresses to pods; if it is not
	// set, it does.
	//
	// +optional
	Mode IPAMMode `json:"mode,omitempty"`

	// lifecycle Persistent lets a workload keep its addresses across restarts
	// and migrations.
	//
	// +optional
	Lifecycle NetworkIPAMLifecycle `json:"lifecycle,omitempty"`
}

// IPAMMode says whether OVN-Kubernetes assigns addresses to pods.
//
// +kubebuilder:validation:Enum=Enabled;Disabled
type IPAMMode string

// Whether OVN-Kubernetes assigns addresses to pods.
const (
	IPAMEnabled  IPAMMode = "Enabled"
	IPAMDisabled IPAMMode = "Disabled"
)

// NetworkIPAMLifecycle is how long a workload keeps its addresses.
//
// +kubebuilder:validation:Enum=Persistent
type NetworkIPAMLifecycle string

// IPAMLifecyclePersistent keeps addresses across restarts and migrations.
const IPAMLifecyclePersistent NetworkIPAMLifecycle = "Persistent"
