package plan_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/plan"
)

// A node that may have no raw text gets what frr-k8s has fields for, and the policy says
// why.
func TestNodesWithoutRawText(t *testing.T) {
	med := uint32(50)
	set := model.MakeAttributes(model.AttributeValues{MED: &med, Prepend: 2, Communities: []model.Community{{Parts: [3]uint32{64512, 1}}}})
	for reason, state := range map[string]model.RawState{
		"":               {Permission: model.RawOn},
		"NeedsRaw":       {},
		"WaitsForCanary": {Permission: model.RawWaiting, Canary: "node-9"},
		"RawFailed":      {Permission: model.RawTakenOff, Failure: "line 4: % Unknown command"},
	} {
		s := rawSnapshot(set, 64999)
		s.Nodes[0].Raw = state
		built := plan.Build(s)
		want, rendered := set.Typed(), 0
		if reason == "" {
			want, rendered = set, 1
		}
		if got := built.Nodes[0].Configs[0].Routers[0].Neighbors[0].Advertise[0].Attributes; got != want {
			t.Errorf("%v: the neighbor gets %+v", state, got.Values())
		}
		part := &built.Nodes[0].Parts[0]
		if raw := len(part.Raw) > 0; raw != state.On() {
			t.Errorf("%v: raw routes are %+v", state, part.Raw)
		}
		findings := part.Policies[0].Findings
		if told := slices.ContainsFunc(findings, func(f model.Finding) bool { return f.Reason == reason && f.Blocks() }); told == (reason == "") || len(findings) > 1 {
			t.Errorf("%v: findings are %+v", state, findings)
		}
		if tally := built.Policies[0].Ancestors[0].Tally; tally.Selected != 1 || tally.Rendered != rendered {
			t.Errorf("%v: %+v", state, tally)
		}
	}
}

// FRR is asked for a route as all objects that advertise it have made it.
func TestRawRoutesOfTwoObjects(t *testing.T) {
	med := uint32(50)
	s := rawSnapshot(model.MakeAttributes(model.AttributeValues{MED: &med}), 64999)
	s.Nodes[0].Raw.Permission = model.RawOn
	other := s.RouteAdvertisements[0]
	other.Name = "ra-1"
	s.RouteAdvertisements = append(s.RouteAdvertisements, other)
	s.Policies = append(s.Policies, model.RoutePolicy{Name: "marks", Targets: []string{"ra-1"}, Rules: []model.PolicyRule{{Set: attributes(7)}}})
	node := plan.Build(s).Nodes[0]
	merged := node.Configs[0].Routers[0].Neighbors[0].Advertise
	for _, part := range node.Parts {
		if len(part.Raw) != 1 || !slices.Equal(part.Raw[0].Routes, merged) || part.Raw[0].ASN != 64512 {
			t.Errorf("%s has raw routes %+v, and the neighbor gets %+v", part.RA, part.Raw, merged)
		}
	}
}

func rawSnapshot(set model.Attributes, neighborASN uint32) *model.Snapshot {
	s := onePolicySnapshot(1)
	node := model.Node{
		NodeSummary: model.NodeSummary{Name: "node", Hostname: "node", Labels: map[string]string{model.LabelHostname: "node"}},
		Subnets:     map[string][]netip.Prefix{model.DefaultNetwork: {netip.MustParsePrefix("10.244.1.0/24")}},
	}
	s.RouteAdvertisements = s.RouteAdvertisements[:1]
	s.Nodes, s.Hosts = []model.Node{node}, []model.NodeSummary{node.NodeSummary}
	s.Templates = []model.Template{{Namespace: "frr", Name: "tor", Routers: []model.TemplateRouter{{ASN: 64512, Neighbors: []model.Session{
		{Address: "192.0.2.1", ASN: neighborASN},
	}}}}}
	s.Policies = []model.RoutePolicy{{Name: "paths", Targets: []string{"ra-0"}, Rules: []model.PolicyRule{{Set: set}}}}
	return s
}

// What neighbors don't go by is told.
func TestMEDAndPrependWithoutEffect(t *testing.T) {
	med := uint32(50)
	both := model.MakeAttributes(model.AttributeValues{MED: &med, Prepend: 2})
	reasons := func(s *model.Snapshot) (out []string) {
		for _, f := range plan.Build(s).Policies[0].Ancestors[0].Findings {
			out = append(out, f.Reason)
		}
		return out
	}
	if got := reasons(rawSnapshot(both, 64999)); len(got) > 0 {
		t.Errorf("to another AS: %v", got)
	}
	if got := reasons(rawSnapshot(both, 64512)); !slices.Equal(got, []string{"NoEffect"}) {
		t.Errorf("to the own AS: %v", got)
	}
	several := rawSnapshot(both, 64999)
	other := several.Templates[0]
	other.Name, other.Routers = "other", []model.TemplateRouter{{ASN: 64700, Neighbors: other.Routers[0].Neighbors}}
	other.NodeSelector = model.Selector{{Key: "rack", Operator: model.SelectorExists}}
	several.Templates = append(several.Templates, other)
	if got := reasons(several); !slices.Equal(got, []string{"MEDAcrossASes"}) {
		t.Errorf("from several ASes: %v", got)
	}
	// The neighbor of the own AS gets no longer path, and one of another AS beside it does.
	beside := rawSnapshot(model.MakeAttributes(model.AttributeValues{Prepend: 2}), 64512)
	beside.Nodes[0].Raw.Permission = model.RawOn
	router := &beside.Templates[0].Routers[0]
	router.Neighbors = append(router.Neighbors, model.Session{Address: "192.0.2.2", ASN: 64999})
	neighbors := plan.Build(beside).Nodes[0].Configs[0].Routers[0].Neighbors
	if neighbors[0].Advertise[0].Attributes.NeedsRaw() || !neighbors[1].Advertise[0].Attributes.NeedsRaw() {
		t.Errorf("neighbors get %+v", neighbors)
	}
}
