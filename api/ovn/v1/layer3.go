// SPDX-License-Identifier: Apache-2.0

package v1

// Layer3Config is a network with a subnet per node and routing between them.
type Layer3Config struct {
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

	// subnets are what the nodes' subnets are cut from. More can be added
	// later.
	//
	// +required
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=400
	Subnets []Layer3Subnet `json:"subnets,omitempty"`

	// joinSubnets are for OVN's own links between the network's routers.
	//
	// +optional
	JoinSubnets DualStackCIDRs `json:"joinSubnets,omitempty"`
}

// Layer3Subnet is a subnet that nodes' subnets are cut from.
type Layer3Subnet struct {
	// cidr is the whole subnet.
	//
	// +required
	CIDR CIDR `json:"cidr,omitempty"`

	// hostSubnet is the prefix length of a node's subnet; OVN-Kubernetes
	// chooses one when it is left out.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=127
	HostSubnet int32 `json:"hostSubnet,omitempty"`
}
