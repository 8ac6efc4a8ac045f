package main

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/report"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vrfs"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// devices keeps the node's VRF devices as the networks need them. A nil one does
// nothing: the agent then runs without --manage-vrfs.
type devices struct {
	loop *vrfs.Loop
	// found is what the NodeRouteState and the metrics report.
	found *report.VRFs

	mu sync.Mutex
	// wanted are the networks that were last applied.
	wanted []vrfs.Network
}

func newDevices(log logr.Logger, tableStart uint32, registry prometheus.Registerer, changed func()) *devices {
	d := &devices{loop: vrfs.NewLoop(&vrfs.Keeper{Log: log, TableStart: tableStart}), found: report.NewVRFs(registry, log, changed)}
	d.loop.Report = d.found.Passed
	return d
}

// apply replaces the wanted networks.
func (d *devices) apply(networks []agent.Network) {
	wanted := []vrfs.Network{}
	for i := range networks {
		if n := &networks[i]; n.Name != model.DefaultNetwork {
			wanted = append(wanted, vrfs.Network{
				Name: n.Name, VRF: n.VRF, ID: n.ID, Subnets: n.Subnets, NodeAddresses: n.NodeAddresses, Exposed: n.OtherVRF, Isolated: n.OwnVRFOnly, Problem: n.Problem,
			})
		}
	}
	d.mu.Lock()
	d.wanted = wanted
	d.mu.Unlock()
	d.loop.Apply(wanted)
}

// run keeps the kernel in line until ctx ends. The devices stay then, because pods
// need them while the agent is replaced.
func (d *devices) run(ctx context.Context) error {
	if d == nil {
		return nil
	}
	return d.loop.Run(ctx)
}

// unsettled returns the networks whose VRF was not checked yet, or exists and is
// not yet imported from.
func (d *devices) unsettled(imported []agent.NetworkState) []string {
	if d == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	found := d.found.Devices()
	var out []string
	for i := range d.wanted {
		name := d.wanted[i].Name
		s := found.Of(name)
		reads := func(n agent.NetworkState) bool { return n.Network == name && n.Table == s.Table }
		if s == nil || s.Problem == "" && !slices.ContainsFunc(imported, reads) {
			out = append(out, name)
		}
	}
	return out
}

// problems are what could not be done for the networks' VRFs.
func (d *devices) problems() []error {
	if d == nil {
		return nil
	}
	found := d.found.Devices()
	var out []error
	for i := range found.States {
		if s := &found.States[i]; s.Problem != "" {
			out = append(out, fmt.Errorf("VRF of network %s: %s", s.Network, s.Problem))
		}
	}
	if found.Leftover != "" {
		out = append(out, fmt.Errorf("VRFs of deleted networks: %s", found.Leftover))
	}
	return out
}
