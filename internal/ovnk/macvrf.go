package ovnk

// Layer2Switch is the switch that a Layer2 network's pods have in the OVN Northbound
// database.
func Layer2Switch(network string) string { return NamesOf(network).prefix + "ovn_layer2_switch" }

// MACVRFPort is the port that joins a Layer2 network's switch with the network's MAC-VRF.
func MACVRFPort(network string) string { return "macvrf-" + Layer2Switch(network) }
