package report

import (
	"strings"
	"testing"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
)

// TestAbsent follows a node on which networks come and go.
func TestAbsent(t *testing.T) {
	began := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	nothing := agent.Layer2{Networks: 2}
	found := func(absent, undecided string) agent.Layer2 {
		return agent.Layer2{Known: true, Networks: 2, Absent: strings.Fields(absent), Undecided: strings.Fields(undecided)}
	}
	status := v1alpha1.NodeRouteStateStatus{}
	for i, step := range []struct {
		minute int
		found  agent.Layer2
		want   string
		// at is the minute of AbsentTime, -1 for none.
		at int
	}{
		{0, nothing, "", -1},
		{1, found("", "blue"), "", 1},
		{2, found("blue", ""), "blue", 2},
		{11, found("blue", ""), "blue", 2},
		{12, found("blue", ""), "blue", 12},
		// Another network is new: it is not absent, and blue stays.
		{13, found("blue", "red"), "blue", 12},
		{14, found("blue red", ""), "blue red", 14},
		// The database is gone: nothing is known, and nothing new is said.
		{20, nothing, "blue red", 14},
		{40, nothing, "blue red", 14},
		// It is back, or the agent was restarted, and red is there now.
		{41, found("", "blue"), "blue", 41},
		{42, found("blue", ""), "blue", 41},
		{43, found("", ""), "", 43},
		{52, found("", ""), "", 43},
		{53, found("", ""), "", 53},
		// Somebody sets the clock back.
		{20, found("", ""), "", 20},
		// The last Layer2 network is gone.
		{54, agent.Layer2{Known: true}, "", -1},
	} {
		now := began.Add(time.Duration(step.minute) * time.Minute)
		status = Status(&Seen{Layer2: step.found}, &status, now)
		at := -1
		if status.AbsentTime != nil {
			at = int(status.AbsentTime.Sub(began).Minutes())
		}
		if got := strings.Join(status.AbsentNetworks, " "); got != step.want || at != step.at {
			t.Errorf("step %d: %q at minute %d, want %q at minute %d", i, got, at, step.want, step.at)
		}
	}
}
