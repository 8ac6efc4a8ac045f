package main

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/report"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vteps"
)

// endpoints keep the addresses of VTEPs that the manager gave to the node. Without
// --manage-vteps they look whether these are there.
type endpoints struct {
	loop  *vteps.Loop
	found *report.VTEPs

	mu sync.Mutex
	// given are the names of those that were last applied.
	given []string
}

// withoutVTEPs is why the agent makes no devices for addresses, as what to do about it; ""
// if it does.
func (o *options) withoutVTEPs(readOnly bool) string {
	switch {
	case !o.manageVTEPs:
		return "start the agent with --manage-vteps"
	case readOnly:
		return "start the agent without --observe-only"
	default:
		return ""
	}
}

func newEndpoints(log logr.Logger, without string, registry prometheus.Registerer, changed func()) *endpoints {
	e := &endpoints{loop: vteps.NewLoop(&vteps.Keeper{Log: log, Observing: without}), found: report.NewVTEPs(registry, log, changed)}
	e.loop.Report = e.found.Passed
	return e
}

// apply replaces what the node was given, by VTEP.
func (e *endpoints) apply(given map[string][]netip.Addr) {
	names := slices.Sorted(maps.Keys(given))
	wanted := make([]vteps.VTEP, 0, len(given))
	for _, name := range names {
		wanted = append(wanted, vteps.VTEP{Name: name, Addresses: given[name]})
	}
	e.mu.Lock()
	e.given = names
	e.mu.Unlock()
	e.loop.Apply(wanted)
}

// unsettled returns the VTEPs whose addresses were not looked at yet.
func (e *endpoints) unsettled() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	found := e.found.Last()
	return slices.DeleteFunc(slices.Clone(e.given), func(name string) bool {
		return slices.ContainsFunc(found.VTEPs, func(s vteps.State) bool { return s.VTEP == name })
	})
}

// problems are what could not be done for the VTEPs' addresses.
func (e *endpoints) problems() []error {
	found := e.found.Last()
	var out []error
	for i := range found.VTEPs {
		if s := &found.VTEPs[i]; s.Problem != "" {
			out = append(out, fmt.Errorf("VTEP %s: %s", s.VTEP, s.Problem))
		}
	}
	if found.Leftover != "" {
		out = append(out, fmt.Errorf("devices of deleted VTEPs: %s", found.Leftover))
	}
	return out
}

// run keeps the addresses until ctx ends. They stay then: tunnels outlive the agent.
func (e *endpoints) run(ctx context.Context) error { return e.loop.Run(ctx) }

// removeEndpoints removes the devices of all VTEPs.
func removeEndpoints(keeper *vteps.Keeper, dryRun bool) ([]vteps.Change, error) {
	if !dryRun {
		report, err := keeper.Sync(nil)
		return report.Changes, err
	}
	observed, err := vteps.Observe(keeper.Namespace)
	if err != nil {
		return nil, err
	}
	changes, _ := vteps.Plan(nil, observed)
	return changes, nil
}
