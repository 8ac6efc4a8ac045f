package nodenetworks

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/routediff"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// guarded is a decision with all that guards are made of.
func guarded(t *testing.T) *Decision {
	t.Helper()
	return parse(t, object(func(s *v1alpha1.NodeNetworksSpec) {
		s.Addresses = []v1alpha1.CIDR{"10.99.0.7/24", "172.18.0.3/16", "192.168.77.7/32", "fd00:18::3/64"}
		s.Reserved.APIServer = []v1alpha1.IP{"172.30.5.5", "fd00:30::5"}
	}))
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
		if got := judge(find(t, Networks(guarded(t), settings()), "default"), test.prefix); got != test.want {
			t.Errorf("%s: %q, not %q", test.prefix, got, test.want)
		}
		if test.allow == nil {
			continue
		}
		s := settings()
		s.Masquerade = nil
		test.allow(&s.Allowed)
		if got := judge(find(t, Networks(guarded(t), s), "default"), test.prefix); got != model.SkipNone {
			t.Errorf("%s, allowed: %q", test.prefix, got)
		}
		s.Allowed = Allowed{Martians: !s.Allowed.Martians, NodeAddresses: !s.Allowed.NodeAddresses, APIServer: !s.Allowed.APIServer}
		if got := judge(find(t, Networks(guarded(t), s), "default"), test.prefix); got != test.want {
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
			n := find(t, Networks(guarded(t), s), "default")
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
	with := func(vrfsOfBlue, vrfsOfRed []v1alpha1.VRFName) *Decision {
		return parse(t, object(func(s *v1alpha1.NodeNetworksSpec) {
			s.Networks = append(s.Networks, tenant("blue", "10.10.0.0/16", func(n *v1alpha1.NodeNetwork) { n.PodVRFs = vrfsOfBlue }),
				tenant("red", "10.20.0.0/16", func(n *v1alpha1.NodeNetwork) { n.PodVRFs = vrfsOfRed }))
		}))
	}
	isolated, open := []v1alpha1.VRFName{"blue"}, []v1alpha1.VRFName{"blue", "default"}
	red, redOpen := []v1alpha1.VRFName{"red"}, []v1alpha1.VRFName{"default", "red"}
	const blue, ofBlue, ofRed, ofDefault = "cluster_udn_blue", "10.10.5.0/24", "10.20.5.0/24", "10.244.5.0/24"
	for _, test := range []struct {
		name            string
		decision        *Decision
		network, prefix string
		want            model.SkipReason
	}{
		{"its own", with(isolated, red), blue, ofBlue, model.SkipPodSubnet},
		{"its own, while its VRF isn't known", with(nil, red), blue, ofBlue, model.SkipPodSubnet},
		{"an isolated tenant's", with(isolated, red), "default", ofBlue, model.SkipNone},
		{"one that is meant for the default VRF, too", with(open, red), "default", ofBlue, model.SkipPodSubnet},
		{"the default network's, isolated", with(isolated, red), blue, ofDefault, model.SkipNone},
		{"the default network's, in the default VRF", with(open, red), blue, ofDefault, model.SkipPodSubnet},
		{"another tenant's, both in the default VRF", with(open, redOpen), blue, ofRed, model.SkipPodSubnet},
		{"another tenant's, one isolated", with(isolated, redOpen), blue, ofRed, model.SkipNone},
	} {
		if got := judge(find(t, Networks(test.decision, settings()), test.network), test.prefix); got != test.want {
			t.Errorf("%s: %s in %s is %q, not %q", test.name, test.prefix, test.network, got, test.want)
		}
	}
}

// What the manager tells is protected whatever the flags say, and told where they
// leave it out.
func TestFlagsThatContradictTheCluster(t *testing.T) {
	d := parse(t, object(func(s *v1alpha1.NodeNetworksSpec) {
		s.Networks[0].HostSubnets = []v1alpha1.CIDR{"10.128.1.0/24"}
		s.Reserved.Services = []v1alpha1.CIDR{"10.96.0.0/16", "10.112.0.0/16"}
		s.Reserved.Masquerade, s.Reserved.Transit = []v1alpha1.CIDR{"169.254.169.0/29"}, []v1alpha1.CIDR{"100.88.0.0/16"}
	}))
	s := settings()
	got := Contradictions(d, s)
	want := []string{
		"the cluster has 10.128.1.0/24, which --cluster-subnets (10.244.0.0/16) leaves out",
		"the cluster has 10.112.0.0/16, which --service-subnets (10.96.0.0/16) leaves out",
		"the cluster has 169.254.169.0/29, which --masquerade-subnets (169.254.0.0/17) leaves out",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for prefix, want := range map[string]model.SkipReason{
		"10.128.1.0/25": model.SkipPodSubnet, "10.112.7.0/24": model.SkipServiceSubnet, "169.254.169.1/32": model.SkipMasquerade, "10.129.0.0/16": model.SkipNone,
	} {
		if got := judge(find(t, Networks(d, s), "default"), prefix); got != want {
			t.Errorf("%s: %q, not %q", prefix, got, want)
		}
	}
	if len(s.Pods) != 1 || len(s.Services) != 1 {
		t.Error("the flags were changed")
	}
	if got := Contradictions(parse(t, object(nil)), settings()); len(got) != 0 {
		t.Errorf("nothing contradicts: %v", got)
	}
	if got := Contradictions(d, &Settings{Transit: s.Transit}); len(got) != 0 {
		t.Errorf("flags that aren't set contradict nothing: %v", got)
	}
}
