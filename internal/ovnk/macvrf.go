package ovnk

import "net/netip"

// Layer2Switch is the switch that a Layer2 network's pods have in the OVN Northbound
// database.
func Layer2Switch(network string) string { return NamesOf(network).prefix + "ovn_layer2_switch" }

// MACVRFPort is the port that joins a Layer2 network's switch with the network's MAC-VRF.
func MACVRFPort(network string) string { return "macvrf-" + Layer2Switch(network) }

// Layer2Gateways are the addresses of a Layer2 network's gateway, the first of each subnet,
// as OVN-Kubernetes chooses them where the network does not name any.
func Layer2Gateways(subnets []netip.Prefix) []netip.Addr {
	out := make([]netip.Addr, 0, len(subnets))
	for _, subnet := range subnets {
		out = append(out, subnet.Masked().Addr().Next())
	}
	return out
}
