package plan

import (
	"cmp"
	"maps"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// Policies returns the names of all RoutePolicy objects, sorted.
func (c *Compiled) Policies() []string { return slices.Sorted(maps.Keys(c.policies)) }

// PoliciesOf returns the names of the policies that have one of the RouteAdvertisements
// objects as a target, sorted.
func (c *Compiled) PoliciesOf(ras []string) []string {
	var out []string
	for name, policy := range c.policies {
		if slices.ContainsFunc(policy.Targets, func(t string) bool { return slices.Contains(ras, t) }) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// PolicyVerdict says what became of one RoutePolicy object, given how the nodes of its
// targets fared. The zero PolicyVerdict is returned for an object that isn't there.
func (c *Compiled) PolicyVerdict(name string, tally func(policy, ra string) model.PolicyTally) model.PolicyVerdict {
	policy := c.policies[name]
	if policy == nil {
		return model.PolicyVerdict{}
	}
	out := model.PolicyVerdict{Policy: name, Generation: policy.Generation}
	for _, target := range policy.Targets {
		ancestor := model.PolicyAncestor{RA: target}
		a := c.byName[target]
		switch {
		case policy.Problem != nil:
			ancestor.Findings = []model.Finding{policy.Problem.In(model.Scope{Kind: model.ScopeRoutePolicy, Name: name})}
		case a == nil:
			ancestor.Findings = []model.Finding{finding.TargetNotFound(name, target, c.RouteAdvertisements())}
		case a.aside:
			ancestor.Findings = []model.Finding{finding.TargetStandsAside(name, target)}
		case a.idle:
			ancestor.Findings = []model.Finding{finding.TargetNotPlanned(name, target)}
		default:
			ancestor.Tally = tally(name, target)
			ancestor.Findings = c.explainRules(a, name, &ancestor.Tally)
		}
		out.Ancestors = append(out.Ancestors, ancestor)
	}
	return out
}

// explainRules reports the policy's rules that do nothing for the target, or not all.
func (c *Compiled) explainRules(a *advertiser, policy string, tally *model.PolicyTally) []model.Finding {
	var out []model.Finding
	for _, r := range a.rules {
		if r.policy != policy {
			continue
		}
		why := c.whyNothing(a, r)
		if len(why) == 0 && tally.Matched&(1<<r.index) == 0 {
			why = []string{whyNoRoute(r)}
		}
		if len(why) > 0 {
			out = append(out, finding.RuleMatchesNothing(policy, a.Name, r.index, why))
			continue
		}
		out = append(out, a.explainEffect(r)...)
	}
	return out
}

// explainEffect reports attributes of a rule by which neighbors don't go.
func (a *advertiser) explainEffect(r *policyRule) []model.Finding {
	type knownAs struct{ vrf, neighbor string }
	internal, external := false, false
	asns := map[knownAs][]uint32{}
	a.eachNeighbor(func(router *templateRouter, n *templateNeighbor) {
		id := n.canonical
		if len(r.Match.Neighbors) > 0 && !slices.Contains(r.Match.Neighbors, id) {
			return
		}
		internal, external = internal || n.internal, external || !n.internal
		key, asn := knownAs{router.VRF, id}, cmp.Or(n.LocalASN, router.ASN)
		if !slices.Contains(asns[key], asn) {
			asns[key] = append(asns[key], asn)
		}
	})
	var out []model.Finding
	if r.values.LocalPreference != nil && !internal {
		out = append(out, finding.PreferenceWithoutEffect(r.policy, a.Name, r.index))
	}
	if r.values.Prepend > 0 && !external {
		out = append(out, finding.PrependWithoutEffect(r.policy, a.Name, r.index))
	}
	if r.values.MED == nil {
		return out
	}
	for key, known := range asns {
		if len(known) > 1 {
			slices.Sort(known)
			out = append(out, finding.MEDAcrossASes(r.policy, a.Name, r.index, key.neighbor, known))
		}
	}
	slices.SortFunc(out, model.Finding.Compare)
	return out
}

func (a *advertiser) eachNeighbor(do func(*templateRouter, *templateNeighbor)) {
	for _, t := range a.templates {
		for _, router := range t.routers {
			for _, n := range router.neighbors {
				do(router.templateRouter, n)
			}
		}
	}
}

// whyNothing says which parts of a rule's match can't match, whatever the others do.
func (c *Compiled) whyNothing(a *advertiser, r *policyRule) []string {
	var why []string
	if r.networks != nil && !slices.Contains(r.networks, true) {
		why = append(why, a.whyNoNetwork(r)...)
	}
	if !slices.ContainsFunc(c.cluster.Hosts, func(h model.NodeSummary) bool { return r.Match.Nodes.Matches(h.Labels) }) {
		candidates := make([]finding.Candidate, 0, len(c.cluster.Hosts))
		for i := range c.cluster.Hosts {
			candidates = append(candidates, finding.Candidate{Name: c.cluster.Hosts[i].Name, Labels: c.cluster.Hosts[i].Labels})
		}
		why = append(why, finding.NoMatch("match.nodeSelector", "nodes", r.Match.Nodes, candidates))
	}
	if known := a.neighborIDs(); len(r.Match.Neighbors) > 0 && !slices.ContainsFunc(known, func(id string) bool { return slices.Contains(r.Match.Neighbors, id) }) {
		why = append(why, finding.NoNeighborMatches(r.Match.Neighbors, known))
	}
	if r.sources != nil && !slices.Contains(r.sources, true) {
		why = append(why, finding.NoKindMatches(r.Match.Kinds))
	}
	return why
}

// whyNoRoute is for a rule that could match a route, if there were one.
func whyNoRoute(r *policyRule) string {
	for _, m := range r.Match.Prefixes {
		if m.LE == 0 && !m.Prefix.IsSingleIP() {
			return finding.PrefixAlone(m)
		}
	}
	return finding.NoRouteMatches
}

// neighborIDs are those of all neighbors that get routes, sorted.
func (a *advertiser) neighborIDs() []string {
	known := map[string]bool{}
	a.eachNeighbor(func(_ *templateRouter, n *templateNeighbor) { known[n.canonical] = true })
	return slices.Sorted(maps.Keys(known))
}

func (a *advertiser) whyNoNetwork(r *policyRule) []string {
	for _, n := range a.evpn {
		if r.Match.Networks.Matches(policyLabels(n.Network)) {
			return []string{finding.TransportWithoutPolicies(n.DisplayName())}
		}
	}
	candidates := make([]finding.Candidate, 0, len(a.networks))
	for _, n := range a.networks {
		candidates = append(candidates, finding.Candidate{Name: n.DisplayName(), Labels: policyLabels(n.Network)})
	}
	return []string{finding.NoMatch("match.networkSelector", "networks of the object", r.Match.Networks, candidates)}
}
