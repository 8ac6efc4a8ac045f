package sources

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/routediff"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// guarded is a view with all that guards are made of.
func guarded() *View {
	view := &View{Node: node(), APIServer: []netip.Addr{netip.MustParseAddr("172.30.5.5"), netip.MustParseAddr("fd00:30::5")}}
	view.Node.Annotations["k8s.ovn.org/host-cidrs"] = `["172.18.0.3/16","10.99.0.7/24","fd00:18::3/64","192.168.77.7/32"]`
	view.Node.Annotations["k8s.ovn.org/node-primary-ifaddr"] = `{"ipv4":"172.18.0.3/16","ipv6":"fd00:18::3/64"}`
	return view
}

// What a hostile or careless peer may announce, and what becomes of it.
func TestHostileRoutes(t *testing.T) {
	for _, test := range []struct {
		prefix string
		want   model.SkipReason
		// allow imports it, nothing else does.
		allow func(*Allowed)
	}{
		{"172.18.0.3/32", model.SkipNodeAddress, func(a *Allowed) { a.NodeAddresses = true }},
		{"192.168.77.7/32", model.SkipNodeAddress, func(a *Allowed) { a.NodeAddresses = true }},
		{"fd00:18::3/128", model.SkipNodeAddress, func(a *Allowed) { a.NodeAddresses = true }},
		{"172.18.0.4/32", model.SkipNodeSubnet, func(a *Allowed) { a.NodeAddresses = true }},
		{"172.18.0.0/17", model.SkipNodeSubnet, func(a *Allowed) { a.NodeAddresses = true }},
		{"172.18.0.0/16", model.SkipNodeSubnet, func(a *Allowed) { a.NodeAddresses = true }},
		{"10.99.0.128/25", model.SkipNodeSubnet, func(a *Allowed) { a.NodeAddresses = true }},
		{"fd00:18::/65", model.SkipNodeSubnet, func(a *Allowed) { a.NodeAddresses = true }},
		{"172.30.5.5/32", model.SkipAPIServer, func(a *Allowed) { a.APIServer = true }},
		{"fd00:30::5/128", model.SkipAPIServer, func(a *Allowed) { a.APIServer = true }},
		{"0.0.0.0/8", model.SkipMartian, func(a *Allowed) { a.Martians = true }},
		{"127.0.0.0/8", model.SkipMartian, func(a *Allowed) { a.Martians = true }},
		{"127.0.0.1/32", model.SkipMartian, func(a *Allowed) { a.Martians = true }},
		{"169.254.169.254/32", model.SkipMartian, func(a *Allowed) { a.Martians = true }},
		{"160.0.0.0/3", model.SkipMasquerade, nil},
		{"192.0.2.0/24", model.SkipMartian, func(a *Allowed) { a.Martians = true }},
		{"224.0.0.0/4", model.SkipMartian, func(a *Allowed) { a.Martians = true }},
		{"239.1.1.1/32", model.SkipMartian, func(a *Allowed) { a.Martians = true }},
		{"240.0.0.0/4", model.SkipMartian, func(a *Allowed) { a.Martians = true }},
		{"255.255.255.255/32", model.SkipMartian, func(a *Allowed) { a.Martians = true }},
		{"::1/128", model.SkipMartian, func(a *Allowed) { a.Martians = true }},
		{"::/1", model.SkipMartian, func(a *Allowed) { a.Martians = true }},
		{"::ffff:0:0/96", model.SkipMartian, func(a *Allowed) { a.Martians = true }},
		{"fe80::/10", model.SkipMartian, func(a *Allowed) { a.Martians = true }},
		{"fe80::1/128", model.SkipMartian, func(a *Allowed) { a.Martians = true }},
		{"ff02::/16", model.SkipMartian, func(a *Allowed) { a.Martians = true }},
		{"2001:db8::/32", model.SkipMartian, func(a *Allowed) { a.Martians = true }},
		// What peers may well announce.
		{"172.16.0.0/12", model.SkipNone, nil},
		{"172.30.0.0/16", model.SkipNone, nil},
		{"192.168.0.0/16", model.SkipNone, nil},
		{"192.0.0.0/9", model.SkipNone, nil},
		{"198.18.0.0/15", model.SkipNone, nil},
		{"100.100.0.0/16", model.SkipNone, nil},
		{"2000::/3", model.SkipNone, nil},
		{"fd00:18::/48", model.SkipNone, nil},
		{"64:ff9b::/96", model.SkipNone, nil},
	} {
		if got := judge(find(t, Networks(guarded(), settings()), "default"), test.prefix); got != test.want {
			t.Errorf("%s: %q, not %q", test.prefix, got, test.want)
		}
		if test.allow == nil {
			continue
		}
		s := settings()
		s.Masquerade = nil
		test.allow(&s.Allowed)
		if got := judge(find(t, Networks(guarded(), s), "default"), test.prefix); got != model.SkipNone {
			t.Errorf("%s, allowed: %q", test.prefix, got)
		}
		s.Allowed = Allowed{Martians: !s.Allowed.Martians, NodeAddresses: !s.Allowed.NodeAddresses, APIServer: !s.Allowed.APIServer}
		if got := judge(find(t, Networks(guarded(), s), "default"), test.prefix); got != test.want {
			t.Errorf("%s, other classes allowed: %q, not %q", test.prefix, got, test.want)
		}
	}
}

