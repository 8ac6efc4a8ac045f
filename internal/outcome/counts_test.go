package outcome_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/outcome"
)

func part(ra string, state model.PartState, findings ...model.Finding) model.NodePart {
	return model.NodePart{RA: ra, State: state, Findings: findings}
}

var missing = model.Finding{Outcome: model.Pending, Scope: model.Scope{Kind: model.ScopeNode}, Reason: "Missing", Message: "the annotation is missing"}

func TestCountsFollowEachNode(t *testing.T) {
	counts := outcome.NewCounts()
	steps := []struct {
		name    string
		do      func() outcome.Change
		changed []string
		want    model.Tally
	}{
		{"a node appears", func() outcome.Change {
			return counts.Set("n1", []model.NodePart{part("a", model.PartPlanned), part("b", model.PartPlanned)})
		}, []string{"a", "b"}, model.Tally{Selected: 1, Rendered: 1, ConfiguredUnknown: 1}},
		{"nothing changes", func() outcome.Change {
			return counts.Set("n1", []model.NodePart{part("a", model.PartPlanned), part("b", model.PartPlanned)})
		}, nil, model.Tally{Selected: 1, Rendered: 1, ConfiguredUnknown: 1}},
		{"another is blocked", func() outcome.Change {
			return counts.Set("n2", []model.NodePart{part("a", model.PartHeldBack, missing)})
		},
			[]string{"a"}, model.Tally{
				Selected: 2, Rendered: 1, Blocked: 1, ConfiguredUnknown: 1,
				NodeFindings: []model.NodeFinding{{Finding: missing, Nodes: []string{"n2"}, Count: 1}},
			}},
		{"frr-k8s takes the first over", func() outcome.Change {
			done := part("a", model.PartConfigured)
			return counts.Set("n1", []model.NodePart{done, part("b", model.PartPlanned)})
		}, []string{"a"}, model.Tally{
			Selected: 2, Rendered: 1, Blocked: 1, Configured: 1,
			NodeFindings: []model.NodeFinding{{Finding: missing, Nodes: []string{"n2"}, Count: 1}},
		}},
		{"the blocked one goes", func() outcome.Change { return counts.Remove("n2") }, []string{"a"}, model.Tally{Selected: 1, Rendered: 1, Configured: 1}},
		{"the other one goes", func() outcome.Change { return counts.Remove("n1") }, []string{"a", "b"}, model.Tally{}},
	}
	for _, step := range steps {
		if changed := step.do().Tallies; !slices.Equal(changed, step.changed) {
			t.Errorf("%s: changed %v, want %v", step.name, changed, step.changed)
		}
		if got := counts.Tally("a"); fmt.Sprint(got) != fmt.Sprint(step.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", step.name, got, step.want)
		}
	}
}

func TestCountsCutLongLists(t *testing.T) {
	counts := outcome.NewCounts()
	for i := range 5000 {
		counts.Set(fmt.Sprintf("n%04d", (i*7919)%5000), []model.NodePart{part("a", model.PartHeldBack, missing)})
	}
	got := counts.Tally("a").NodeFindings
	if len(got) != 1 || got[0].Count != 5000 || got[0].Nodes[0] != "n0000" || got[0].Nodes[len(got[0].Nodes)-1] != "n0019" {
		t.Errorf("want one finding with 5000 nodes of which the first 20 are named, got %+v", got)
	}
}

// A network counts as nowhere as long as none of the nodes has it.
func TestCountsKnowNetworksOfNoNode(t *testing.T) {
	counts := outcome.NewCounts()
	without := func(networks ...string) []model.NodePart {
		return []model.NodePart{{RA: "a", State: model.PartPlanned, Inactive: networks}}
	}
	for _, step := range []struct {
		name    string
		do      func() outcome.Change
		nowhere []string
		pairs   int
	}{
		{"one node", func() outcome.Change { return counts.Set("n1", without("red", "blue")) }, []string{"blue", "red"}, 2},
		{"another has red", func() outcome.Change { return counts.Set("n2", without("blue")) }, []string{"blue"}, 3},
		{"the first gets blue", func() outcome.Change { return counts.Set("n1", without("red")) }, nil, 2},
		{"and loses it for red", func() outcome.Change { return counts.Set("n1", without("blue")) }, []string{"blue"}, 2},
		{"the other goes", func() outcome.Change { return counts.Remove("n2") }, []string{"blue"}, 1},
	} {
		if changed := step.do().Tallies; !slices.Equal(changed, []string{"a"}) {
			t.Errorf("%s: changed %v", step.name, changed)
		}
		if got := counts.Tally("a"); !slices.Equal(got.Nowhere, step.nowhere) || got.Inactive != step.pairs {
			t.Errorf("%s: nowhere %v with %d pairs, want %v with %d", step.name, got.Nowhere, got.Inactive, step.nowhere, step.pairs)
		}
	}
}
