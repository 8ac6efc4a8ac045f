// SPDX-License-Identifier: Apache-2.0

package v1

// Layer3Config is a network with a subnet per node and routing between them.
//
// +kubebuilder:validation:XValidation:rule="!has(self.joinSubnets) || self.role == 'Primary'",message="joinSubnets can only be set for a Primary network"
// +kubebuilder:validation:XValidation:rule="!has(self.mtu) || self.mtu >= 1280 || !self.subnets.exists(s, isCIDR(s.cidr) && cidr(s.cidr).ip().family() == 6)",message="mtu must be at least 1280 with an IPv6 subnet (RFC 8200)"
// +kubebuilder:validation:XValidation:rule="self.role != 'Secondary' || size(self.subnets) == 1 || (size(self.subnets) == 2 && (!self.subnets.all(s, isCIDR(s.cidr)) || cidr(self.subnets[0].cidr).ip().family() != cidr(self.subnets[1].cidr).ip().family()))",message="a Secondary network has one subnet, or one IPv4 and one IPv6 subnet"
// +kubebuilder:validation:XValidation:rule="self.role != 'Secondary' || self.subnets == oldSelf.subnets",message="subnets of a Secondary network can't be changed"
// +kubebuilder:validation:XValidation:rule="oldSelf.subnets.all(o, o in self.subnets)",message="existing subnets and their hostSubnet can't be changed or removed, because nodes have subnets from them; add new ones instead"
// +kubebuilder:validation:XValidation:rule="!self.subnets.all(s, isCIDR(s.cidr)) || [self.subnets.map(s, cidr(s.cidr))].all(nets, nets.all(a, nets.exists_one(b, a.containsIP(b.ip()))))",message="subnets must not overlap each other or repeat"
// +kubebuilder:validation:XValidation:rule="!self.subnets.all(s, isCIDR(s.cidr)) || [4, 6].all(f, [self.subnets.filter(s, cidr(s.cidr).ip().family() == f)].all(same, same.all(s, s.?hostSubnet.orValue(0) == same[0].?hostSubnet.orValue(0))))",message="subnets of one IP family must have the same hostSubnet"
type Layer3Config struct {
	// role is the network's role for its pods: Primary replaces the default
	// network, Secondary is an additional one.
	//
	// +required
	// +kubebuilder:validation:Enum=Primary;Secondary
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="role can't be changed"
	Role NetworkRole `json:"role"`

	// mtu of the pods' interfaces; if it is not set, OVN-Kubernetes' default.
	//
	// +optional
	// +kubebuilder:validation:Minimum=576
	// +kubebuilder:validation:Maximum=65536
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="mtu can't be changed"
	MTU int32 `json:"mtu,omitempty"`

	// subnets are divided into the nodes' subnets. More can be added later.
	//
	// +required
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=400
	Subnets []Layer3Subnet `json:"subnets,omitempty"`

	// joinSubnets are for OVN's own links between the network's routers.
	//
	// +optional
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="joinSubnets can't be changed"
	JoinSubnets DualStackCIDRs `json:"joinSubnets,omitempty"`
}

// Layer3Subnet is a subnet that is divided into nodes' subnets.
//
// +kubebuilder:validation:XValidation:rule="!has(self.hostSubnet) || !isCIDR(self.cidr) || self.hostSubnet > cidr(self.cidr).prefixLength()",message="hostSubnet must be longer than the prefix length of cidr, so that there is a subnet for each node"
// +kubebuilder:validation:XValidation:rule="!has(self.hostSubnet) || !isCIDR(self.cidr) || cidr(self.cidr).ip().family() == 6 || self.hostSubnet < 32",message="hostSubnet must be less than 32 with an IPv4 cidr"
type Layer3Subnet struct {
	// cidr is the whole subnet.
	//
	// +required
	CIDR CIDR `json:"cidr,omitempty"`

	// hostSubnet is the prefix length of a node's subnet; if it is not set,
	// OVN-Kubernetes chooses one.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=127
	HostSubnet int32 `json:"hostSubnet,omitempty"`
}
