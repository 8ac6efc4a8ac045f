// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// EVPNState reports what the node has of an EVPN network.
type EVPNState struct {
	// name is the network's name in OVN: "cluster_udn_<name>".
	//
	// +required
	Name string `json:"name"`

	// vtep is the VTEP whose tunnels carry the network.
	//
	// +optional
	VTEP string `json:"vtep,omitempty"`

	// endpoint is the node's address of the VTEP.
	//
	// +optional
	Endpoint IP `json:"endpoint,omitempty"`

	// bridge is the name that the VTEP's bridge has, or should have.
	//
	// +optional
	Bridge string `json:"bridge,omitempty"`

	// madeBy is OVN-Kubernetes if its node component made the bridge, and Agent if the
	// agent did, with its flag --manage-evpn.
	//
	// +optional
	MadeBy string `json:"madeBy,omitempty"`

	// routerMAC is the bridge's address, which the fabric sends routed packets to.
	//
	// +optional
	RouterMAC string `json:"routerMAC,omitempty"`

	// mtu is the network's MTU on the node.
	//
	// +optional
	MTU int64 `json:"mtu,omitempty"`

	// underlay is the link that tunnels leave by; of several, the one with the lowest
	// MTU.
	//
	// +optional
	Underlay string `json:"underlay,omitempty"`

	// underlayMTU is the MTU of that link. Tunnels need 50 more than mtu.
	//
	// +optional
	UnderlayMTU int64 `json:"underlayMTU,omitempty"`

	// macVRF is the network's layer 2, if it has one.
	//
	// +optional
	MACVRF *EVPNVRFState `json:"macVRF,omitempty"`

	// ipVRF is the network's layer 3, if it has one.
	//
	// +optional
	IPVRF *EVPNVRFState `json:"ipVRF,omitempty"`

	// conditions say whether all of it is there.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// EVPNVRFState reports what the node has of a MAC-VRF or an IP-VRF. Counts may be a
// minute old.
type EVPNVRFState struct {
	// vni is the VXLAN network identifier.
	//
	// +required
	VNI int32 `json:"vni"`

	// vid is its VLAN on the bridge.
	//
	// +optional
	VID int32 `json:"vid,omitempty"`

	// carried is true while the VXLAN device and the bridge have the VNI and its VLAN.
	//
	// +optional
	Carried bool `json:"carried"`

	// svi is the name that the bridge's VLAN device has, or should have.
	//
	// +optional
	SVI string `json:"svi,omitempty"`

	// localMACs is the number of pods' MAC addresses that FRR is to announce.
	//
	// +optional
	LocalMACs int64 `json:"localMACs,omitempty"`

	// localAddresses is the number of their IP addresses.
	//
	// +optional
	LocalAddresses int64 `json:"localAddresses,omitempty"`

	// remoteMACs is the number of MAC addresses that FRR learned from the fabric.
	//
	// +optional
	RemoteMACs int64 `json:"remoteMACs,omitempty"`

	// remoteAddresses is the number of neighbors that FRR learned from the fabric; of
	// an IP-VRF, they are other routers.
	//
	// +optional
	RemoteAddresses int64 `json:"remoteAddresses,omitempty"`

	// remoteEndpoints is the number of other tunnel endpoints that have the VNI.
	//
	// +optional
	RemoteEndpoints int64 `json:"remoteEndpoints,omitempty"`
}
