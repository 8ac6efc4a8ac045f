package sources

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/routediff"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

func settings() *Settings {
	p := netip.MustParsePrefix
	return &Settings{
		Node: "n1", Pods: []netip.Prefix{p("10.244.0.0/16")}, Services: []netip.Prefix{p("10.96.0.0/16")}, Join: []netip.Prefix{p("100.64.0.0/16")},
		Masquerade: []netip.Prefix{p("169.254.0.0/17")}, Transit: []netip.Prefix{p("100.88.0.0/16")},
	}
}

func node() *corev1.Node {
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1", Annotations: map[string]string{
		"k8s.ovn.org/l3-gateway-config": `{"default":{"mode":"shared","bridge-id":"br-ex","ip-addresses":["172.18.0.3/16"]}}`,
		"k8s.ovn.org/node-subnets":      `{"default":["10.244.1.0/24"],"cluster_udn_red":["10.20.1.0/24"]}`,
	}}}
}

func cudn(name, subnet string, change func(*ovnv1.ClusterUserDefinedNetwork)) ovnv1.ClusterUserDefinedNetwork {
	out := ovnv1.ClusterUserDefinedNetwork{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"net": name}}}
	out.Spec.Network = ovnv1.NetworkSpec{Topology: ovnv1.NetworkTopologyLayer3, Layer3: &ovnv1.Layer3Config{
		Role: ovnv1.NetworkRolePrimary, Subnets: []ovnv1.Layer3Subnet{{CIDR: ovnv1.CIDR(subnet)}}}}
	if change != nil {
		change(&out)
	}
	return out
}

func find(t *testing.T, networks []agent.Network, name string) agent.Network {
	t.Helper()
	i := slices.IndexFunc(networks, func(n agent.Network) bool { return n.Name == name })
	if i < 0 {
		t.Fatalf("%s is not among %v", name, networks)
	}
	return networks[i]
}

// judge tells what the network's rules make of a prefix.
func judge(n agent.Network, prefix string) model.SkipReason {
	rules := routediff.Rules{Protected: n.Protected, AnyLink: true}
	_, reason := rules.Judge(netip.MustParsePrefix(prefix), model.MakePath(model.PathDiscard), nil)
	return reason
}

