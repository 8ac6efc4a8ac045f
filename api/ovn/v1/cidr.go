// SPDX-License-Identifier: Apache-2.0

package v1

// CIDR is a subnet in CIDR notation.
//
// +kubebuilder:validation:MaxLength=43
type CIDR string

// DualStackCIDRs is one subnet, or one of each IP family.
//
// +kubebuilder:validation:MinItems=1
// +kubebuilder:validation:MaxItems=2
type DualStackCIDRs []CIDR

// IP is an IP address.
//
// +kubebuilder:validation:MaxLength=45
type IP string

// DualStackIPs is one address, or one of each IP family.
//
// +kubebuilder:validation:MinItems=1
// +kubebuilder:validation:MaxItems=2
type DualStackIPs []IP
