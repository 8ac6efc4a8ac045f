package outcome_test

import (
	"slices"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/outcome"
)

func advertisingPart(state model.PartState, networks ...string) []model.NodePart {
	return []model.NodePart{{RA: "a", State: state, PodNetworks: networks}}
}

// What is told of a network is told of its first node and of its last one, and of a
// nodes of which it is not known likewise.
func TestCountsKnowWhoAdvertisesANetwork(t *testing.T) {
	counts := outcome.NewCounts()
	for _, step := range []struct {
		name string
		do   func() outcome.Change
		told bool
		// red and blue count the nodes that advertise them.
		red, blue, unknown int
	}{
		{"a node can't advertise what it has", func() outcome.Change { return counts.Set("n1", advertisingPart(model.PartHeldBack)) }, false, 0, 0, 0},
		{"it advertises red", func() outcome.Change { return counts.Set("n1", advertisingPart(model.PartWritten, "red")) }, true, 1, 0, 0},
		{"frr-k8s says so", func() outcome.Change { return counts.Set("n1", advertisingPart(model.PartConfigured, "red")) }, false, 1, 0, 0},
		{"another does, too", func() outcome.Change { return counts.Set("n2", advertisingPart(model.PartWritten, "red")) }, false, 2, 0, 0},
		{"the first adds blue", func() outcome.Change {
			return counts.Set("n1", advertisingPart(model.PartWritten, "blue", "red"))
		}, true, 2, 1, 0},
		{"and changes to blue alone", func() outcome.Change { return counts.Set("n1", advertisingPart(model.PartWritten, "blue")) }, false, 1, 1, 0},
		{"the other's part is not taken", func() outcome.Change { return counts.Set("n2", advertisingPart(model.PartRefused, "red")) }, true, 0, 1, 1},
		{"what was applied there stays, whatever the plan adds", func() outcome.Change { return counts.Set("n2", advertisingPart(model.PartKept, "green", "red")) }, false, 0, 1, 1},
		{"a third keeps what it has, too", func() outcome.Change { return counts.Set("n3", advertisingPart(model.PartKept)) }, false, 0, 1, 2},
		{"one of the two is known again", func() outcome.Change { return counts.Set("n3", advertisingPart(model.PartIdle)) }, false, 0, 1, 1},
		{"the other is, too", func() outcome.Change { return counts.Set("n2", advertisingPart(model.PartWritten, "red")) }, true, 1, 1, 0},
		{"it has nothing more", func() outcome.Change { return counts.Set("n2", advertisingPart(model.PartIdle)) }, true, 0, 1, 0},
		{"it goes", func() outcome.Change { return counts.Remove("n2") }, false, 0, 1, 0},
		{"the first one goes", func() outcome.Change { return counts.Remove("n1") }, true, 0, 0, 0},
	} {
		change := step.do()
		if told := slices.Equal(change.Advertising, []string{"a"}); told != step.told || !told && len(change.Advertising) > 0 {
			t.Errorf("%s: told of %v", step.name, change.Advertising)
		}
		for network, nodes := range map[string]int{"red": step.red, "blue": step.blue, "green": 0} {
			if got, want := counts.Advertising("a", network), (model.Advertising{Nodes: nodes, Unknown: step.unknown}); got != want {
				t.Errorf("%s: %s is advertised by %+v, want %+v", step.name, network, got, want)
			}
		}
	}
}
