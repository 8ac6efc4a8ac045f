package main

import (
	"context"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/evpn"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/report"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// tunnels look whether the node has the devices of its EVPN networks, whatever the agent's
// flags are. With --manage-evpn they also make them.
type tunnels struct {
	loop  *evpn.Loop
	found *report.EVPN
}

func newTunnels(log logr.Logger, registry prometheus.Registerer, changed func()) *tunnels {
	t := &tunnels{loop: evpn.NewLoop(log), found: report.NewEVPN(registry, log, changed)}
	t.loop.Report = t.found.Looked
	return t
}

// manage has the devices made.
func (t *tunnels) manage(log logr.Logger, node string) {
	t.loop.Keeper = &evpn.Keeper{Log: log, Node: node}
}

// apply replaces the networks that are looked for. Devices of networks that are not named
// would be removed.
func (t *tunnels) apply(networks []agent.Network, complete bool) {
	if complete || t.loop.Keeper == nil {
		t.loop.Apply(tunnelled(networks))
	}
}

func tunnelled(networks []agent.Network) []evpn.Network {
	var out []evpn.Network
	for i := range networks {
		n := &networks[i]
		if n.EVPN == nil {
			continue
		}
		out = append(out, evpn.Network{
			Name: n.Name, VRF: n.VRF, ID: n.ID, VTEP: n.EVPN.VTEP, Endpoint: n.EVPN.Endpoint, Allocated: n.EVPN.Allocated,
			MACVRF: vpn(n.EVPN.MACVRF), IPVRF: vpn(n.EVPN.IPVRF), Problem: n.EVPN.Problem,
		})
	}
	return out
}

func vpn(v *model.VPN) evpn.VPN {
	if v == nil {
		return evpn.VPN{}
	}
	return evpn.VPN{VNI: v.VNI, VID: v.VID}
}

func (t *tunnels) run(ctx context.Context) error { return t.loop.Run(ctx) }
