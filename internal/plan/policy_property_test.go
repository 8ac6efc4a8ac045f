package plan_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/plan"
)

func randomPolicy(r *rand.Rand, i int) model.RoutePolicy {
	out := model.RoutePolicy{Name: fmt.Sprintf("policy-%d", i), Created: randomCreated(r), Generation: 1, Problem: randomProblem(r)}
	for j := range 4 {
		if r.IntN(3) > 0 {
			out.Targets = append(out.Targets, fmt.Sprintf("ra-%d", j))
		}
	}
	for range 1 + r.IntN(4) {
		out.Rules = append(out.Rules, randomRule(r))
	}
	return out
}

func randomRule(r *rand.Rand) model.PolicyRule {
	rule := model.PolicyRule{Match: model.PolicyMatch{
		Networks: randomSelector(r), Nodes: randomSelector(r), Neighbors: pick(r, nil, nil, []string{"192.0.2.1"}, []string{"2001:db8::1", "eth0"}),
		Kinds: pick(r, nil, nil, []model.Advertisement{model.AdvertisePodNetwork}, []model.Advertisement{model.AdvertiseEgressIP}),
	}}
	for range r.IntN(3) {
		m := model.PrefixMatch{Prefix: randomPrefix(r)}
		if r.IntN(3) > 0 {
			m.GE, m.LE = m.Prefix.Bits(), m.Prefix.Addr().BitLen()
		}
		rule.Match.Prefixes = append(rule.Match.Prefixes, m)
	}
	if r.IntN(4) == 0 {
		rule.Suppress = true
		return rule
	}
	rule.Set = randomAttributes(r)
	return rule
}

func randomAttributes(r *rand.Rand) model.Attributes {
	values := model.AttributeValues{Communities: []model.Community{{Parts: [3]uint32{64512, uint32(r.IntN(4))}}}} //nolint:gosec // small
	if r.IntN(2) == 0 {
		values.LocalPreference = new(uint32)
		*values.LocalPreference = uint32(100 * r.IntN(3)) //nolint:gosec // small
	}
	if r.IntN(4) == 0 {
		values.MED = new(uint32)
		*values.MED = uint32(10 * r.IntN(3)) //nolint:gosec // small
	}
	return model.MakeAttributes(values)
}

// TestPoliciesAlone checks, of random clusters with policies, each advertised route by
// going through the rules one by one, as the API's documentation does.
func TestPoliciesAlone(t *testing.T) {
	attributed, suppressed, raw := 0, 0, 0
	for seed := range uint64(3000) {
		with, without := onePolicySnapshot(seed), onePolicySnapshot(seed)
		without.Policies = nil
		got, bare := plan.Build(with), plan.Build(without)
		for i := range got.Nodes {
			node := &with.Nodes[slices.IndexFunc(with.Nodes, func(n model.Node) bool { return n.Name == got.Nodes[i].Node })]
			eachAdvertised(&bare.Nodes[i], func(id string, routes []model.Route) {
				var want []model.Route
				for _, route := range routes {
					if attributes, gone := goThrough(with.Policies, node.Labels, id, route.Prefix); !gone {
						if !node.Raw.On() {
							attributes = attributes.Typed()
						}
						if attributes.NeedsRaw() {
							raw++
						}
						want = append(want, model.Route{Prefix: route.Prefix, Attributes: attributes})
					}
				}
				var have []model.Route
				eachAdvertised(&got.Nodes[i], func(other string, routes []model.Route) {
					if other == id {
						have = routes
					}
				})
				if !slices.Equal(have, want) {
					t.Fatalf("seed %d: node %s tells %s\n got %+v\nwant %+v\npolicies %+v", seed, got.Nodes[i].Node, id, have, want, with.Policies)
				}
				suppressed += len(routes) - len(want)
				attributed += len(slices.DeleteFunc(want, func(r model.Route) bool { return r.Attributes == model.Attributes{} }))
			})
		}
	}
	if attributed < 200 || suppressed < 200 || raw < 50 {
		t.Errorf("only %d routes got attributes, %d of them such that need raw text, and %d were suppressed", attributed, raw, suppressed)
	}
}

