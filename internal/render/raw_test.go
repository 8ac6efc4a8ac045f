package render_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
)

func rawPlan() *model.NodePlan {
	route := func(prefix string, values model.AttributeValues) model.Route {
		return model.Route{Prefix: netip.MustParsePrefix(prefix), Attributes: model.MakeAttributes(values)}
	}
	whole := model.AttributeValues{
		MED: pointerTo[uint32](0), Prepend: 2, LocalPreference: pointerTo[uint32](7),
		Communities: []model.Community{{Parts: [3]uint32{65535, 65283}}, {Parts: [3]uint32{65535, 9}}, {Large: true, Parts: [3]uint32{1, 2, 3}}},
	}
	routes := []model.Route{
		route("10.0.0.0/24", whole), route("10.0.1.0/24", model.AttributeValues{LocalPreference: pointerTo[uint32](7)}),
		route("10.0.2.0/24", model.AttributeValues{Prepend: 1}), route("10.0.3.0/24", whole), route("fd00::/64", whole),
	}
	session := model.Session{Address: "192.0.2.254", ASN: 64999, LocalASN: 64700, NextHopIPv4: "192.0.2.9", NextHopIPv6: "2001:DB8::9"}
	return &model.NodePlan{Node: "worker-1", Hostname: "worker-1", Configs: []model.NodeConfig{{Routers: []model.Router{
		{ASN: 64512, VRF: "blue", Routes: routes, Neighbors: []model.Neighbor{{Session: session, Advertise: routes}}},
	}}}}
}

// Routes that need raw text are the router's, and of the neighbor's raw entries alone.
func TestNodeRendersRawRoutes(t *testing.T) {
	object := render.Node(rawPlan())[0]
	router := &object.Spec.BGP.Routers[0]
	allowed := &router.Neighbors[0].ToAdvertise
	if len(router.Prefixes) != 5 || fmt.Sprint(allowed.Allowed.Prefixes, allowed.PrefixesWithLocalPref, allowed.PrefixesWithCommunity) != "[10.0.1.0/24] [{[10.0.1.0/24] 7}] []" {
		t.Errorf("prefixes %v, allowed %+v", router.Prefixes, allowed)
	}
	const want = `ip prefix-list ovnbgp-192.0.2.254-blue-out-60000 seq 1 permit 10.0.0.0/24
ip prefix-list ovnbgp-192.0.2.254-blue-out-60000 seq 2 permit 10.0.3.0/24
route-map 192.0.2.254-blue-out permit 60000
 match ip address prefix-list ovnbgp-192.0.2.254-blue-out-60000
 set metric 0
 set local-preference 7
 set as-path prepend 64700 64700
 set community 65535:9 local-AS additive
 set large-community 1:2:3 additive
 set ip next-hop 192.0.2.9
exit
ip prefix-list ovnbgp-192.0.2.254-blue-out-60001 seq 1 permit 10.0.2.0/24
route-map 192.0.2.254-blue-out permit 60001
 match ip address prefix-list ovnbgp-192.0.2.254-blue-out-60001
 set as-path prepend 64700
 set ip next-hop 192.0.2.9
exit
ipv6 prefix-list ovnbgp-192.0.2.254-blue-out-60002 seq 1 permit fd00::/64
route-map 192.0.2.254-blue-out permit 60002
 match ipv6 address prefix-list ovnbgp-192.0.2.254-blue-out-60002
 set metric 0
 set local-preference 7
 set as-path prepend 64700 64700
 set community 65535:9 local-AS additive
 set large-community 1:2:3 additive
 set ipv6 next-hop global 2001:db8::9
exit
`
	// TestAMarkIsForOneText is about the last line.
	if text, _, _ := strings.Cut(object.Spec.Raw.Config, "ip prefix-list "+render.RawMarkPrefix); text != want {
		t.Errorf("raw text is\n%s", object.Spec.Raw.Config)
	}
}

// frr-k8s joins what all objects have, so that the first has it all.
func TestRawTextIsInTheFirstObject(t *testing.T) {
	p := rawPlan()
	for i := range 60 {
		p.Configs[0].Routers = append(p.Configs[0].Routers, model.Router{ASN: 64512, VRF: fmt.Sprintf("vrf%02d", i)})
	}
	objects := render.Node(p)
	if len(objects) < 2 || strings.Count(objects[0].Spec.Raw.Config, "route-map") != 3 || objects[1].Spec.Raw.Config != "" {
		t.Errorf("%d objects, with %q and %q", len(objects), objects[0].Spec.Raw.Config, objects[1].Spec.Raw.Config)
	}
}
