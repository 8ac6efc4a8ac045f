package main

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/evpn"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/ovnnb"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

func TestTunnelled(t *testing.T) {
	endpoint := netip.MustParseAddr("100.64.0.1")
	got := tunnelled([]agent.Network{{Name: "default"}, {
		Name: "cluster_udn_blue", VRF: "blue", ID: 5, Problem: "its gateway is not known",
		EVPN: &agent.EVPN{VTEP: "fabric", Endpoint: endpoint, MACVRF: &model.VPN{VNI: 110, VID: 11}},
	}})
	want := []evpn.Network{{Name: "cluster_udn_blue", VRF: "blue", ID: 5, VTEP: "fabric", Endpoint: endpoint, MACVRF: evpn.VPN{VNI: 110, VID: 11}}}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestTunnelsOfAllNetworks: an agent that makes devices waits until it knows all networks,
// because it removes what the others have. One that only looks does not wait.
func TestTunnelsOfAllNetworks(t *testing.T) {
	for _, manage := range []bool{false, true} {
		looked := 0
		tunnels := newTunnels(logr.Discard(), prometheus.NewRegistry(), func() { looked++ })
		if manage {
			tunnels.manage(logr.Discard(), "unix:/nowhere", ovnnb.Options{Node: "node1"})
		}
		tunnels.apply(nil, false)
		if reported := looked > 0; reported == manage {
			t.Errorf("manage %v: %d reports", manage, looked)
		}
	}
}

func TestManageEVPNIsOff(t *testing.T) {
	if defaults().manageEVPN {
		t.Error("it is on")
	}
}
