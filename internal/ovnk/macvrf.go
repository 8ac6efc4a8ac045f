package ovnk

import "net/netip"

// Layer2Switch is the switch that a Layer2 network's pods have in the OVN Northbound
// database.
func Layer2Switch(network string) string { return NamesOf(network).prefix + "ovn_layer2_switch" }

// MACVRFPort is the port that joins a Layer2 network's switch with the network's MAC-VRF.
func MACVRFPort(network string) string { return "macvrf-" + Layer2Switch(network) }

// Layer2Gateway is the address of a Layer2 network's gateway in a subnet, as OVN-Kubernetes
// chooses it where the network does not name one.
func Layer2Gateway(subnet netip.Prefix) netip.Addr { return subnet.Masked().Addr().Next() }
