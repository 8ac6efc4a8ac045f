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
		out.Findings = append(out.Findings, a.templatesOnNoNode(tally.Selected))
		out.Tally.NodeFindings = slices.DeleteFunc(slices.Clone(tally.NodeFindings), func(f model.NodeFinding) bool { return f.Reason == model.ReasonNodeWithoutTemplate })
	}
	if names := a.networksOnNoNode(tally.Nowhere); len(names) > 0 {
		out.Findings = append(out.Findings, model.Finding{
			Outcome: model.Notice, Scope: model.Scope{Kind: model.ScopeRouteAdvertisements, Name: a.Name},
			Reason: "NetworkOnNoNode", Message: fmt.Sprintf("OVN-Kubernetes has set up no part of network %s on any of the %d nodes: nothing of it is advertised before it does",
				cutList(names, maxNearMisses), tally.Selected),
		})
	}
	for _, n := range a.networks {
		out.Networks = append(out.Networks, n.Name)
	}
	slices.Sort(out.Networks)
	return out
}

func (a *advertiser) templatesOnNoNode(nodes int) model.Finding {
	names := make([]string, 0, len(a.templates))
	for _, t := range a.templates {
		names = append(names, t.displayName())
	}
	return model.Finding{
		Outcome: model.Pending, Scope: model.Scope{Kind: model.ScopeRouteAdvertisements, Name: a.Name},
		Reason: "NoTemplateOnNodes", Message: fmt.Sprintf("none of its FRRConfigurations (%s) selects any of its %d nodes: change their spec.nodeSelector, or label the nodes",
			cutList(names, maxNearMisses), nodes),
	}
}

// networksOnNoNode are the names, for people, of the networks that are still the
// object's: a tally may be older than the plan.
func (a *advertiser) networksOnNoNode(nowhere []string) []string {
	var out []string
	for _, name := range nowhere {
		if n := a.byName[name]; n != nil {
			out = append(out, fmt.Sprintf("%q", n.DisplayName()))
		}
	}
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
