package main

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vteps"
)

// --once must not end before the addresses of every VTEP were looked at.
func TestOnceWaitsForVTEPs(t *testing.T) {
	e := newEndpoints(logr.Discard(), "", prometheus.NewRegistry(), func() {})
	if names := e.unsettled(); len(names) > 0 {
		t.Errorf("nothing was given, and %v are not done with", names)
	}
	e.apply(map[string][]netip.Addr{"fabric": {netip.MustParseAddr("100.64.0.1")}, "other": {netip.MustParseAddr("100.65.0.1")}})
	if got := e.unsettled(); !slices.Equal(got, []string{"fabric", "other"}) {
		t.Errorf("before the first pass %v are not done with", got)
	}
	e.found.Passed(vteps.Report{VTEPs: []vteps.State{{VTEP: "fabric"}, {VTEP: "other", Problem: "the name is taken"}}}, nil)
	if got := e.unsettled(); len(got) > 0 {
		t.Errorf("after a pass %v are not done with", got)
	}
	if problems := e.problems(); len(problems) != 1 || !strings.Contains(problems[0].Error(), "VTEP other: the name is taken") {
		t.Errorf("the problems are %v", problems)
	}
}

func TestVTEPsAreManagedOnlyWithTheFlag(t *testing.T) {
	for _, test := range []struct {
		manage, readOnly bool
		want             string
	}{
		{false, false, "start the agent with --manage-vteps"}, {false, true, "start the agent with --manage-vteps"},
		{true, true, "start the agent without --observe-only"}, {true, false, ""},
	} {
		if got := (&options{manageVTEPs: test.manage}).withoutVTEPs(test.readOnly); got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
}
