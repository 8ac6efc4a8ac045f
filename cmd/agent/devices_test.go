package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vrfs"
)

// --once must not end before every VRF was made and is imported from.
func TestOnceWaitsForVRFs(t *testing.T) {
	d := newDevices(logr.Discard(), vrfs.DefaultTableStart, prometheus.NewRegistry(), func() {})
	d.apply([]agent.Network{{Name: "default"}, {Name: "blue", VRF: "blue"}, {Name: "red", VRF: "red"}})
	blue := agent.NetworkState{Network: "blue", Reason: agent.ReasonVRFMissing}
	expect := func(step string, want ...string) {
		t.Helper()
		if got := d.unsettled([]agent.NetworkState{{Network: "default", Table: 254}, blue}); !slices.Equal(got, want) {
			t.Errorf("%s: %v are not done with, want %v", step, got, want)
		}
	}
	expect("before the first pass", "blue", "red")
	d.found.Passed(vrfs.Report{Networks: []vrfs.State{
		{Network: "blue", VRF: "blue", Table: 1005}, {Network: "red", VRF: "red", Reason: vrfs.ReasonNameTaken, Problem: "there is a device red"},
	}}, nil)
	expect("with a VRF that the import has not seen", "blue")
	blue.Table = 1005
	expect("with all done that can be")
	if problems := d.problems(); len(problems) != 1 || !strings.Contains(problems[0].Error(), "VRF of network red: there is a device red") {
		t.Errorf("the problems are %v", problems)
	}
	var without *devices
	if len(without.unsettled(nil))+len(without.problems()) > 0 {
		t.Error("without --manage-vrfs there is something to wait for")
	}
}
