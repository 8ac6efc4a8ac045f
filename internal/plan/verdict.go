package plan

import (
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
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
		StandAside: a.ForeignController, LeftFor: a.leftFor, Beside: a.beside,
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
		out.Findings = append(out.Findings, a.noNode(c.cluster.Hosts))
	}
	if tally.Selected > 0 && tally.NoTemplate == tally.Selected {
		out.Findings = append(out.Findings, a.templatesOnNoNode(tally.Selected))
		out.Tally.NodeFindings = slices.DeleteFunc(slices.Clone(tally.NodeFindings), func(f model.NodeFinding) bool { return finding.IsNodeWithoutTemplate(f.Finding) })
	}
	if names := a.networksOnNoNode(tally.Nowhere); len(names) > 0 {
		out.Findings = append(out.Findings, finding.NetworkOnNoNode(a.Name, names, tally.Selected))
	}
	out.Networks = a.names
	return out
}

func (a *advertiser) templatesOnNoNode(nodes int) model.Finding {
	names := make([]string, 0, len(a.templates))
	for _, t := range a.used() {
		names = append(names, t.displayName())
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return finding.NoTemplateOnNodes(a.Name, names, nodes)
}

// networksOnNoNode are the names, for people, of the networks that are still the
// object's: a tally may be older than the plan.
func (a *advertiser) networksOnNoNode(nowhere []string) []string {
	var out []string
	for _, name := range nowhere {
		if n := a.byName[name]; n != nil {
			out = append(out, n.DisplayName())
		}
	}
	return out
}

func (a *advertiser) noNode(hosts []model.NodeSummary) model.Finding {
	candidates := make([]finding.Candidate, 0, len(hosts))
	for i := range hosts {
		candidates = append(candidates, finding.Candidate{Name: hosts[i].Name, Labels: hosts[i].Labels})
	}
	if a.NodeSelector.Empty() && len(hosts) > 0 {
		return finding.NodesUnplanned(a.Name, len(hosts))
	}
	return finding.NoNodeSelected(a.Name, finding.NoMatch("nodeSelector", "nodes", a.NodeSelector, candidates))
}
