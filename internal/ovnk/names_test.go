package ovnk

import "testing"

func TestNames(t *testing.T) {
	names, dflt, udn := NamesOf("cluster_udn_my-net"), NamesOf("default"), NamesOf("team-a_blue/green")
	for _, row := range []struct{ got, wanted string }{
		{NetworkName("my-net"), "cluster_udn_my-net"},
		{dflt.GatewayRouter("n-1"), "GR_n-1"},
		{dflt.GatewayRouterExternalPort("n-1"), "rtoe-GR_n-1"},
		{names.GatewayRouter("n-1"), "GR_cluster_udn_my.net_n-1"},
		{names.GatewayRouterExternalPort("n-1"), "rtoe-GR_cluster_udn_my.net_n-1"},
		{udn.GatewayRouter("n-1"), "GR_team.a_blue.green_n-1"},
	} {
		if row.got != row.wanted {
			t.Errorf("got %s, wanted %s", row.got, row.wanted)
		}
	}
}

func TestCUDNName(t *testing.T) {
	if cudn, ok := CUDNName("cluster_udn_my-net"); cudn != "my-net" || !ok {
		t.Errorf("got %q, %v", cudn, ok)
	}
	for _, network := range []string{"default", "team_blue"} {
		if cudn, ok := CUDNName(network); ok {
			t.Errorf("%s is taken for the network of ClusterUserDefinedNetwork %q", network, cudn)
		}
	}
}

func TestVRF(t *testing.T) {
	for _, row := range []struct {
		cudn, vrf string
		ok        bool
	}{
		{"blue", "blue", true},
		{"exactly-15-char", "exactly-15-char", true},
		{"sixteen-characte", "", false},
		{"default", "", false},
	} {
		if vrf, ok := VRFFromName(row.cudn); vrf != row.vrf || ok != row.ok {
			t.Errorf("%s: got %q, %v", row.cudn, vrf, ok)
		}
	}
	if got := VRFFromID(12); got != "mp12-udn-vrf" {
		t.Errorf("got %s", got)
	}
	if got := ManagementPort(12); got != "ovn-k8s-mp12" {
		t.Errorf("got %s", got)
	}
}