func TestNetworksOfANode(t *testing.T) {
	view := &View{Node: node(), NetworkIDs: map[string]int{"cluster_udn_a-very-long-network-name": 7}, CUDNs: []ovnv1.ClusterUserDefinedNetwork{
		cudn("blue", "10.10.0.0/16", nil),
		cudn("red", "10.20.0.0/16", func(c *ovnv1.ClusterUserDefinedNetwork) { c.Spec.Network.Transport = ovnv1.TransportNoOverlay }),
		cudn("a-very-long-network-name", "10.30.0.0/16", nil),
		cudn("another-very-long-network-name", "10.40.0.0/16", nil),
		cudn("published-vrf-name-network", "10.50.0.0/16", func(c *ovnv1.ClusterUserDefinedNetwork) { c.Status.VRFName = "special" }),
		cudn("secondary", "10.60.0.0/16", func(c *ovnv1.ClusterUserDefinedNetwork) { c.Spec.Network.Layer3.Role = ovnv1.NetworkRoleSecondary }),
		cudn("uplinked", "10.70.0.0/16", func(c *ovnv1.ClusterUserDefinedNetwork) { c.Spec.Uplinks = []string{"fabric"} }),
		cudn("unresolved", "10.80.0.0/16", func(c *ovnv1.ClusterUserDefinedNetwork) { c.Spec.Uplinks = []string{"other"} }),
	}, UplinkStates: []unstructured.Unstructured{
		uplink("fabric", "n2", "br-wrong", "True"), uplink("fabric", "n1", "br-fabric", "True"), uplink("other", "n1", "br-other", "False"),
	}}
	networks := Networks(view, settings())
	if len(networks) != 8 {
		t.Fatalf("%d networks: %v", len(networks), networks)
	}
	for name, want := range map[string]struct{ vrf, gateway string }{
		"default": {"", "br-ex"}, "cluster_udn_blue": {"blue", "br-ex"}, "cluster_udn_a-very-long-network-name": {"mp7-udn-vrf", "br-ex"},
		"cluster_udn_published-vrf-name-network": {"special", "br-ex"}, "cluster_udn_uplinked": {"uplinked", "br-fabric"}, "cluster_udn_unresolved": {"unresolved", ""},
	} {
		n := find(t, networks, name)
		if n.VRF != want.vrf || strings.Join(n.Gateways, ",") != want.gateway || n.Problem != "" {
			t.Errorf("%s: VRF %q, gateways %v, problem %q", name, n.VRF, n.Gateways, n.Problem)
		}
	}
	if n := find(t, networks, "cluster_udn_another-very-long-network-name"); !strings.Contains(n.Problem, "not known yet") {
		t.Errorf("problem %q", n.Problem)
	}
	for prefix, want := range map[string]model.SkipReason{
		"10.244.7.0/24": model.SkipPodSubnet, "10.10.7.0/24": model.SkipPodSubnet, "10.20.7.0/24": model.SkipPodSubnet, "10.60.0.0/16": model.SkipPodSubnet,
		"10.96.0.0/24": model.SkipServiceSubnet, "100.64.0.0/24": model.SkipJoinSubnet, "169.254.0.0/24": model.SkipMasquerade, "100.88.1.0/24": model.SkipTransitSubnet,
		"10.0.0.0/8": model.SkipPodSubnet, "23.0.2.0/24": model.SkipNone,
	} {
		if got := judge(find(t, networks, "cluster_udn_blue"), prefix); got != want {
			t.Errorf("blue, %s: %q, not %q", prefix, got, want)
		}
	}
	// Without an overlay the way to other nodes' pods is by BGP.
	red := find(t, networks, "cluster_udn_red")
	if judge(red, "10.20.7.0/24") != model.SkipNone || judge(red, "10.20.1.0/24") != model.SkipPodSubnet || judge(red, "10.10.7.0/24") != model.SkipPodSubnet {
		t.Error("red takes the wrong routes")
	}
}

func uplink(name, node, bridge, resolved string) unstructured.Unstructured {
	return unstructured.Unstructured{Object: map[string]any{
		"spec": map[string]any{"uplinkName": name, "nodeName": node},
		"status": map[string]any{"ovsBridge": map[string]any{"name": bridge},
			"conditions": []any{map[string]any{"type": "Resolved", "status": resolved}}},
	}}
}

func TestMalformedAnnotationsKeepWhatIsThere(t *testing.T) {
	view := &View{Node: node(), CUDNs: []ovnv1.ClusterUserDefinedNetwork{
		cudn("red", "10.20.0.0/16", func(c *ovnv1.ClusterUserDefinedNetwork) { c.Spec.Network.Transport = ovnv1.TransportNoOverlay })}}
	view.Node.Annotations["k8s.ovn.org/node-subnets"] = `{`
	networks := Networks(view, settings())
	if n := find(t, networks, "cluster_udn_red"); n.Problem == "" {
		t.Error("red must not be worked on: its own subnets are not known")
	}
	if n := find(t, networks, "default"); n.Problem != "" {
		t.Errorf("the default network has an overlay: %q", n.Problem)
	}
	view.Node.Annotations["k8s.ovn.org/l3-gateway-config"] = `{`
	if n := find(t, Networks(view, settings()), "default"); !strings.Contains(n.Problem, "--gateway-interface") {
		t.Errorf("problem %q", n.Problem)
	}
	delete(view.Node.Annotations, "k8s.ovn.org/l3-gateway-config")
	if n := find(t, Networks(view, settings()), "default"); n.Problem != "" || n.Gateways != nil {
		t.Errorf("%+v", n)
	}
}

