package report

import (
	"testing"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
)

// TestActive follows a node on which a network comes and goes.
func TestActive(t *testing.T) {
	began := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	yes, no := true, false
	text := func(active *bool) string {
		switch {
		case active == nil:
			return "unknown"
		case *active:
			return "active"
		default:
			return "absent"
		}
	}
	status := v1alpha1.NodeRouteStateStatus{}
	for i, step := range []struct {
		minute int
		active *bool
		want   string
		// at is the minute of ActiveTime, -1 for none.
		at int
	}{
		{0, nil, "unknown", -1},
		{1, &yes, "active", -1},
		{2, &no, "absent", 2},
		{11, &no, "absent", 2},
		{12, &no, "absent", 12},
		// The database is gone: nothing is known, and nothing new is said.
		{20, nil, "absent", 12},
		{40, nil, "absent", 12},
		{41, &no, "absent", 41},
		{42, &yes, "active", -1},
		{43, nil, "active", -1},
	} {
		now := began.Add(time.Duration(step.minute) * time.Minute)
		states := []agent.NetworkState{{Network: "default", Reason: agent.ReasonSynced, Active: &yes}, {Network: "cluster_udn_blue", Active: step.active}}
		status = Status(states, &Devices{}, &status, now)
		at := -1
		if status.ActiveTime != nil {
			at = int(status.ActiveTime.Sub(began).Minutes())
		}
		if got := text(status.Networks[1].Active); got != step.want || at != step.at {
			t.Errorf("step %d: %s since minute %d, want %s since minute %d", i, got, at, step.want, step.at)
		}
	}
}
