// SPDX-License-Identifier: Apache-2.0

package v1

// NoOverlayConfig is for networks whose packets travel between nodes without
// encapsulation, along routes from BGP.
type NoOverlayConfig struct {
	// outboundSNAT says whether traffic that leaves the cluster gets the
	// node's address as its source.
	//
	// +required
	OutboundSNAT SNATOption `json:"outboundSNAT"`

	// routing says how nodes learn each other's pod subnets: over BGP sessions
	// that are managed for them, or as RouteAdvertisements and FRRConfigurations
	// that you write say.
	//
	// +required
	Routing RoutingOption `json:"routing"`
}

// SNATOption says whether traffic that leaves the cluster gets the node's
// address as its source.
//
// +kubebuilder:validation:Enum=Enabled;Disabled
type SNATOption string

// Whether traffic that leaves the cluster gets the node's address as its source.
const (
	SNATEnabled  SNATOption = "Enabled"
	SNATDisabled SNATOption = "Disabled"
)

// RoutingOption says how nodes learn each other's pod subnets.
//
// +kubebuilder:validation:Enum=Managed;Unmanaged
type RoutingOption string

// How nodes learn each other's pod subnets.
const (
	// RoutingManaged makes the nodes peer with each other.
	RoutingManaged RoutingOption = "Managed"
	// RoutingUnmanaged relies on RouteAdvertisements that people write.
	RoutingUnmanaged RoutingOption = "Unmanaged"
)

// EVPNConfig is for networks whose packets travel between nodes over VXLAN, with
// EVPN as the control plane.
//
// +kubebuilder:validation:XValidation:rule="has(self.macVRF) || has(self.ipVRF)",message="set macVRF, ipVRF or both"
// +kubebuilder:validation:XValidation:rule="!has(self.macVRF) || !has(self.ipVRF) || self.macVRF.vni != self.ipVRF.vni",message="macVRF and ipVRF must have different VNIs"
type EVPNConfig struct {
	// vtep is the name of the VTEP whose addresses are the tunnel endpoints.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	VTEP string `json:"vtep"`

	// macVRF is the network's layer 2 part.
	//
	// +optional
	MACVRF *VRFConfig `json:"macVRF,omitempty"`

	// ipVRF is the network's layer 3 part.
	//
	// +optional
	IPVRF *VRFConfig `json:"ipVRF,omitempty"`
}

// VRFConfig is a MAC-VRF or an IP-VRF.
type VRFConfig struct {
	// vni is the VXLAN network identifier.
	//
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=16777215
	VNI int32 `json:"vni"`

	// routeTarget is set on exported routes, and routes that have it are imported.
	// If it is not set, FRR derives one from the ASN and the VNI.
	//
	// +optional
	RouteTarget RouteTarget `json:"routeTarget,omitempty"`
}

// RouteTarget is a route target extended community (RFC 4360).
//
// +kubebuilder:validation:MaxLength=21
// +kubebuilder:validation:XValidation:rule="self.matches('^([*]|[0-9]{1,10}|[0-9]{1,3}([.][0-9]{1,3}){3}):[0-9]{1,10}$') && (!self.contains('.') || isIP(self.split(':')[0]))",message="must be ASN:number, IPv4 address:number or *:number, such as 65000:100"
// +kubebuilder:validation:XValidation:rule="!self.matches('^[0-9]{1,10}:') || uint(self.split(':')[0]) <= 4294967295u",message="the ASN of a route target is at most 4294967295"
// +kubebuilder:validation:XValidation:rule="!self.matches('^[^:]+:[0-9]{1,10}$') || uint(self.split(':')[1]) <= (self.contains('.') || (self.matches('^[0-9]{1,10}:') && uint(self.split(':')[0]) > 65535u) ? 65535u : 4294967295u)",message="a route target has 6 bytes in all: the number is at most 65535 after an IPv4 address or an ASN above 65535, and at most 4294967295 otherwise"
type RouteTarget string
