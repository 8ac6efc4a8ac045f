package plan

import (
	"cmp"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/outcome"
)

// Build plans the whole cluster at once.
func Build(s *model.Snapshot) model.Plan {
	return BuildWith(s, func(*model.NodePlan) {})
}

// BuildWith is Build for a caller that notes in each node's parts, before these are
// counted, what stands in the way of carrying them out.
func BuildWith(s *model.Snapshot, note func(*model.NodePlan)) model.Plan {
	compiled := Compile(&s.Cluster)
	tallies := outcome.NewCounts()
	out := model.Plan{Nodes: make([]model.NodePlan, 0, len(s.Nodes))}
	for i := range s.Nodes {
		node := compiled.Node(&s.Nodes[i], nil)
		note(&node)
		tallies.Set(node.Node, node.Parts)
		out.Nodes = append(out.Nodes, node)
	}
	slices.SortFunc(out.Nodes, func(a, b model.NodePlan) int { return cmp.Compare(a.Node, b.Node) })
	for _, name := range compiled.RouteAdvertisements() {
		out.Verdicts = append(out.Verdicts, compiled.Verdict(name, tallies.Tally(name)))
	}
	for _, name := range compiled.Policies() {
		out.Policies = append(out.Policies, compiled.PolicyVerdict(name, tallies.Policy))
	}
	for _, name := range slices.Sorted(slices.Values(compiled.DrainPolicies())) {
		out.Drains = append(out.Drains, compiled.DrainVerdict(name))
	}
	return out
}
