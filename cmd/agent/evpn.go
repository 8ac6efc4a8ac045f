package main

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/evpn"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/ovnnb"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/report"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vswitch"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// tunnels look whether the node has the devices of its EVPN networks, whatever the agent's
// flags are. With --manage-evpn they also make them.
type tunnels struct {
	loop  *evpn.Loop
	found *report.EVPN
	// ports and switches are nil without --manage-evpn.
	ports    *vswitch.Client
	switches *ovnnb.MACVRFs

	mu       sync.Mutex
	networks []agent.Network
	// troubles are what was last wrong with switches, by network.
	troubles map[string]string
}

func newTunnels(log logr.Logger, registry prometheus.Registerer, changed func()) *tunnels {
	t := &tunnels{loop: evpn.NewLoop(log), found: report.NewEVPN(registry, log, changed)}
	t.loop.Report = t.looked
	return t
}

// manage has the devices made, and MAC-VRFs joined with OVN's switches.
func (t *tunnels) manage(log logr.Logger, ovs string, northbound ovnnb.Options) {
	t.ports = vswitch.New(vswitch.Options{Endpoint: ovs, Log: log, Changed: func() {
		t.loop.Poke()
		t.switches.Poke()
	}})
	t.switches = ovnnb.NewMACVRFs(northbound, t.ports.Chassis, t.joined)
	t.loop.Keeper = &evpn.Keeper{Log: log, Node: northbound.Node, Switch: t.ports}
}

// apply replaces the networks that are looked for. Devices of networks that are not named
// would be removed.
func (t *tunnels) apply(networks []agent.Network, complete bool) {
	if !complete && t.loop.Keeper != nil {
		return
	}
	t.mu.Lock()
	t.networks = networks
	t.mu.Unlock()
	t.applyAll()
}

func (t *tunnels) applyAll() {
	t.mu.Lock()
	networks := tunnelled(t.networks)
	for i := range networks {
		networks[i].Switch = t.troubles[networks[i].Name]
	}
	t.mu.Unlock()
	t.loop.Apply(networks)
}

// looked takes what a look found. Only then it is known for which networks OVN-Kubernetes
// does all of it.
func (t *tunnels) looked(found evpn.Report) {
	t.found.Looked(found)
	if t.switches == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var wanted []ovnnb.MACVRF
	for i := range t.networks {
		n := &t.networks[i]
		at := slices.IndexFunc(found.Networks, func(s evpn.State) bool { return s.Network == n.Name })
		if at >= 0 && n.EVPN != nil && n.EVPN.MACVRF != nil && found.Networks[at].Reason != evpn.ReasonMadeByOVNKubernetes {
			wanted = append(wanted, ovnnb.MACVRF{Network: n.Name, Gateways: n.EVPN.Gateways})
		}
	}
	t.switches.Apply(wanted)
}

// joined takes what became known of OVN's switches: first the hosts, which are waited for.
func (t *tunnels) joined() {
	states := t.switches.States()
	if states == nil {
		t.loop.ApplyHosts(nil)
		return
	}
	hosts, troubles := make(map[string][]evpn.Host, len(states)), map[string]string{}
	for network, state := range states {
		if state.Problem != "" {
			troubles[network] = state.Problem
		}
		for _, h := range state.Hosts {
			hosts[network] = append(hosts[network], evpn.Host(h))
		}
	}
	t.loop.ApplyHosts(hosts)
	t.mu.Lock()
	same := maps.Equal(t.troubles, troubles)
	t.troubles = troubles
	t.mu.Unlock()
	if !same {
		t.applyAll()
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

func (t *tunnels) run(ctx context.Context) error {
	if t.switches == nil {
		return t.loop.Run(ctx)
	}
	var parts sync.WaitGroup
	defer parts.Wait()
	parts.Go(func() { _ = t.ports.Run(ctx) })
	parts.Go(func() { _ = t.switches.Run(ctx) })
	return t.loop.Run(ctx)
}
