package cni

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"testing"
)

func subnets(text string) []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix(text)} }

// What OVN-Kubernetes writes into the definition of a network with EVPN, by hand.
func TestDefinitionOfANetworkWithEVPN(t *testing.T) {
	n := Network{
		Name: "cluster_udn_blue", ID: 7, Topology: Layer2, Subnets: subnets("22.100.0.0/16"),
		EVPN: &EVPN{VTEP: "fabric", MACVRF: &VPN{VNI: 110, VID: 2, RouteTarget: "65000:110"}, IPVRF: &VPN{VNI: 200, VID: 3}},
	}
	if err := n.check(); err != nil {
		t.Fatal(err)
	}
	want := `{"cniVersion":"1.1.0","type":"ovn-k8s-cni-overlay","name":"cluster_udn_blue","netAttachDefName":"blue/blue","topology":"layer2","role":"primary",
		"joinSubnet":"100.65.0.0/16,fd99::/64","subnets":"22.100.0.0/16","transitSubnet":"100.88.0.0/16","transport":"evpn",
		"evpn":{"vtep":"fabric","macVRF":{"vni":110,"routeTarget":"65000:110","vid":2},"ipVRF":{"vni":200,"vid":3}}}`
	var got, wanted any
	if err := json.Unmarshal([]byte(n.definition("blue/blue")), &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(want), &wanted); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, wanted) {
		t.Errorf("got %v", got)
	}
}

func TestNamesOfDevicesOfAnEVPNNetwork(t *testing.T) {
	for name, want := range map[string][]string{
		"cluster_udn_extranet":    {"svl3-extranet", "svl2-extranet", "ovl2-extranet", "macvrf-cluster_udn_extranet_ovn_layer2_switch"},
		"cluster_udn_ten-letter":  {"svl3-ten-letter", "svl2-ten-letter", "ovl2-ten-letter", "macvrf-cluster_udn_ten.letter_ovn_layer2_switch"},
		"cluster_udn_far-too-big": {"svl3.7", "svl2.7", "ovl2.7", "macvrf-cluster_udn_far.too.big_ovn_layer2_switch"},
	} {
		n := Network{Name: name, ID: 7, Topology: Layer2}
		if got := []string{n.routedInterface(), n.switchedInterface(), n.macVRFDevice(), n.macVRFPort()}; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func TestANetworkWithEVPNThatCannotBeIsRefused(t *testing.T) {
	vpn := &VPN{VNI: 1, VID: 2}
	for name, n := range map[string]Network{
		"Layer3 without an IP-VRF": {Topology: Layer3, EVPN: &EVPN{}},
		"Layer3 with a MAC-VRF":    {Topology: Layer3, EVPN: &EVPN{MACVRF: vpn, IPVRF: vpn}},
		"Layer2 without a MAC-VRF": {Topology: Layer2, EVPN: &EVPN{IPVRF: vpn}},
	} {
		n.Name, n.ID, n.Subnets = "cluster_udn_x", 1, subnets("22.100.0.0/16")
		if n.check() == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
