package nodenetworks

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/routediff"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

func settings() *Settings {
	p := netip.MustParsePrefix
	return &Settings{
		Node: "n1", Pods: []netip.Prefix{p("10.244.0.0/16")}, Services: []netip.Prefix{p("10.96.0.0/16")}, Join: []netip.Prefix{p("100.64.0.0/16")},
		Masquerade: []netip.Prefix{p("169.254.0.0/17")}, Transit: []netip.Prefix{p("100.88.0.0/16")},
		PodsTold: true, ServicesTold: true,
	}
}

// object has the default network, and what change makes of it.
func object(change func(*v1alpha1.NodeNetworksSpec)) *v1alpha1.NodeNetworks {
	out := &v1alpha1.NodeNetworks{Spec: v1alpha1.NodeNetworksSpec{
		NodeUID: "uid", Addresses: []v1alpha1.CIDR{"172.18.0.3/16"}, Gateway: "br-ex",
		Networks: []v1alpha1.NodeNetwork{{Name: "default", Topology: "Layer3", HostSubnets: []v1alpha1.CIDR{"10.244.1.0/24"}, PodVRFs: []v1alpha1.VRFName{"default"}}},
	}}
	if change != nil {
		change(&out.Spec)
	}
	return out
}

// tenant is a Layer3 network whose pods are nobody's outside its VRF.
func tenant(name string, subnet v1alpha1.CIDR, change func(*v1alpha1.NodeNetwork)) v1alpha1.NodeNetwork {
	out := v1alpha1.NodeNetwork{Name: "cluster_udn_" + name, Topology: "Layer3", VRF: name, Subnets: []v1alpha1.CIDR{subnet}, PodVRFs: []v1alpha1.VRFName{v1alpha1.VRFName(name)}}
	if change != nil {
		change(&out)
	}
	return out
}

