package main

import (
	"context"
	"time"

	"github.com/go-logr/logr"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vrfs"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// devices keeps the node's VRF devices as the networks want them. A nil one
// does nothing, which is what an agent without --manage-vrfs does.
type devices struct {
	keeper vrfs.Keeper
	wanted chan []vrfs.Network
	log    logr.Logger
}

func newDevices(log logr.Logger) *devices {
	return &devices{keeper: vrfs.Keeper{Log: log}, wanted: make(chan []vrfs.Network, 1), log: log}
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
	select {
	case <-d.wanted:
	default:
	}
	d.wanted <- wanted
}

// run makes the kernel agree until ctx ends. What was made stays then, because
// pods need it while the agent is replaced.
func (d *devices) run(ctx context.Context) error {
	if d == nil {
		return nil
	}
	const again = 5 * time.Second
	retry := time.NewTimer(time.Hour)
	defer retry.Stop()
	var wanted []vrfs.Network
	known := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case wanted = <-d.wanted:
			known = true
		case <-retry.C:
		}
		if !known {
			continue
		}
		report, err := d.keeper.Sync(wanted)
		for _, s := range report.Networks {
			if s.Problem != "" {
				d.log.Info("A network has no VRF of ours", "network", s.Network, "vrf", s.VRF, "problem", s.Problem)
			}
		}
		if err != nil {
			d.log.Info("Not all VRF devices are as wanted; trying again", "cause", err.Error(), "after", again)
			retry.Reset(again)
		}
	}
}
