package ovnk

import (
	"net/netip"
	"testing"
)

func TestMACVRFNames(t *testing.T) {
	for network, want := range map[string]string{
		"cluster_udn_my-net": "cluster_udn_my.net_ovn_layer2_switch",
		"team-a_blue/green":  "team.a_blue.green_ovn_layer2_switch",
	} {
		if got := Layer2Switch(network); got != want {
			t.Errorf("switch of %s: got %s, wanted %s", network, got, want)
		}
		if got := MACVRFPort(network); got != "macvrf-"+want {
			t.Errorf("port of %s: got %s", network, got)
		}
	}
}

func TestLayer2Gateway(t *testing.T) {
	for subnet, want := range map[string]string{"10.10.0.0/16": "10.10.0.1", "fd00:10::/64": "fd00:10::1"} {
		if got := Layer2Gateway(netip.MustParsePrefix(subnet)); got.String() != want {
			t.Errorf("gateway in %s: got %s, wanted %s", subnet, got, want)
		}
	}
}