func parse(t *testing.T, o *v1alpha1.NodeNetworks) *Decision {
	t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		t.Fatal(err)
	}
	d, err := decisionOf(content)
	if err != nil {
		t.Fatal(err)
	}
	return d
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
	d := parse(t, object(func(s *v1alpha1.NodeNetworksSpec) {
		s.Reserved.Join = []v1alpha1.CIDR{"100.70.0.0/16"}
		s.Networks = append(s.Networks,
			tenant("blue", "10.10.0.0/16", func(n *v1alpha1.NodeNetwork) {
				n.ID, n.PodVRFs, n.AdvertisedIn = 5, []v1alpha1.VRFName{"blue", "default"}, []v1alpha1.VRFName{"default"}
			}),
			tenant("red", "10.20.0.0/16", func(n *v1alpha1.NodeNetwork) {
				n.Transport, n.HostSubnets, n.PodVRFs = "NoOverlay", []v1alpha1.CIDR{"10.20.1.0/24"}, []v1alpha1.VRFName{"default", "red"}
			}),
			tenant("green", "10.30.0.0/16", func(n *v1alpha1.NodeNetwork) {
				n.Topology, n.AdvertisedIn, n.OwnVRFOnly = "Layer2", []v1alpha1.VRFName{"green"}, true
			}),
			tenant("nameless", "10.40.0.0/16", func(n *v1alpha1.NodeNetwork) { n.VRF, n.PodVRFs, n.Problem = "", nil, "its VRF is not known yet" }),
			tenant("uplinked", "10.70.0.0/16", func(n *v1alpha1.NodeNetwork) { n.Uplink, n.UplinkGateway = "fabric", "br-fabric" }),
			tenant("unresolved", "10.80.0.0/16", func(n *v1alpha1.NodeNetwork) { n.Uplink = "other" }))
	}))
	if d.UID != "uid" || d.NotUnderstood != "" {
		t.Errorf("%+v", d)
	}
	networks := Networks(d, settings())
	if len(networks) != 7 {
		t.Fatalf("%d networks: %v", len(networks), networks)
	}
	for name, want := range map[string]struct {
		vrf, gateway, problem              string
		layer2, advertised, other, ownOnly bool
		id                                 int
	}{
		"default":                {gateway: "br-ex"},
		"cluster_udn_blue":       {vrf: "blue", gateway: "br-ex", advertised: true, other: true, id: 5},
		"cluster_udn_red":        {vrf: "red", gateway: "br-ex"},
		"cluster_udn_green":      {vrf: "green", gateway: "br-ex", layer2: true, advertised: true, ownOnly: true},
		"cluster_udn_nameless":   {gateway: "br-ex", problem: "its VRF is not known yet"},
		"cluster_udn_uplinked":   {vrf: "uplinked", gateway: "br-fabric"},
		"cluster_udn_unresolved": {vrf: "unresolved"},
	} {
		n := find(t, networks, name)
		if n.VRF != want.vrf || strings.Join(n.Gateways, ",") != want.gateway || n.Problem != want.problem || n.ID != want.id ||
			n.Layer2 != want.layer2 || n.Advertised != want.advertised || n.OtherVRF != want.other || n.OwnVRFOnly != want.ownOnly {
			t.Errorf("%s: %+v", name, n)
		}
	}
	for prefix, want := range map[string]model.SkipReason{
		"10.244.7.0/24": model.SkipPodSubnet, "10.10.7.0/24": model.SkipPodSubnet, "10.20.7.0/24": model.SkipPodSubnet, "10.30.0.0/24": model.SkipNone,
		"10.96.0.0/24": model.SkipServiceSubnet, "100.64.0.0/24": model.SkipJoinSubnet, "100.70.0.0/24": model.SkipJoinSubnet,
		"169.254.0.0/24": model.SkipMasquerade, "100.88.1.0/24": model.SkipTransitSubnet, "10.0.0.0/8": model.SkipPodSubnet, "23.0.2.0/24": model.SkipNone,
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

// What isn't known stops those that need it, and nobody else.
func TestWhatIsNotKnownKeepsWhatIsThere(t *testing.T) {
	incomplete := object(func(s *v1alpha1.NodeNetworksSpec) {
		s.Networks[0].HostSubnets = nil
		s.Networks = append(s.Networks, tenant("red", "10.20.0.0/16", func(n *v1alpha1.NodeNetwork) { n.Transport = "NoOverlay" }))
	})
	networks := Networks(parse(t, incomplete), settings())
	if n := find(t, networks, "cluster_udn_red"); n.Problem == "" {
		t.Error("red must not be worked on: the node's own subnets are not known")
	}
	if n := find(t, networks, "default"); n.Problem != "" {
		t.Errorf("the default network has an overlay: %q", n.Problem)
	}
	incomplete.Spec.Gateway, incomplete.Spec.GatewayProblem = "", "annotation k8s.ovn.org/l3-gateway-config is malformed"
	d := parse(t, incomplete)
	if n := find(t, Networks(d, settings()), "default"); !strings.Contains(n.Problem, "malformed; or set --gateway-interface") {
		t.Errorf("problem %q", n.Problem)
	}
	own := settings()
	own.GatewayInterface = "eth1"
	if n := find(t, Networks(d, own), "default"); n.Problem != "" || n.Gateways[0] != "eth1" {
		t.Errorf("%+v", n)
	}
	incomplete.Spec.GatewayProblem = ""
	if n := find(t, Networks(parse(t, incomplete), settings()), "default"); n.Problem != "" || n.Gateways != nil {
		t.Errorf("%+v", n)
	}
}

// Nothing is imported while nobody says which subnets are the cluster's own.
func TestTheClustersSubnetsHaveToBeKnown(t *testing.T) {
	known := func(s *v1alpha1.NodeNetworksSpec) {
		s.Networks[0].Subnets, s.Reserved.Services = []v1alpha1.CIDR{"10.244.0.0/16"}, []v1alpha1.CIDR{"10.96.0.0/16"}
	}
	for name, test := range map[string]struct {
		object   *v1alpha1.NodeNetworks
		settings Settings
		problem  string
	}{
		"by nobody":                  {object(nil), Settings{}, "set --cluster-subnets"},
		"by the manager":             {object(known), Settings{}, ""},
		"by flags":                   {object(nil), Settings{PodsTold: true, ServicesTold: true}, ""},
		"services by nobody":         {object(nil), Settings{PodsTold: true}, "set --service-subnets"},
		"services by the manager":    {object(func(s *v1alpha1.NodeNetworksSpec) { known(s); s.Networks[0].Subnets = nil }), Settings{PodsTold: true}, ""},
		"pods by the manager, alone": {object(func(s *v1alpha1.NodeNetworksSpec) { known(s); s.Reserved.Services = nil }), Settings{}, "set --service-subnets"},
	} {
		n := find(t, Networks(parse(t, test.object), &test.settings), "default")
		if (n.Problem == "") != (test.problem == "") || !strings.Contains(n.Problem, test.problem) {
			t.Errorf("%s: %q", name, n.Problem)
		}
	}
	alone := settings()
	if _, ok := WithoutManager(alone); ok {
		t.Error("without a manager nobody says which link is the gateway's")
	}
	alone.GatewayInterface = "br-ex"
	if networks, ok := WithoutManager(alone); !ok || len(networks) != 1 || networks[0].Problem != "" || judge(networks[0], "10.244.7.0/24") != model.SkipPodSubnet {
		t.Errorf("%+v", networks)
	}
}

// An object that can't be read whole is not used at all, and one of a newer manager is.
func TestObjectsAreCheckedBeforeUse(t *testing.T) {
	for name, test := range map[string]struct{ text, problem, notUnderstood string }{
		"newer":                   {"spec:\n  fabric: x\n  networks:\n  - {name: default, topology: Layer3, vtep: y}", "", `unknown field "spec.fabric"`},
		"a subnet that is none":   {"spec:\n  networks:\n  - {name: default, topology: Layer3, hostSubnets: [10.244.1.0]}", "networks[default].hostSubnets", ""},
		"an address that is none": {"spec:\n  reserved: {apiServer: [api]}\n  networks:\n  - {name: default, topology: Layer3}", "reserved.apiServer", ""},
		"emptied":                 {"spec: {}", "the default network is missing", ""},
		"of another type":         {"spec: {networks: 7}", "restore slice", ""},
	} {
		var content map[string]any
		if err := yaml.Unmarshal([]byte(test.text), &content); err != nil {
			t.Fatal(err)
		}
		d, err := decisionOf(content)
		switch {
		case test.problem != "" && (err == nil || !strings.Contains(err.Error(), test.problem)):
			t.Errorf("%s: %v", name, err)
		case test.problem == "" && (err != nil || !strings.Contains(d.NotUnderstood, test.notUnderstood)):
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
}

// TestAgentsAndThePlanAgree reads what the planner's goldens publish: of every pair of
// node and network the agent has to say the same as the plan. That the plan says what
// FRR tells neighbors, the planner's tests see to.
func TestAgentsAndThePlanAgree(t *testing.T) {
	files, err := filepath.Glob("../../plan/testdata/golden/*/networks.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no goldens: %v", err)
	}
	pairs := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, document := range bytes.Split(text, []byte("---\n")) {
			var o v1alpha1.NodeNetworks
			if err := yaml.UnmarshalStrict(document, &o); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if o.Name == "" {
				continue // It keeps what it has.
			}
			networks := Networks(parse(t, &o), settings())
			if len(networks) != len(o.Spec.Networks) {
				t.Errorf("%s, node %s: %d networks, not %d", file, o.Name, len(networks), len(o.Spec.Networks))
			}
			for i := range o.Spec.Networks {
				n := &o.Spec.Networks[i]
				pairs++
				if got := find(t, networks, n.Name); got.Advertised != (len(n.AdvertisedIn) > 0) || got.VRF != n.VRF || got.OwnVRFOnly != n.OwnVRFOnly || got.ID != int(n.ID) {
					t.Errorf("%s, node %s, network %s: %+v, and the plan says %+v", file, o.Name, n.Name, got, n)
				}
			}
		}
	}
	if pairs < 100 {
		t.Errorf("only %d pairs of node and network were compared", pairs)
	}
}