func ra(target string, change func(*ovnv1.RouteAdvertisements)) ovnv1.RouteAdvertisements {
	out := ovnv1.RouteAdvertisements{}
	out.Spec.TargetVRF = target
	out.Spec.Advertisements = []ovnv1.AdvertisementType{ovnv1.AdvertisePodNetwork}
	out.Spec.NetworkSelectors = ovnv1.NetworkSelectors{{NetworkSelectionType: ovnv1.ClusterUserDefinedNetworks,
		ClusterUserDefinedNetworkSelector: &ovnv1.ClusterUserDefinedNetworkSelector{NetworkSelector: metav1.LabelSelector{MatchLabels: map[string]string{"net": "blue"}}}}}
	out.Status.Conditions = []metav1.Condition{{Type: "Accepted", Status: metav1.ConditionTrue}}
	if change != nil {
		change(&out)
	}
	return out
}

func TestAdvertised(t *testing.T) {
	for _, test := range []struct {
		name           string
		ras            []ovnv1.RouteAdvertisements
		yes, ownVRF    bool
		other          bool
		defaultNetwork bool
	}{
		{name: "nothing"},
		{name: "auto", ras: []ovnv1.RouteAdvertisements{ra("auto", nil)}, yes: true, ownVRF: true},
		{name: "its VRF by name", ras: []ovnv1.RouteAdvertisements{ra("blue", nil)}, yes: true, ownVRF: true},
		{name: "default VRF", ras: []ovnv1.RouteAdvertisements{ra("", nil)}, yes: true, other: true},
		{name: "another VRF", ras: []ovnv1.RouteAdvertisements{ra("fabric", nil)}, yes: true, other: true},
		{name: "both", ras: []ovnv1.RouteAdvertisements{ra("auto", nil), ra("default", nil)}, yes: true, other: true},
		{name: "not accepted, which opens no VRF", ownVRF: true, ras: []ovnv1.RouteAdvertisements{ra("auto", func(r *ovnv1.RouteAdvertisements) { r.Status.Conditions[0].Status = metav1.ConditionFalse })}},
		{name: "not accepted over the default VRF, which opens no VRF", yes: true, ownVRF: true, ras: []ovnv1.RouteAdvertisements{ra("auto", nil),
			ra("", func(r *ovnv1.RouteAdvertisements) { r.Status.Conditions[0].Status = metav1.ConditionFalse })}},
		{name: "not accepted, over the default VRF alone", ras: []ovnv1.RouteAdvertisements{
			ra("", func(r *ovnv1.RouteAdvertisements) { r.Status.Conditions[0].Status = metav1.ConditionFalse })}},
		{name: "egress IPs only", ras: []ovnv1.RouteAdvertisements{ra("auto", func(r *ovnv1.RouteAdvertisements) {
			r.Spec.Advertisements = []ovnv1.AdvertisementType{ovnv1.AdvertiseEgressIP}
		})}},
		{name: "another network", ras: []ovnv1.RouteAdvertisements{ra("auto", func(r *ovnv1.RouteAdvertisements) {
			r.Spec.NetworkSelectors[0].ClusterUserDefinedNetworkSelector.NetworkSelector.MatchLabels["net"] = "red"
		})}},
		{name: "default network", defaultNetwork: true, yes: true, ras: []ovnv1.RouteAdvertisements{ra("", func(r *ovnv1.RouteAdvertisements) {
			r.Spec.NetworkSelectors = ovnv1.NetworkSelectors{{NetworkSelectionType: ovnv1.DefaultNetwork}}
		})}},
	} {
		t.Run(test.name, func(t *testing.T) {
			view := &View{Node: node(), CUDNs: []ovnv1.ClusterUserDefinedNetwork{cudn("blue", "10.10.0.0/16", nil)}, RouteAdvertisements: test.ras}
			name := "cluster_udn_blue"
			if test.defaultNetwork {
				name = "default"
			}
			if n := find(t, Networks(view, settings()), name); n.Advertised != test.yes || n.OtherVRF != test.other || n.OwnVRFOnly != test.ownVRF {
				t.Errorf("advertised %v, over another VRF %v, own VRF only %v", n.Advertised, n.OtherVRF, n.OwnVRFOnly)
			}
		})
	}
}