// The node's own addresses are no next hops, whatever is allowed; its
// neighbors' are.
func TestNextHops(t *testing.T) {
	for _, allowed := range []Allowed{{}, {Martians: true, NodeAddresses: true, APIServer: true}} {
		s := settings()
		s.Allowed = allowed
		for hop, want := range map[string]model.SkipReason{
			"172.18.0.3": model.SkipNextHop, "10.244.3.3": model.SkipNextHop, "100.64.0.5": model.SkipNextHop, "169.254.0.7": model.SkipNextHop,
			"172.18.0.4": model.SkipNone, "fe80::1": model.SkipNone, "169.254.200.1": model.SkipNone,
		} {
			n := find(t, Networks(guarded(), s), "default")
			rules := routediff.Rules{Protected: n.Protected, AnyLink: true, IPv4ViaIPv6: true}
			path := model.MakePath(model.PathUnicast, model.NextHop{Addr: netip.MustParseAddr(hop), Link: 5})
			if _, got := rules.Judge(netip.MustParsePrefix("10.1.0.0/24"), path, nil); got != want {
				t.Errorf("via %s: %q, not %q", hop, got, want)
			}
		}
	}
}

// A network's routes may not touch the pods of networks that it meets in a VRF,
// and may do with others' as they like.
func TestPodSubnetsPerVRF(t *testing.T) {
	view := func(ras ...ovnv1.RouteAdvertisements) *View {
		return &View{Node: node(), AdvertisementsKnown: true, RouteAdvertisements: ras, CUDNs: []ovnv1.ClusterUserDefinedNetwork{
			cudn("blue", "10.10.0.0/16", nil), cudn("red", "10.20.0.0/16", nil)}}
	}
	red := ra("", func(r *ovnv1.RouteAdvertisements) {
		r.Spec.NetworkSelectors[0].ClusterUserDefinedNetworkSelector.NetworkSelector.MatchLabels["net"] = "red"
	})
	unknown := view()
	unknown.AdvertisementsKnown = false
	const blue, ofBlue, ofRed, ofDefault = "cluster_udn_blue", "10.10.5.0/24", "10.20.5.0/24", "10.244.5.0/24"
	for _, test := range []struct {
		name            string
		view            *View
		network, prefix string
		want            model.SkipReason
	}{
		{"its own", view(), blue, ofBlue, model.SkipPodSubnet},
		{"an isolated tenant's", view(ra("auto", nil)), "default", ofBlue, model.SkipNone},
		{"one that is advertised nowhere", view(), "default", ofBlue, model.SkipNone},
		{"one that is advertised in the default VRF", view(ra("", nil)), "default", ofBlue, model.SkipPodSubnet},
		{"one that is advertised in both", view(ra("auto", nil), ra("default", nil)), "default", ofBlue, model.SkipPodSubnet},
		{"the default network's, isolated", view(ra("auto", nil)), blue, ofDefault, model.SkipNone},
		{"the default network's, in the default VRF", view(ra("", nil)), blue, ofDefault, model.SkipPodSubnet},
		{"another tenant's, both in the default VRF", view(ra("", nil), red), blue, ofRed, model.SkipPodSubnet},
		{"another tenant's, one isolated", view(ra("auto", nil), red), blue, ofRed, model.SkipNone},
		{"while it isn't known", unknown, "default", ofBlue, model.SkipPodSubnet},
	} {
		if got := judge(find(t, Networks(test.view, settings()), test.network), test.prefix); got != test.want {
			t.Errorf("%s: %s in %s is %q, not %q", test.name, test.prefix, test.network, got, test.want)
		}
	}
}

