package preview

import (
	"cmp"
	"slices"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/plan"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

// Preview is what the operator would make of some objects.
type Preview struct {
	Plan model.Plan
	// Configs are sorted by namespace and name.
	Configs []*frrk8sv1beta1.FRRConfiguration
	// RouteAdvertisements have the status that they would get, and are sorted
	// by name.
	RouteAdvertisements []*ovnv1.RouteAdvertisements
	// Policies are the same.
	Policies []*v1alpha1.RoutePolicy
	// Drains are the same.
	Drains []*v1alpha1.DrainPolicy
}

// New plans and renders the objects as the manager would.
func New(objects *snapshot.Objects, settings model.Settings) *Preview {
	p := &Preview{}
	others := othersOf(objects)
	p.Plan = plan.BuildWith(snapshot.Snapshot(objects, settings), func(node *model.NodePlan) {
		p.Configs = append(p.Configs, others.render(node)...)
	})
	slices.SortFunc(p.Configs, compareConfigs)
	p.RouteAdvertisements = withStatus(objects, settings, p.Plan.Verdicts)
	p.Policies = withPolicyStatus(objects.Policies, p.Plan.Policies)
	p.Drains = withDrainStatus(objects.Drains, p.Plan.Drains)
	return p
}

func compareConfigs(a, b *frrk8sv1beta1.FRRConfiguration) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// Only leaves out all nodes but these. The RouteAdvertisements keep counting
// every node. It returns the names that are no node's.
func (p *Preview) Only(nodes []string) (unknown []string) {
	if len(nodes) == 0 {
		return nil
	}
	for _, name := range nodes {
		if !slices.ContainsFunc(p.Plan.Nodes, func(n model.NodePlan) bool { return n.Node == name }) {
			unknown = append(unknown, name)
		}
	}
	p.Plan.Nodes = slices.DeleteFunc(p.Plan.Nodes, func(n model.NodePlan) bool { return !slices.Contains(nodes, n.Node) })
	p.Configs = slices.DeleteFunc(p.Configs, func(c *frrk8sv1beta1.FRRConfiguration) bool {
		return !slices.Contains(nodes, c.Annotations[model.AnnotationNode])
	})
	return unknown
}

// Blocked reports whether a finding keeps something from being planned.
func (p *Preview) Blocked() bool {
	return slices.ContainsFunc(p.findings(), func(f placed) bool { return f.Blocks() })
}
