package main

import (
	"context"

	"github.com/go-logr/logr"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vrfs"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// devices keeps the node's VRF devices as the networks want them. A nil one
// does nothing, which is what an agent without --manage-vrfs does.
type devices struct {
	loop *vrfs.Loop
	log  logr.Logger
	// told are the problems that stand in the log already, by network.
	told map[string]string
}

func newDevices(log logr.Logger) *devices {
	d := &devices{loop: vrfs.NewLoop(&vrfs.Keeper{Log: log}), log: log, told: map[string]string{}}
	d.loop.Report = d.tell
	return d
}

// apply replaces what is wanted.
func (d *devices) apply(networks []agent.Network) {
	wanted := []vrfs.Network{}
	for i := range networks {
		if n := &networks[i]; n.Name != model.DefaultNetwork {
			wanted = append(wanted, vrfs.Network{
				Name: n.Name, VRF: n.VRF, ID: n.ID, Subnets: n.Subnets, Isolated: n.OwnVRFOnly, Problem: n.Problem,
			})
		}
	}
	d.loop.Apply(wanted)
}

// run makes the kernel agree until ctx ends. What was made stays then, because
// pods need it while the agent is replaced.
func (d *devices) run(ctx context.Context) error {
	if d == nil {
		return nil
	}
	return d.loop.Run(ctx)
}

func (d *devices) tell(report vrfs.Report, _ error) {
	for _, s := range report.Networks {
		if s.Problem != "" && s.Problem != d.told[s.Network] {
			d.log.Info("Not everything about a network's VRF could be done", "network", s.Network, "vrf", s.VRF, "problem", s.Problem)
		}
		d.told[s.Network] = s.Problem
	}
}
