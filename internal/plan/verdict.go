package plan

import (
	"fmt"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// Verdict says what became of one RouteAdvertisements object, given how its
// nodes fared. The zero Verdict is returned for an object that isn't there.
func (c *Compiled) Verdict(ra string, tally model.Tally) model.Verdict {
	a := c.byName[ra]
	if a == nil {
		return model.Verdict{}
	}
	out := model.Verdict{
		RA: a.Name, Generation: a.Generation,
		StandAside: a.ForeignController, LeftFor: a.leftFor,
		Tally: tally,
	}
	if a.aside {
		return out
	}
	out.Findings = slices.Clone(a.findings)
	if a.idle {
		return out
	}
	if tally.Selected == 0 {
		out.Findings = append(out.Findings, model.Finding{
			Outcome: model.Pending, Scope: model.Scope{Kind: model.ScopeRouteAdvertisements, Name: a.Name},
			Reason: "NoNodeSelected", Message: a.explainNoNode(c.cluster.Hosts),
		})
	}
	if tally.Selected > 0 && tally.NoTemplate == tally.Selected {
		names := make([]string, 0, len(a.templates))
		for _, t := range a.templates {
			names = append(names, t.displayName())
		}
		out.Findings = append(out.Findings, model.Finding{
			Outcome: model.Pending, Scope: model.Scope{Kind: model.ScopeRouteAdvertisements, Name: a.Name},
			Reason: "NoTemplateOnNodes", Message: fmt.Sprintf("none of its FRRConfigurations (%s) selects any of its %d nodes: change their spec.nodeSelector, or label the nodes",
				cutList(names, maxNearMisses), tally.Selected),
		})
	}
	for _, n := range a.networks {
		out.Networks = append(out.Networks, n.Name)
	}
	slices.Sort(out.Networks)
	return out
}

func (a *advertiser) explainNoNode(hosts []model.Host) string {
	candidates := make([]candidate, 0, len(hosts))
	for i := range hosts {
		candidates = append(candidates, candidate{hosts[i].Name, hosts[i].Labels})
	}
	if a.NodeSelector.Empty() && len(hosts) > 0 {
		return fmt.Sprintf("none of %d nodes has been planned yet", len(hosts))
	}
	return explainNoMatch("nodeSelector", "nodes", a.NodeSelector, candidates)
}
