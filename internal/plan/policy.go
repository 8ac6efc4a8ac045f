package plan

import (
	"cmp"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// policyRule is a rule of a policy as one of its targets uses it.
type policyRule struct {
	model.PolicyRule
	policy string
	index  int
	// values are those of Set.
	values model.AttributeValues
	// networks has an entry for each of the target's networks, by index, and sources one
	// for each of its sources; nil means all.
	networks, sources []bool
	// always is set if it matches every route.
	always bool
	// internal rules are for neighbors of the router's own AS.
	internal bool
}

// comparePolicies orders by precedence, as compareRouteAdvertisements does.
func comparePolicies(a, b model.RoutePolicy) int {
	return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Name, b.Name))
}

// attachPolicies gives each advertiser the rules of the policies that have it as a
// target. Its networks are known and have their indexes.
func (c *Compiled) attachPolicies() {
	for i := range c.cluster.Policies {
		policy := &c.cluster.Policies[i]
		c.policies[policy.Name] = policy
		for _, target := range policy.Targets {
			if a := c.byName[target]; a != nil && policy.Problem == nil && !a.idle {
				a.attach(policy)
			}
		}
	}
}

func (a *advertiser) attach(policy *model.RoutePolicy) {
	for i := range policy.Rules {
		r := &policyRule{PolicyRule: policy.Rules[i], policy: policy.Name, index: i, values: policy.Rules[i].Set.Values()}
		if !r.Match.Networks.Empty() {
			r.networks = make([]bool, len(a.networks))
			for j, n := range a.networks {
				r.networks[j] = r.Match.Networks.Matches(policyLabels(n.Network))
			}
		}
		if len(r.Match.Kinds) > 0 {
			r.sources = make([]bool, len(a.sources))
			for j, s := range a.sources {
				r.sources[j] = slices.Contains(r.Match.Kinds, s.advertisement())
			}
		}
		r.always = r.networks == nil && r.sources == nil && len(r.Match.Prefixes) == 0
		a.rules = append(a.rules, r)
	}
}

// policyLabels are those that a policy's networkSelector matches.
func policyLabels(n *model.Network) map[string]string {
	if n.IsDefault() {
		return map[string]string{model.LabelName: model.DefaultNetwork}
	}
	return n.Labels
}

// rulesOn returns the advertiser's rules that are for the node, in order of precedence.
// Those of a node that drains come first.
func (p *nodePlanner) rulesOn(a *advertiser) *nodeRules {
	drain := p.drainRules(a)
	if len(drain)+len(a.rules) == 0 {
		return nil
	}
	rules := append(make([]*policyRule, 0, len(drain)+len(a.rules)), drain...)
	for _, r := range a.rules {
		if r.Match.Nodes.Matches(p.node.Labels) {
			rules = append(rules, r)
		}
	}
	if len(rules) == 0 {
		return nil
	}
	return &nodeRules{rules: rules, matched: make([]bool, len(rules)), raw: p.node.Raw}
}

// nodeRules are the rules for an advertiser's routes on a node, nil for none.
type nodeRules struct {
	rules []*policyRule
	// raw says whether routes may have attributes that frr-k8s has no fields for.
	raw model.RawState
	// matched notes which of them match a route that a neighbor could get.
	matched []bool
	// suppressed notes the families of which a neighbor gets no route because of a rule.
	suppressed [2]bool
	findings   []policyFinding
	byNeighbor []*neighborRules
}

// policyFinding is a finding of the policy with a name.
type policyFinding struct {
	policy string
	model.Finding
}

func (s *nodeRules) find(policy string, f model.Finding) {
	if found := (policyFinding{policy, f}); !slices.Contains(s.findings, found) {
		s.findings = append(s.findings, found)
	}
}

// forNeighbor returns the rules for a neighbor. Neighbors with the same rules share them.
func (s *nodeRules) forNeighbor(n *templateNeighbor) *neighborRules {
	id, prepends := "", slices.ContainsFunc(s.rules, func(r *policyRule) bool { return r.values.Prepend > 0 })
	if prepends || slices.ContainsFunc(s.rules, func(r *policyRule) bool { return r.internal || len(r.Match.Neighbors) > 0 }) {
		id = n.canonical
	} else if len(s.byNeighbor) > 0 {
		return s.byNeighbor[0]
	}
	at := make([]int, 0, len(s.rules))
	for i, r := range s.rules {
		if (len(r.Match.Neighbors) == 0 || slices.Contains(r.Match.Neighbors, id)) && (!r.internal || n.internal) {
			at = append(at, i)
		}
	}
	internal := prepends && n.internal
	for _, known := range s.byNeighbor {
		if slices.Equal(known.at, at) && known.internal == internal {
			return known
		}
	}
	out := &neighborRules{nodeRules: s, at: at, internal: internal}
	s.byNeighbor = append(s.byNeighbor, out)
	return out
}

// neighborRules are those of a node's rules that are for a neighbor.
type neighborRules struct {
	*nodeRules
	// at are their places among the node's.
	at []int
	// internal is set for neighbors of the router's own AS if a rule prepends it.
	internal bool
	groups   []*attributeGroup
	last     *attributeGroup
}

