// SPDX-License-Identifier: Apache-2.0

package v1

// Layer2Config is a network that is one switch over all nodes.
type Layer2Config struct {
	// role is what the network is to its pods.
	//
	// +required
	// +kubebuilder:validation:Enum=Primary;Secondary
	Role NetworkRole `json:"role"`

	// mtu of the pods' interfaces; OVN-Kubernetes' own when it is left out.
	//
	// +optional
	// +kubebuilder:validation:Minimum=576
	// +kubebuilder:validation:Maximum=65536
	MTU int32 `json:"mtu,omitempty"`

	// subnets are what pods' addresses come from.
	//
	// +optional
	Subnets DualStackCIDRs `json:"subnets,omitempty"`

	// reservedSubnets are parts of subnets that pods only get addresses from
	// when they ask for them.
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
type IPAMConfig struct {
	// mode says whether OVN-Kubernetes gives pods addresses; it does when mode
	// is left out.
	//
	// +optional
	Mode IPAMMode `json:"mode,omitempty"`

	// lifecycle Persistent lets a workload keep its addresses over restarts
	// and migrations.
	//
	// +optional
	Lifecycle NetworkIPAMLifecycle `json:"lifecycle,omitempty"`
}

// IPAMMode says whether OVN-Kubernetes gives pods addresses.
//
// +kubebuilder:validation:Enum=Enabled;Disabled
type IPAMMode string

// Whether OVN-Kubernetes gives pods addresses.
const (
	IPAMEnabled  IPAMMode = "Enabled"
	IPAMDisabled IPAMMode = "Disabled"
)

// NetworkIPAMLifecycle is how long a workload keeps its addresses.
//
// +kubebuilder:validation:Enum=Persistent
type NetworkIPAMLifecycle string

// IPAMLifecyclePersistent keeps addresses over restarts and migrations.
const IPAMLifecyclePersistent NetworkIPAMLifecycle = "Persistent"
