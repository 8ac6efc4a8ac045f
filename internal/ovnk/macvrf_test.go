package ovnk

import (
	"net/netip"
	"slices"
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

func TestLayer2Gateways(t *testing.T) {
	got := Layer2Gateways([]netip.Prefix{netip.MustParsePrefix("10.10.0.0/16"), netip.MustParsePrefix("fd00:10::/64")})
	if want := []netip.Addr{netip.MustParseAddr("10.10.0.1"), netip.MustParseAddr("fd00:10::1")}; !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}
