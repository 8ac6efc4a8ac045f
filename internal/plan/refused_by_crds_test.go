package plan_test

import (
	"net/netip"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/plan"
)

// What current CRDs refuse, so that no golden can have it, an older one may let pass.
func TestWhatCRDsRefuseIsFoundAllTheSame(t *testing.T) {
	fine := func() (*model.Snapshot, *model.RouteAdvertisement, *model.Network, *model.Node, *model.Session) {
		s := &model.Snapshot{}
		s.RouteAdvertisements = []model.RouteAdvertisement{{
			Name: "ra", Advertisements: []model.Advertisement{model.AdvertisePodNetwork}, NetworkSelectors: []model.Selector{nil},
		}}
		s.Networks = []model.Network{{Name: "cluster_udn_blue", CUDN: "blue", Primary: true, Topology: model.TopologyLayer2, VRF: "blue",
			Subnets: []model.NetworkSubnet{{Prefix: netip.MustParsePrefix("10.10.0.0/16")}}}}
		s.Templates = []model.Template{{Namespace: "frr", Name: "tor", Routers: []model.TemplateRouter{{ASN: 64512,
			Neighbors: []model.Session{{Address: "192.0.2.1", ASN: 64513}}}}}}
		s.Nodes = []model.Node{{NodeSummary: model.NodeSummary{Name: "n", Hostname: "n"}}}
		return s, &s.RouteAdvertisements[0], &s.Networks[0], &s.Nodes[0], &s.Templates[0].Routers[0].Neighbors[0]
	}
	for reason, spoil := range map[string]func(*model.RouteAdvertisement, *model.Network, *model.Node, *model.Session){
		"": func(*model.RouteAdvertisement, *model.Network, *model.Node, *model.Session) {},
		"NothingAdvertised": func(ra *model.RouteAdvertisement, _ *model.Network, _ *model.Node, _ *model.Session) {
			ra.Advertisements = nil
		},
		"NodeSelectorNotEmpty": func(ra *model.RouteAdvertisement, _ *model.Network, _ *model.Node, _ *model.Session) {
			ra.NodeSelector = model.Selector{{Key: "x", Operator: model.SelectorDoesNotExist}}
		},
		"UnsupportedTopology": func(_ *model.RouteAdvertisement, n *model.Network, _ *model.Node, _ *model.Session) {
			n.Topology = "Localnet"
		},
		"NextHopConflict": func(_ *model.RouteAdvertisement, _ *model.Network, n *model.Node, s *model.Session) {
			n.DPUHost, n.NextHops, s.NextHopIPv4 = true, []netip.Addr{netip.MustParseAddr("192.0.2.9")}, "192.0.2.8"
		},
	} {
		t.Run(reason, func(t *testing.T) {
			s, ra, network, node, session := fine()
			spoil(ra, network, node, session)
			s.Hosts = []model.NodeSummary{node.NodeSummary}
			got := plan.Build(s)
			found := ""
			for _, f := range got.Verdicts[0].Findings {
				if f.Outcome == model.Invalid {
					found += f.Reason
				}
			}
			for _, part := range got.Nodes[0].Parts {
				for _, f := range part.Findings {
					if f.Outcome == model.Invalid {
						found += f.Reason
					}
				}
			}
			if found != reason {
				t.Errorf("found %q, want %q: %+v", found, reason, got.Verdicts)
			}
		})
	}
}
