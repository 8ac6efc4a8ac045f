package plan_test

import (
	"bytes"
	"cmp"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	"sigs.k8s.io/yaml"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/plan"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/preview"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

// plannedNode is a golden's node with all that is planned for it.
type plannedNode struct {
	model.NodePlan
	cluster *model.Cluster
	around  *model.Surroundings
	configs []*frrk8sv1beta1.FRRConfiguration
}

// networksOf plans a golden input as the manager would.
func networksOf(t *testing.T, folder string, settings model.Settings) []plannedNode {
	t.Helper()
	input := filepath.Join(folder, "in.yaml")
	objects := load(t, input)
	if len(objects.Nodes) == 0 {
		objects = load(t, input, "testdata/cluster.yaml")
	}
	s := snapshot.Snapshot(objects, settings)
	compiled, reader, seen := plan.Compile(&s.Cluster), snapshot.NewNodeReader(objects, settings), preview.New(objects, settings)
	out := make([]plannedNode, 0, len(s.Nodes))
	for i := range s.Nodes {
		node := plannedNode{NodePlan: seen.Plan.Nodes[i], cluster: &s.Cluster}
		for j := range objects.Nodes {
			if objects.Nodes[j].Name == node.Node {
				node.around = reader.Surroundings(&objects.Nodes[j])
			}
		}
		node.Networks, node.VTEPs = compiled.Networks(&s.Nodes[i], node.around, node.Parts), compiled.VTEPs(&s.Nodes[i], node.Parts)
		for _, config := range seen.Configs {
			if config.Annotations[model.AnnotationNode] == node.Node {
				node.configs = append(node.configs, config)
			}
		}
		out = append(out, node)
	}
	return out
}

// TestNetworks compares what nodes get for testdata/golden/*/in.yaml with
// networks.yaml.
func TestNetworks(t *testing.T) {
	eachGolden(t, func(t *testing.T, folder string, settings model.Settings) {
		var got bytes.Buffer
		for _, node := range networksOf(t, folder, settings) {
			object := render.Networks(&node.NodePlan, node.around, node.cluster)
			if object == nil {
				got.WriteString("---\n# " + node.Node + " keeps what it has.\n")
				continue
			}
			text, err := yaml.Marshal(object)
			if err != nil {
				t.Fatal(err)
			}
			got.WriteString("---\n" + string(text))
		}
		golden := filepath.Join(folder, "networks.yaml")
		if *update {
			if err := os.WriteFile(golden, got.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			return
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s is not what is planned now; if the change is meant, run `go test ./internal/plan -update` and read the diff\n%s", golden, got.String())
		}
	})
}

// TestNetworksFollowTheConfigurations holds what nodes are told to be advertised
// against what their FRRConfigurations have FRR tell neighbors, for every golden,
// node and network.
func TestNetworksFollowTheConfigurations(t *testing.T) {
	pairs := 0
	eachGolden(t, func(t *testing.T, folder string, settings model.Settings) {
		if strings.HasSuffix(folder, "beside-ovn-kubernetes") {
			t.Skip("NOT COMPARED: another controller's FRRConfigurations, which no golden has, advertise there; TestAdvertisedByAnother tests that case")
		}
		for _, node := range networksOf(t, folder, settings) {
			if node.Keep {
				continue
			}
			told := toldToNeighbors(t, node.configs)
			for i := range node.Networks {
				n := &node.Networks[i]
				pairs++
				for vrf, prefixes := range told {
					mine := func(p netip.Prefix) bool { return prefixes[p] && !sharedWithOthers(node.Networks, n, vrf, p) }
					want := slices.ContainsFunc(podPrefixes(n), mine)
					if got := slices.Contains(n.AdvertisedIn, vrf); got != want && !(got && sharedByAny(node.Networks, n, vrf)) {
						t.Errorf("%s, network %s, VRF %q: advertised %v, and the FRRConfigurations say %v", node.Node, n.Name, vrf, got, want)
					}
				}
				for _, vrf := range n.AdvertisedIn {
					if told[vrf] == nil {
						t.Errorf("%s, network %s: advertised in VRF %q, where no neighbor is told anything", node.Node, n.Name, vrf)
					}
				}
			}
		}
	})
	if pairs < 100 {
		t.Errorf("only %d pairs of node and network were compared", pairs)
	}
}

// toldToNeighbors are the prefixes that neighbors get, by the router's VRF.
func toldToNeighbors(t *testing.T, configs []*frrk8sv1beta1.FRRConfiguration) map[string]map[netip.Prefix]bool {
	t.Helper()
	out := map[string]map[netip.Prefix]bool{}
	for _, config := range configs {
		for i := range config.Spec.BGP.Routers {
			router := &config.Spec.BGP.Routers[i]
			var lists [][]string
			if router.EVPN != nil && router.EVPN.L3VNI != nil {
				// The neighbors of the default VRF get these as type 5.
				lists = append(lists, router.Prefixes)
			}
			for j := range router.Neighbors {
				n := &router.Neighbors[j]
				lists = append(lists, n.ToAdvertise.Allowed.Prefixes, rawPrefixes(config.Spec.Raw.Config, model.OutboundMap(router.VRF, cmp.Or(n.Address, n.Interface))))
			}
			for _, list := range lists {
				for _, text := range list {
					prefix, err := netip.ParsePrefix(text)
					if err != nil {
						t.Fatal(err)
					}
					if out[router.VRF] == nil {
						out[router.VRF] = map[netip.Prefix]bool{}
					}
					out[router.VRF][prefix] = true
				}
			}
		}
	}
	return out
}

// podPrefixes are what a node advertises of a network, if it does.
func podPrefixes(n *model.NodeNetwork) []netip.Prefix {
	if n.Topology != model.TopologyLayer2 {
		return n.HostSubnets
	}
	var out []netip.Prefix
	for _, s := range n.Subnets {
		out = append(out, s.Prefix)
	}
	return out
}

// sharedWithOthers reports whether another network's advertisement accounts for the
// prefix: of networks that overlap, one is held back.
func sharedWithOthers(networks []model.NodeNetwork, n *model.NodeNetwork, vrf string, prefix netip.Prefix) bool {
	return slices.ContainsFunc(networks, func(other model.NodeNetwork) bool {
		return other.Name != n.Name && slices.Contains(other.AdvertisedIn, vrf) && slices.Contains(podPrefixes(&other), prefix)
	})
}

func sharedByAny(networks []model.NodeNetwork, n *model.NodeNetwork, vrf string) bool {
	return slices.ContainsFunc(podPrefixes(n), func(p netip.Prefix) bool { return sharedWithOthers(networks, n, vrf, p) })
}

func eachGolden(t *testing.T, check func(t *testing.T, folder string, settings model.Settings)) {
	t.Helper()
	inputs, err := filepath.Glob("testdata/golden/*/in.yaml")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no golden inputs: %v", err)
	}
	for _, input := range inputs {
		folder := filepath.Dir(input)
		t.Run(filepath.Base(folder), func(t *testing.T) {
			check(t, folder, settings(t, filepath.Join(folder, "flags")))
		})
	}
}

// TestAdvertisedByAnother: what OVN-Kubernetes' own controller accepted is
// advertised, too, although the plan has no part of it.
func TestAdvertisedByAnother(t *testing.T) {
	cluster := model.Cluster{
		Networks: []model.Network{{Name: model.DefaultNetwork}, {
			Name: ovnk.NetworkName("blue"), CUDN: "blue", Primary: true, Topology: model.TopologyLayer2, VRF: "blue",
			Subnets: []model.NetworkSubnet{{Prefix: netip.MustParsePrefix("10.10.0.0/16")}},
		}},
		RouteAdvertisements: []model.RouteAdvertisement{{
			Name: "theirs", ForeignController: "it is theirs", AcceptedElsewhere: true, SelectsDefaultNetwork: true,
			Advertisements: []model.Advertisement{model.AdvertisePodNetwork},
		}},
	}
	node := &model.Node{NodeSummary: model.NodeSummary{Name: "n1"}}
	for _, accepted := range []bool{true, false} {
		cluster.RouteAdvertisements[0].AcceptedElsewhere = accepted
		compiled := plan.Compile(&cluster)
		networks := compiled.Networks(node, &model.Surroundings{}, compiled.Node(node, nil).Parts)
		if len(networks) != 2 || networks[1].Name != model.DefaultNetwork || (len(networks[1].AdvertisedIn) == 1) != accepted || len(networks[0].AdvertisedIn) > 0 {
			t.Errorf("accepted %v: %+v", accepted, networks)
		}
	}
}

// TestTunnelsOfSeveralObjects: what one object could not add of a network's EVPN another
// may have, and what could not be written counts for nothing.
func TestTunnelsOfSeveralObjects(t *testing.T) {
	compiled := plan.Compile(&model.Cluster{Networks: []model.Network{{
		Name: ovnk.NetworkName("blue"), CUDN: "blue", Primary: true, Topology: model.TopologyLayer2, VRF: "blue", Transport: model.TransportEVPN,
	}}})
	mac, ip := &model.VPN{VNI: 110, VID: 11}, &model.VPN{VNI: 210, VID: 12}
	part := func(state model.PartState, ipVRF *model.VPN) model.NodePart {
		return model.NodePart{State: state, Tunnels: []model.Tunnel{{Network: ovnk.NetworkName("blue"), VTEP: "v", MACVRF: mac, IPVRF: ipVRF}}}
	}
	tunnel := func(parts ...model.NodePart) *model.Tunnel {
		return compiled.Networks(&model.Node{}, &model.Surroundings{}, parts)[0].Tunnel
	}
	if got := tunnel(part(model.PartWritten, nil), part(model.PartWritten, ip)); got == nil || got.VTEP != "v" || got.MACVRF != mac || got.IPVRF != ip {
		t.Errorf("of two objects: %+v", got)
	}
	if got := tunnel(part(model.PartKept, nil), part(model.PartRefused, ip)); got == nil || got.IPVRF != nil {
		t.Errorf("of one that could not be written: %+v", got)
	}
	if got := tunnel(part(model.PartRefused, ip)); got != nil {
		t.Errorf("nothing was written: %+v", got)
	}
	node := model.NodePlan{Networks: compiled.Networks(&model.Node{}, &model.Surroundings{}, []model.NodePart{part(model.PartWritten, ip)})}
	object := render.Networks(&node, &model.Surroundings{}, compiled.Cluster())
	if evpn := object.Spec.Networks[0].EVPN; evpn == nil || evpn.MACVRF.VNI != 110 || evpn.MACVRF.VID != 11 || evpn.IPVRF.VID != 12 {
		t.Errorf("published: %+v", evpn)
	}
}

// rawPrefixes are those that raw text permits in a route-map.
func rawPrefixes(text, routeMap string) []string {
	var out []string
	for line := range strings.Lines(text) {
		// ip prefix-list NAME seq 1 permit PREFIX
		words := strings.Fields(line)
		if len(words) == 7 && words[1] == "prefix-list" && strings.HasPrefix(words[2], "ovnbgp-"+routeMap+"-") {
			out = append(out, words[6])
		}
	}
	return out
}
