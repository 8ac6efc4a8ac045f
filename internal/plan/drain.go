package plan

import (
	"cmp"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// DrainOf says by which policy a node drains, if any.
func DrainOf(policies []model.DrainPolicy, n *model.NodeSummary) model.NodeDrain {
	p := model.DrainPolicyOf(policies, n)
	if p == nil {
		return model.NodeDrain{}
	}
	withdraws, listed := p.Listed[n.Name]
	triggers := p.When.Hold(&n.Maintenance)
	if len(triggers) == 0 && !listed {
		return model.NodeDrain{}
	}
	out := model.NodeDrain{Policy: p.Name, Triggers: triggers}
	if withdraws && p.Withdraw != model.WithdrawNever {
		out.Withdraws = p.Withdraw
	}
	return out
}

// drainNodes finds the nodes that drain, and which networks of each advertiser draining
// nodes may withdraw. Advertisers have their networks and templates.
func (c *Compiled) drainNodes() {
	c.drains = map[string]model.NodeDrain{}
	sharing := false
	for i := range c.cluster.Hosts {
		h := &c.cluster.Hosts[i]
		drain := DrainOf(c.cluster.Drains, h)
		if drain.Policy != "" {
			c.drains[h.Name] = drain
			sharing = sharing || drain.Withdraws == model.WithdrawShared
		}
	}
	// With dynamic allocation only nodes know whether they have a network.
	if !sharing || c.cluster.DynamicAllocation {
		return
	}
	for _, a := range c.advertisers {
		a.shared = make([]bool, len(a.networks))
		for i, n := range a.networks {
			a.shared[i] = !n.hasHostSubnets() && slices.ContainsFunc(c.cluster.Hosts, func(h model.NodeSummary) bool {
				return c.takesOver(&h) && a.reachesNeighbor(&h, n)
			})
		}
	}
}

// takesOver reports whether neighbors can send to the node what draining ones withdraw.
func (c *Compiled) takesOver(h *model.NodeSummary) bool {
	return c.drains[h.Name].Policy == "" && h.Maintenance.Up() && h.Hostname != "" && len(c.sharedHostnames[h.Hostname]) == 0
}

// reachesNeighbor reports whether the node has neighbors to advertise all of the network's
// subnets to, and no policy that might keep any of them back there.
func (a *advertiser) reachesNeighbor(h *model.NodeSummary, n *advertisedNetwork) bool {
	if !a.NodeSelector.Matches(h.Labels) || slices.ContainsFunc(a.rules, func(r *policyRule) bool {
		return r.Suppress && r.Match.Nodes.Matches(h.Labels) && (len(r.networks) == 0 || r.networks[n.index])
	}) {
		return false
	}
	var takes [2]bool
	for _, t := range a.templates {
		if !t.NodeSelector.Matches(h.Labels) {
			continue
		}
		for _, r := range t.routers {
			if r.network != nil && r.network != n {
				continue
			}
			for _, neighbor := range r.neighbors {
				if !slices.Contains(h.Addresses, neighbor.address) {
					takes[0], takes[1] = takes[0] || neighbor.takesIPv4, takes[1] || neighbor.takesIPv6
				}
			}
		}
	}
	return !slices.ContainsFunc(n.Subnets, func(s model.NetworkSubnet) bool { return !takes[familyIndex(s.Prefix)] })
}

// drainRules are those for the routes of a node that drains. They come before all
// others, which belong to policies.
func (p *nodePlanner) drainRules(a *advertiser) []*policyRule {
	drain := p.drains[p.node.Name]
	if drain.Policy == "" {
		return nil
	}
	var rules []*policyRule
	switch {
	case drain.Withdraws == model.WithdrawEverything:
		rules = append(rules, &policyRule{PolicyRule: model.PolicyRule{Suppress: true}, always: true})
	case drain.Withdraws == model.WithdrawShared && slices.Contains(a.shared, true):
		withdraw := &policyRule{PolicyRule: model.PolicyRule{Suppress: true}, networks: a.shared, sources: make([]bool, len(a.sources))}
		for i, s := range a.sources {
			// An egress IP is on one node.
			withdraw.sources[i] = s.advertisement() == model.AdvertisePodNetwork
		}
		rules = append(rules, withdraw)
	}
	if p.marks(drain) {
		rules = append(rules, markRule, unpreferRule)
	}
	return rules
}

// marks reports whether the drain's policy marks routes for graceful shutdown.
func (c *Compiled) marks(drain model.NodeDrain) bool {
	return slices.ContainsFunc(c.cluster.Drains, func(d model.DrainPolicy) bool { return d.Name == drain.Policy && d.GracefulShutdown })
}

// The rules of graceful shutdown. Routers of the node's own AS need not know the
// community: RFC 8326 has them get a local preference of 0.
var (
	markRule     = drainRule(model.AttributeValues{Communities: []model.Community{model.GracefulShutdown}}, false)
	unpreferRule = drainRule(model.AttributeValues{LocalPreference: new(uint32)}, true)
)

// drainRule is for every route, or for those to neighbors of the router's own AS.
func drainRule(values model.AttributeValues, internal bool) *policyRule {
	return &policyRule{PolicyRule: model.PolicyRule{Set: model.MakeAttributes(values)}, values: values, always: true, internal: internal}
}

// keptByDrain reports what a node that drains goes on to announce as before.
func (p *nodePlanner) keptByDrain(c *contribution) []model.Finding {
	drain := p.drains[p.node.Name]
	if drain.Policy == "" {
		return nil
	}
	var out []model.Finding
	if len(c.tunnels) > 0 {
		names := make([]string, 0, len(c.tunnels))
		for _, t := range c.tunnels {
			names = append(names, t.DisplayName())
		}
		slices.Sort(names)
		out = append(out, finding.DrainKeepsTunnels(names))
	}
	if names := c.unshared(); drain.Withdraws == model.WithdrawShared && len(names) > 0 {
		out = append(out, finding.DrainKeepsNetworks(names))
	}
	return out
}

// unshared are the networks that all nodes have and that no other node takes over.
func (c *contribution) unshared() []string {
	if !slices.ContainsFunc(c.sources, func(s source) bool { return s.advertisement() == model.AdvertisePodNetwork }) {
		return nil
	}
	var names []string
	for _, n := range c.networks {
		if !n.hasHostSubnets() && (len(c.shared) == 0 || !c.shared[n.index]) {
			names = append(names, n.DisplayName())
		}
	}
	slices.Sort(names)
	return names
}

// Drain says whether a node drains.
func (c *Compiled) Drain(node string) model.NodeDrain { return c.drains[node] }

// DrainPolicies returns the names of all DrainPolicy objects, in order of precedence.
func (c *Compiled) DrainPolicies() []string {
	names := make([]string, 0, len(c.cluster.Drains))
	for i := range c.cluster.Drains {
		names = append(names, c.cluster.Drains[i].Name)
	}
	return names
}

// DrainVerdict says which nodes a DrainPolicy counts for, and which of them drain. The
// zero DrainVerdict is returned for an object that isn't there.
func (c *Compiled) DrainVerdict(name string) model.DrainVerdict {
	at := slices.IndexFunc(c.cluster.Drains, func(p model.DrainPolicy) bool { return p.Name == name })
	if at < 0 {
		return model.DrainVerdict{}
	}
	p := &c.cluster.Drains[at]
	out := model.DrainVerdict{Policy: name, Generation: p.Generation}
	if p.Problem != nil {
		out.Findings = []model.Finding{p.Problem.In(model.Scope{Kind: model.ScopeDrainPolicy, Name: name})}
		return out
	}
	byOlder := make([]int, at)
	for i := range c.cluster.Hosts {
		h := &c.cluster.Hosts[i]
		if !p.Counts(h) {
			continue
		}
		out.Selected++
		if older := slices.IndexFunc(c.cluster.Drains[:at], func(p model.DrainPolicy) bool { return p.Counts(h) }); older >= 0 {
			byOlder[older]++
			continue
		}
		out.Nodes++
		if drain := c.drains[h.Name]; drain.Policy == name {
			out.Draining = append(out.Draining, model.DrainingNode{Node: h.Name, NodeDrain: drain})
		}
	}
	slices.SortFunc(out.Draining, func(a, b model.DrainingNode) int { return cmp.Compare(a.Node, b.Node) })
	for older, nodes := range byOlder {
		if nodes > 0 {
			out.Findings = append(out.Findings, finding.OlderDrainPolicy(name, c.cluster.Drains[older].Name, nodes, out.Nodes))
		}
	}
	if out.Selected == 0 {
		out.Findings = append(out.Findings, finding.DrainsNoNode(name, finding.NoMatch("spec.nodeSelector", "nodes", p.Nodes, c.hostCandidates())))
	}
	return out
}

// hostCandidates are the nodes as a selector could match them.
func (c *Compiled) hostCandidates() []finding.Candidate {
	out := make([]finding.Candidate, 0, len(c.cluster.Hosts))
	for i := range c.cluster.Hosts {
		out = append(out, finding.Candidate{Name: c.cluster.Hosts[i].Name, Labels: c.cluster.Hosts[i].Labels})
	}
	return out
}

// touchedByDrains is for nodes that drain in one of the two only, or otherwise. Those
// that withdraw what others advertise, too, depend on which nodes these are.
func touchedByDrains(c, old *Compiled, nodes *touchedNodes) {
	if len(c.drains)+len(old.drains) == 0 {
		return
	}
	shared := sameShared(c, old)
	for i := range c.cluster.Hosts {
		h := &c.cluster.Hosts[i]
		now, before := c.drains[h.Name], old.drains[h.Name]
		same := (now.Policy == "") == (before.Policy == "") && c.marks(now) == old.marks(before) &&
			now.Withdraws == before.Withdraws && (shared || now.Withdraws != model.WithdrawShared)
		if !same && (c.advertisesOn(h) || old.advertisesOn(h)) {
			nodes.add(h.Name)
		}
	}
}

// sameShared reports whether nodes may withdraw the same in both.
func sameShared(c, old *Compiled) bool {
	return !slices.ContainsFunc(c.advertisers, func(a *advertiser) bool {
		other := old.byName[a.Name]
		return other != nil && !slices.Equal(a.shared, other.shared)
	})
}
