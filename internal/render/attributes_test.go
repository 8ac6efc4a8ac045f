package render_test

import (
	"net/netip"
	"reflect"
	"testing"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
)

// Each value is listed once, with all prefixes that have it, in order; what has no
// attributes is in no list.
func TestNodeRendersAttributes(t *testing.T) {
	shared := model.Community{Parts: [3]uint32{64512, 100}}
	large := model.Community{Large: true, Parts: [3]uint32{64512, 1, 2}}
	routes := []model.Route{
		{Prefix: netip.MustParsePrefix("10.0.0.0/24"), Attributes: model.MakeAttributes(model.AttributeValues{
			Communities: []model.Community{large, shared}, LocalPreference: pointerTo[uint32](200)})},
		{Prefix: netip.MustParsePrefix("10.0.1.0/24")},
		{Prefix: netip.MustParsePrefix("10.0.2.0/24"), Attributes: model.MakeAttributes(model.AttributeValues{LocalPreference: pointerTo[uint32](50)})},
		{Prefix: netip.MustParsePrefix("fd00::/64"), Attributes: model.MakeAttributes(model.AttributeValues{
			Communities: []model.Community{shared}, LocalPreference: pointerTo[uint32](200)})},
	}
	node := &model.NodePlan{Node: "worker-1", Hostname: "worker-1", Configs: []model.NodeConfig{{Routers: []model.Router{{
		ASN: 64512, Routes: routes, Neighbors: []model.Neighbor{
			{Session: model.Session{Address: "192.0.2.254", ASN: 64512}, Advertise: routes},
			{Session: model.Session{Address: "192.0.2.253", ASN: 64512}, Advertise: routes[1:2]},
		},
	}}}}}
	neighbors := render.Node(node)[0].Spec.BGP.Routers[0].Neighbors
	want := frrk8sv1beta1.Advertise{
		Allowed: frrk8sv1beta1.AllowedOutPrefixes{Mode: frrk8sv1beta1.AllowRestricted, Prefixes: []string{"10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24", "fd00::/64"}},
		PrefixesWithLocalPref: []frrk8sv1beta1.LocalPrefPrefixes{
			{LocalPref: 50, Prefixes: []string{"10.0.2.0/24"}},
			{LocalPref: 200, Prefixes: []string{"10.0.0.0/24", "fd00::/64"}},
		},
		PrefixesWithCommunity: []frrk8sv1beta1.CommunityPrefixes{
			{Community: "64512:100", Prefixes: []string{"10.0.0.0/24", "fd00::/64"}},
			{Community: "large:64512:1:2", Prefixes: []string{"10.0.0.0/24"}},
		},
	}
	if got := neighbors[0].ToAdvertise; !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got := neighbors[1].ToAdvertise; got.PrefixesWithLocalPref != nil || got.PrefixesWithCommunity != nil {
		t.Errorf("a route without attributes got some: %+v", got)
	}
}
