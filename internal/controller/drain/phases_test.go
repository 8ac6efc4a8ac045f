package drain

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// One node drains and comes back, step by step, by a clock that only the test moves.
func TestPhases(t *testing.T) {
	var (
		listed []v1alpha1.DrainingNode
		now    = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
		usual  = times{withdraw: 2 * time.Minute, returning: Returning}
	)
	for _, step := range []struct {
		name            string
		after           time.Duration
		triggered, done bool
		t               times
		// want are phase, age and how long the phase holds, "" for not listed.
		want string
	}{
		{"nothing is asked", 0, false, false, usual, ""},
		{"it is cordoned", 0, true, false, usual, "Pending 0s 0s"},
		{"FRR takes its time", time.Hour, true, false, usual, "Pending 1h0m0s 0s"},
		{"FRR has it", time.Second, true, true, usual, "Draining 0s 2m0s"},
		{"FRR has it still", 90 * time.Second, true, true, usual, "Draining 1m30s 30s"},
		{"FRR restarts", 29 * time.Second, true, false, usual, "Draining 1m59s 1s"},
		{"the network has had its time", time.Second, true, false, usual, "Withdrawn 0s 0s"},
		{"it stays so", time.Hour, true, true, usual, "Withdrawn 1h0m0s 0s"},
		{"withdrawal is switched off", time.Second, true, true, times{withdraw: -1, returning: Returning}, "Draining 0s 0s"},
		{"it is so for long", time.Hour, true, true, times{withdraw: -1, returning: Returning}, "Draining 1h0m0s 0s"},
		{"and on", 0, true, true, usual, "Withdrawn 0s 0s"},
		{"it is uncordoned", time.Minute, false, true, usual, "Returning 0s 30s"},
		{"and cordoned again in time", 29 * time.Second, true, true, usual, "Draining 0s 2m0s"},
		{"and uncordoned", time.Second, false, true, usual, "Returning 0s 30s"},
		{"it returns", 10 * time.Second, false, false, usual, "Returning 10s 20s"},
		{"it is back", 20 * time.Second, false, true, usual, ""},
		{"it is cordoned once more", 0, true, false, usual, "Pending 0s 0s"},
		{"and uncordoned before FRR knew", time.Second, false, false, usual, "Returning 0s 30s"},
		{"and cordoned", time.Second, true, false, usual, "Pending 0s 0s"},
		{"nobody waits", time.Second, true, true, times{withdraw: 0, returning: Returning}, "Draining 0s 0s"},
		{"it is withdrawn at once", time.Nanosecond, true, true, times{withdraw: 0, returning: Returning}, "Withdrawn 0s 0s"},
	} {
		now = now.Add(step.after)
		v := &model.DrainVerdict{}
		d := model.DrainingNode{Node: "one"}
		if step.triggered {
			d.Triggers = []string{"cordon"}
		}
		if step.triggered || len(listed) > 0 {
			v.Draining = []model.DrainingNode{d}
		}
		var holds time.Duration
		listed, holds = phases(listed, v, func(string) bool { return step.done }, step.t, now)
		got := ""
		for _, n := range listed {
			got += fmt.Sprintf("%s %s %s", n.Phase, now.Sub(n.Since.Time), holds)
		}
		if got != step.want {
			t.Errorf("%s: %q, want %q", step.name, got, step.want)
		}
	}
}

// Nodes that the verdict doesn't know leave the list, and the shortest time counts.
func TestPhasesOfManyNodes(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	at := func(name string, phase v1alpha1.DrainPhase, ago time.Duration) v1alpha1.DrainingNode {
		return v1alpha1.DrainingNode{Name: name, Phase: phase, Since: metav1.NewTime(now.Add(-ago))}
	}
	listed := []v1alpha1.DrainingNode{
		at("deleted", v1alpha1.DrainDraining, time.Minute), at("late", v1alpha1.DrainDraining, time.Minute), at("soon", v1alpha1.DrainReturning, 25*time.Second),
	}
	v := &model.DrainVerdict{Draining: []model.DrainingNode{
		{Node: "late", NodeDrain: model.NodeDrain{Triggers: []string{"cordon"}}}, {Node: "new", NodeDrain: model.NodeDrain{Triggers: []string{"cordon"}}}, {Node: "soon"},
	}}
	nodes, holds := phases(listed, v, func(node string) bool { return node == "late" }, times{2 * time.Minute, Returning}, now)
	var got []string
	for _, n := range nodes {
		got = append(got, n.Name+" "+string(n.Phase))
	}
	if text := strings.Join(got, ", "); text != "late Draining, new Pending, soon Returning" || holds != 5*time.Second {
		t.Errorf("%s for %s", text, holds)
	}
}