// What the cluster tells is protected whatever the flags say, and told where
// they leave it out.
func TestFlagsThatContradictTheCluster(t *testing.T) {
	view := &View{Node: node(), ServiceCIDRs: []netip.Prefix{netip.MustParsePrefix("10.96.0.0/16"), netip.MustParsePrefix("10.112.0.0/16")}}
	view.Node.Annotations["k8s.ovn.org/node-subnets"] = `{"default":["10.128.1.0/24"]}`
	view.Node.Annotations["k8s.ovn.org/node-masquerade-subnet"] = `{"ipv4":"169.254.169.0/29"}`
	view.Node.Annotations["k8s.ovn.org/node-transit-switch-port-ifaddr"] = `{"ipv4":"100.88.0.3/16"}`
	s := settings()
	got := Contradictions(view, s)
	want := []string{
		"the node's annotation k8s.ovn.org/node-subnets tells 10.128.1.0/24, which --cluster-subnets (10.244.0.0/16) leaves out",
		"the cluster's ServiceCIDR tells 10.112.0.0/16, which --service-subnets (10.96.0.0/16) leaves out",
		"the node's annotation k8s.ovn.org/node-masquerade-subnet tells 169.254.169.0/29, which --masquerade-subnets (169.254.0.0/17) leaves out",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for prefix, want := range map[string]model.SkipReason{
		"10.128.1.0/25": model.SkipPodSubnet, "10.112.7.0/24": model.SkipServiceSubnet, "169.254.169.1/32": model.SkipMasquerade, "10.129.0.0/16": model.SkipNone,
	} {
		if got := judge(find(t, Networks(view, s), "default"), prefix); got != want {
			t.Errorf("%s: %q, not %q", prefix, got, want)
		}
	}
	if len(s.Pods) != 1 || len(s.Services) != 1 {
		t.Error("the flags were changed")
	}
	if got := Contradictions(&View{Node: node()}, settings()); len(got) != 0 {
		t.Errorf("nothing contradicts: %v", got)
	}
}

// A view comes back from a file as it was, and makes the same networks.
func TestAViewCanBeKept(t *testing.T) {
	view := guarded()
	view.CUDNs = []ovnv1.ClusterUserDefinedNetwork{cudn("blue", "10.10.0.0/16", func(c *ovnv1.ClusterUserDefinedNetwork) { c.Spec.Uplinks = []string{"fabric"} })}
	state := uplink("fabric", "n1", "br-fabric", "True")
	state.SetAPIVersion("k8s.ovn.org/v1alpha1")
	state.SetKind("UplinkState")
	view.UplinkStates, view.NetworkIDs = []unstructured.Unstructured{state}, map[string]int{"cluster_udn_blue": 3}
	view.RouteAdvertisements, view.AdvertisementsKnown = []ovnv1.RouteAdvertisements{ra("auto", nil)}, true
	view.ServiceCIDRs = []netip.Prefix{netip.MustParsePrefix("10.112.0.0/16")}
	text, err := json.Marshal(view)
	if err != nil {
		t.Fatal(err)
	}
	var back View
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if got, want := Networks(&back, settings()), Networks(view, settings()); !reflect.DeepEqual(got, want) {
		t.Errorf("\n%+v\nnot\n%+v", got, want)
	}
}