// onePolicySnapshot has one object, for pods of the default network, so that a route's
// neighbor, node and prefix are all that there is to match.
func onePolicySnapshot(seed uint64) *model.Snapshot {
	s := affectedSnapshot(seed)
	r := rand.New(rand.NewPCG(seed, 9))
	for i := range s.RouteAdvertisements {
		s.RouteAdvertisements[i].Problem = &model.Problem{Outcome: model.Invalid}
	}
	s.RouteAdvertisements[0] = model.RouteAdvertisement{Name: "ra-0", Advertisements: []model.Advertisement{model.AdvertisePodNetwork}, SelectsDefaultNetwork: true}
	s.Policies, s.Drains = nil, nil
	for i := range s.Nodes {
		s.Nodes[i].Raw.Permission = []model.RawPermission{model.RawOn, model.RawOff}[i%2]
	}
	for i := range 1 + r.IntN(3) {
		p := randomPolicy(r, i)
		p.Targets = []string{"ra-0"}
		for j := range p.Rules {
			p.Rules[j].Match.Networks, p.Rules[j].Match.Kinds = nil, nil
		}
		s.Policies = append(s.Policies, p)
	}
	return s
}

func eachAdvertised(p *model.NodePlan, do func(id string, routes []model.Route)) {
	for _, c := range p.Configs {
		for _, r := range c.Routers {
			for i := range r.Neighbors {
				do(fmt.Sprintf("%s/%s/%s", c.Namespace, r.VRF, r.Neighbors[i].ID()), r.Neighbors[i].Advertise)
			}
		}
	}
}

func goThrough(policies []model.RoutePolicy, labels map[string]string, id string, prefix netip.Prefix) (out model.Attributes, suppressed bool) {
	policies = slices.Clone(policies)
	slices.SortStableFunc(policies, func(a, b model.RoutePolicy) int { return a.Created.Compare(b.Created) })
	for _, policy := range policies {
		if policy.Problem != nil {
			continue
		}
		for _, rule := range policy.Rules {
			ofPrefix := len(rule.Match.Prefixes) == 0
			for _, m := range rule.Match.Prefixes {
				ofPrefix = ofPrefix || m.Prefix == prefix || m.LE > 0 && m.Prefix.Overlaps(prefix) && m.Prefix.Bits() <= prefix.Bits()
			}
			ofNeighbor := len(rule.Match.Neighbors) == 0
			for _, n := range rule.Match.Neighbors {
				ofNeighbor = ofNeighbor || len(id) > len(n) && id[len(id)-len(n)-1:] == "/"+n
			}
			switch {
			case !ofPrefix || !ofNeighbor || !rule.Match.Nodes.Matches(labels):
			case rule.Suppress:
				return out, true
			default:
				out = out.With(rule.Set)
			}
		}
	}
	return out, false
}

// Neighbors with the same rules share their lists, as all do without a policy.
func TestNeighborsWithTheSameRulesShareTheirRoutes(t *testing.T) {
	s := onePolicySnapshot(1)
	node := model.Node{
		NodeSummary: model.NodeSummary{Name: "node", Hostname: "node", Labels: map[string]string{model.LabelHostname: "node"}},
		Subnets:     map[string][]netip.Prefix{model.DefaultNetwork: {netip.MustParsePrefix("10.244.1.0/24"), netip.MustParsePrefix("10.244.2.0/24")}},
	}
	s.Nodes, s.Hosts = []model.Node{node}, []model.NodeSummary{node.NodeSummary}
	session := func(address string) model.Session { return model.Session{Address: address, ASN: 64512} }
	s.Templates = []model.Template{{Namespace: "frr", Name: "tor", Routers: []model.TemplateRouter{{ASN: 64512, Neighbors: []model.Session{
		session("192.0.2.1"), session("192.0.2.2"), session("192.0.2.3"), session("192.0.2.4"),
	}}}}}
	s.Policies = []model.RoutePolicy{{Name: "policy", Targets: []string{"ra-0"}, Rules: []model.PolicyRule{
		{Match: model.PolicyMatch{Neighbors: []string{"192.0.2.3", "192.0.2.4"}}, Set: attributes(2)}, {Set: attributes(1)},
	}}}
	neighbors := plan.Build(s).Nodes[0].Configs[0].Routers[0].Neighbors
	shared := func(i, j int) bool { return &neighbors[i].Advertise[0] == &neighbors[j].Advertise[0] }
	if len(neighbors) != 4 || !shared(0, 1) || !shared(2, 3) || shared(1, 2) {
		t.Errorf("lists are not shared as they should be: %+v", neighbors)
	}
	if want := attributes(1); neighbors[0].Advertise[1].Attributes != want || reflect.DeepEqual(neighbors[2].Advertise, neighbors[0].Advertise) {
		t.Errorf("the rules are not applied: %+v", neighbors)
	}
}

func attributes(community uint32) model.Attributes {
	return model.MakeAttributes(model.AttributeValues{Communities: []model.Community{{Parts: [3]uint32{64512, community}}}})
}
