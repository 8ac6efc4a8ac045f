// SPDX-License-Identifier: Apache-2.0

package v1

// CIDR is a subnet in CIDR notation.
//
// +kubebuilder:validation:MaxLength=43
// +kubebuilder:validation:XValidation:rule="isCIDR(self)",message="must be a subnet in CIDR notation, such as 10.128.0.0/16 or fd00:10::/48"
type CIDR string

// DualStackCIDRs is one subnet, or one of each IP family.
//
// +kubebuilder:validation:MinItems=1
// +kubebuilder:validation:MaxItems=2
// +kubebuilder:validation:XValidation:rule="size(self) < 2 || !self.all(c, isCIDR(c)) || cidr(self[0]).ip().family() != cidr(self[1]).ip().family()",message="two subnets must be one IPv4 and one IPv6 subnet"
type DualStackCIDRs []CIDR

// IP is an IP address.
//
// +kubebuilder:validation:MaxLength=45
// +kubebuilder:validation:XValidation:rule="isIP(self)",message="must be an IP address, such as 10.128.0.1 or fd00:10::1"
type IP string

// DualStackIPs is one address, or one of each IP family.
//
// +kubebuilder:validation:MinItems=1
// +kubebuilder:validation:MaxItems=2
// +kubebuilder:validation:XValidation:rule="size(self) < 2 || !self.all(a, isIP(a)) || ip(self[0]).family() != ip(self[1]).family()",message="two addresses must be one IPv4 and one IPv6 address"
type DualStackIPs []IP
