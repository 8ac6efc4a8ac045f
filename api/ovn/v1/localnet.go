// SPDX-License-Identifier: Apache-2.0

package v1

// LocalnetConfig is a physical network that pods are attached to.
//
// +kubebuilder:validation:XValidation:rule="self.?ipam.?mode.orValue('Enabled') != 'Enabled' || has(self.subnets)",message="subnets must be set unless ipam.mode is Disabled"
// +kubebuilder:validation:XValidation:rule="self.?ipam.?mode.orValue('Enabled') != 'Disabled' || !has(self.subnets)",message="subnets must not be set with ipam.mode Disabled"
// +kubebuilder:validation:XValidation:rule="!has(self.excludeSubnets) || has(self.subnets)",message="excludeSubnets are parts of subnets and can't be set without them"
// +kubebuilder:validation:XValidation:rule="!has(self.mtu) || self.mtu >= 1280 || (!has(self.subnets) || !self.subnets.exists(s, isCIDR(s) && cidr(s).ip().family() == 6))",message="mtu must be at least 1280 with an IPv6 subnet (RFC 8200)"
type LocalnetConfig struct {
	// role is the network's role for its pods: Secondary, one in addition to the
	// default network.
	//
	// +required
	// +kubebuilder:validation:Enum=Secondary
	Role NetworkRole `json:"role"`

	// physicalNetworkName is the network's name in the nodes' OVS bridge
	// mappings.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[^,:]+$')",message="physicalNetworkName must not contain a comma or a colon"
	PhysicalNetworkName string `json:"physicalNetworkName"`

	// subnets provide the pods' addresses.
	//
	// +optional
	Subnets DualStackCIDRs `json:"subnets,omitempty"`

	// excludeSubnets are parts of subnets whose addresses pods don't get.
	//
	// +optional
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=25
	ExcludeSubnets []CIDR `json:"excludeSubnets,omitempty"`

	// ipam is how pods get addresses.
	//
	// +optional
	IPAM *IPAMConfig `json:"ipam,omitempty"`

	// mtu of the pods' interfaces; if it is not set, OVN-Kubernetes' default.
	//
	// +optional
	// +kubebuilder:validation:Minimum=576
	// +kubebuilder:validation:Maximum=65536
	MTU int32 `json:"mtu,omitempty"`

	// vlan is the VLAN of the physical network; if it is not set, packets are
	// untagged.
	//
	// +optional
	VLAN *VLANConfig `json:"vlan,omitempty"`
}

// VLANConfig is how a network is tagged.
//
// +union
// +kubebuilder:validation:XValidation:rule="(self.mode == 'Access') == has(self.access)",message="set access with mode Access, and only then"
type VLANConfig struct {
	// mode is how the network uses VLANs.
	//
	// +required
	// +unionDiscriminator
	Mode VLANMode `json:"mode"`

	// access has the settings for mode Access.
	//
	// +optional
	Access *AccessVLANConfig `json:"access,omitempty"`
}

// VLANMode is how a network uses VLANs.
//
// +kubebuilder:validation:Enum=Access
type VLANMode string

// VLANModeAccess puts the network in one VLAN.
const VLANModeAccess VLANMode = "Access"

// AccessVLANConfig is the one VLAN of a network.
type AccessVLANConfig struct {
	// id is the VLAN's ID.
	//
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=4094
	ID int32 `json:"id"`
}