// attributeGroup is what all routes get that the same rules match.
type attributeGroup struct {
	// matched are the rules' places among the node's.
	matched    []int
	attributes model.Attributes
	suppressed bool
	// from are the rules with each scalar.
	from [scalarCount]*policyRule
}

// group finds what becomes of a route. Nearly all routes of a node are in a few groups.
func (c *contribution) group(s *neighborRules, at int) *attributeGroup {
	r, source := &c.routes[at], 0
	if c.from != nil {
		source = c.from[at]
	}
	var room [16]int
	matched := room[:0]
	for _, i := range s.at {
		if !s.rules[i].always && !s.rules[i].matches(r, source) {
			continue
		}
		matched = append(matched, i)
		if s.rules[i].Suppress {
			break
		}
	}
	if s.last != nil && slices.Equal(s.last.matched, matched) {
		return s.last
	}
	i := slices.IndexFunc(s.groups, func(g *attributeGroup) bool { return slices.Equal(g.matched, matched) })
	if i < 0 {
		i = len(s.groups)
		s.groups = append(s.groups, s.newGroup(slices.Clone(matched)))
	}
	s.last = s.groups[i]
	return s.last
}

func (r *policyRule) matches(route *route, source int) bool {
	return (len(r.networks) == 0 || r.networks[route.network.index]) && (len(r.sources) == 0 || r.sources[source]) &&
		(len(r.Match.Prefixes) == 0 || slices.ContainsFunc(r.Match.Prefixes, func(m model.PrefixMatch) bool { return m.Matches(route.Prefix) }))
}

// newGroup adds communities up, takes the first of each scalar, and tells of those that
// another policy's replaces.
func (s *neighborRules) newGroup(matched []int) *attributeGroup {
	g := &attributeGroup{matched: matched}
	var room [16]model.Community
	values := model.AttributeValues{Communities: room[:0]}
	for _, i := range matched {
		r := s.rules[i]
		s.nodeRules.matched[i] = true
		if r.Suppress {
			g.suppressed = true
			continue
		}
		values.Communities = append(values.Communities, r.values.Communities...)
		for scalar := range scalarCount {
			s.choose(g, scalar, r, &values)
		}
	}
	if !s.raw.On() {
		s.leaveRawOut(g, &values)
	}
	g.attributes = model.MakeAttributes(values)
	return g
}

// choose takes the rule's scalar if no rule before has one.
func (s *neighborRules) choose(g *attributeGroup, scalar scalar, r *policyRule, values *model.AttributeValues) {
	ours, set := scalar.of(&r.values)
	if !set || s.internal && scalar == prepend {
		// A router drops a path with its own AS number in it (RFC 4271, 9.1.2), and
		// neighbors of the own AS have the number that would be prepended.
		return
	}
	first := g.from[scalar]
	switch {
	case first == nil:
		g.from[scalar] = r
		scalar.copy(values, &r.values)
	case first.ofDrain():
		// It is over when the node is back.
	case first.policy != r.policy:
		if theirs, _ := scalar.of(&first.values); theirs != ours {
			s.find(r.policy, finding.Overridden(r.policy, r.index, scalar.field(), first.policy))
		}
	}
}

// leaveRawOut takes away what the node may not have, and tells the rules that set it.
func (s *neighborRules) leaveRawOut(g *attributeGroup, values *model.AttributeValues) {
	for i, scalar := range rawScalars {
		r := g.from[scalar]
		if r == nil {
			continue
		}
		g.from[scalar] = nil
		scalar.clear(values)
		fields := []string{scalar.field()}
		for _, other := range rawScalars[i+1:] {
			if g.from[other] == r {
				g.from[other] = nil
				other.clear(values)
				fields = append(fields, other.field())
			}
		}
		s.find(r.policy, finding.RawAttributesLeftOut(r.policy, r.index, fields, s.raw))
	}
}

// ofDrain reports whether the rule is no policy's, but for a node that drains.
func (r *policyRule) ofDrain() bool { return r.policy == "" }

// parts are what each policy does on the node.
func (s *nodeRules) parts() []model.PolicyPart {
	if s == nil {
		return nil
	}
	var out []model.PolicyPart
	for i, r := range s.rules {
		if r.ofDrain() {
			continue
		}
		if len(out) == 0 || out[len(out)-1].Policy != r.policy {
			out = append(out, model.PolicyPart{Policy: r.policy})
		}
		if s.matched[i] {
			out[len(out)-1].Matched |= 1 << r.index
		}
	}
	for i := range out {
		for _, f := range s.findings {
			if f.policy == out[i].Policy {
				out[i].Findings = append(out[i].Findings, f.Finding)
			}
		}
		slices.SortFunc(out[i].Findings, model.Finding.Compare)
	}
	return out
}

// ofDrain are the findings about the node's drain.
func (s *nodeRules) ofDrain() []model.Finding {
	var out []model.Finding
	if s == nil {
		return out
	}
	for _, f := range s.findings {
		if f.policy == "" {
			out = append(out, f.Finding)
		}
	}
	return out
}

// marks reports whether routes are marked for graceful shutdown.
func (s *nodeRules) marks() bool { return s != nil && slices.Contains(s.rules, markRule) }
