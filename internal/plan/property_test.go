package plan_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/plan"
)

// FuzzPlan plans random clusters, in random orders: no panic, always the same
// plan, and one that frr-k8s can take.
func FuzzPlan(f *testing.F) {
	for seed := range uint64(256) {
		f.Add(seed, seed*7919+1)
	}
	f.Fuzz(func(t *testing.T, seed, shuffle uint64) {
		snapshot := randomSnapshot(rand.New(rand.NewPCG(seed, 1)))
		want := plan.Build(snapshot)
		for i := range want.Nodes {
			checkNodePlan(t, &want.Nodes[i])
		}
		shuffled := shuffledCopy(snapshot, rand.New(rand.NewPCG(shuffle, 2)))
		if got := plan.Build(shuffled); !reflect.DeepEqual(got, want) {
			t.Fatalf("another order of the same input gave another plan\n got %+v\nwant %+v", got, want)
		}
	})
}

// TestPlanOneNodeAtATime checks that a node's plan does not depend on which
// other nodes are planned.
func TestPlanOneNodeAtATime(t *testing.T) {
	for seed := range uint64(200) {
		snapshot := randomSnapshot(rand.New(rand.NewPCG(seed, 3)))
		whole := plan.Build(snapshot)
		compiled := plan.Compile(&snapshot.Cluster)
		for i := range snapshot.Nodes {
			got := compiled.Node(&snapshot.Nodes[i], nil)
			j := slices.IndexFunc(whole.Nodes, func(p model.NodePlan) bool { return p.Node == got.Node })
			if !reflect.DeepEqual(got, whole.Nodes[j]) {
				t.Fatalf("seed %d: node %s planned alone differs\n got %+v\nwant %+v", seed, got.Node, got, whole.Nodes[j])
			}
		}
	}
}

// checkNodePlan checks what frr-k8s demands of every object.
func checkNodePlan(t *testing.T, p *model.NodePlan) {
	t.Helper()
	if p.Keep && len(p.Configs) > 0 {
		t.Fatalf("node %s is to be kept and yet has configurations", p.Node)
	}
	for _, config := range p.Configs {
		vrfs := map[string]bool{}
		for _, r := range config.Routers {
			if vrfs[r.VRF] {
				t.Fatalf("node %s has two routers in VRF %q", p.Node, r.VRF)
			}
			vrfs[r.VRF] = true
		}
		for _, r := range config.Routers {
			checkRouter(t, p, config, r, vrfs)
		}
	}
}

func compareRoutes(a, b model.Route) int { return a.Prefix.Compare(b.Prefix) }

func checkRouter(t *testing.T, p *model.NodePlan, config model.NodeConfig, r model.Router, vrfs map[string]bool) {
	t.Helper()
	for _, route := range r.Routes {
		if (route.Attributes != model.Attributes{}) {
			t.Fatalf("node %s VRF %q originates %s with attributes, which are the neighbors' business", p.Node, r.VRF, route.Prefix)
		}
	}
	if !slices.IsSortedFunc(r.Routes, compareRoutes) || len(slices.Compact(slices.Clone(r.Routes))) != len(r.Routes) {
		t.Fatalf("node %s VRF %q: prefixes not sorted and unique: %v", p.Node, r.VRF, r.Routes)
	}
	for _, vrf := range r.Imports {
		if vrf == model.DefaultVRF {
			vrf = ""
		}
		if !vrfs[vrf] || vrf == r.VRF {
			t.Fatalf("node %s VRF %q imports VRF %q, which has no router of its own", p.Node, r.VRF, vrf)
		}
	}
	for _, n := range r.Neighbors {
		address, err := netip.ParseAddr(n.Address)
		for _, route := range n.Advertise {
			prefix := route.Prefix
			if !slices.ContainsFunc(r.Routes, func(o model.Route) bool { return o.Prefix == prefix }) {
				t.Fatalf("node %s neighbor %s advertises %s, which its router does not originate", p.Node, n.ID(), prefix)
			}
			if err == nil && address.Is4() != prefix.Addr().Is4() {
				t.Fatalf("node %s neighbor %s gets %s of the other family", p.Node, n.ID(), prefix)
			}
		}
		if n.BFDProfile != "" && !slices.ContainsFunc(config.BFDProfiles, func(b model.BFDProfile) bool { return b.Name == n.BFDProfile }) {
			t.Fatalf("node %s neighbor %s names BFD profile %q, which is not there", p.Node, n.ID(), n.BFDProfile)
		}
	}
}

var propertyEpoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// randomSnapshot makes small clusters full of clashes: overlapping subnets,
// shared VRFs and hostnames, conflicting sessions, missing annotations.
func randomSnapshot(r *rand.Rand) *model.Snapshot {
	s := &model.Snapshot{}
	s.Settings = model.Settings{TakeOver: r.IntN(4) == 0}
	s.Networks = []model.Network{{Name: model.DefaultNetwork, Primary: true, Topology: model.TopologyLayer3}}
	for i := range r.IntN(6) {
		s.Networks = append(s.Networks, randomNetwork(r, i))
	}
	for i := range 1 + r.IntN(5) {
		s.Templates = append(s.Templates, randomTemplate(r, i))
	}
	for i := range 1 + r.IntN(4) {
		s.RouteAdvertisements = append(s.RouteAdvertisements, randomRouteAdvertisement(r, i))
	}
	for i := range r.IntN(4) {
		s.Namespaces = append(s.Namespaces, model.Namespace{Name: fmt.Sprintf("ns-%d", i), Labels: randomLabels(r)})
		s.EgressIPs = append(s.EgressIPs, randomEgressIP(r, i))
	}
	for i := range r.IntN(5) {
		n := randomNode(r, i)
		s.Nodes = append(s.Nodes, n)
		s.Hosts = append(s.Hosts, n.NodeSummary)
	}
	for i := range r.IntN(4) {
		s.Policies = append(s.Policies, randomPolicy(r, i))
	}
	for i := range r.IntN(3) {
		s.Drains = append(s.Drains, randomDrain(r, i))
	}
	for i := range s.Hosts {
		s.Hosts[i].Maintenance = randomMaintenance(r)
	}
	return s
}

func pick[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }

func randomCreated(r *rand.Rand) time.Time {
	return propertyEpoch.Add(time.Duration(r.IntN(3)) * time.Second)
}

func randomLabels(r *rand.Rand) map[string]string {
	labels := map[string]string{}
	for _, key := range []string{"a", "b", plan.LabelPrimaryNetwork} {
		if r.IntN(2) == 0 {
			labels[key] = pick(r, "x", "y")
		}
	}
	return labels
}

func randomSelector(r *rand.Rand) model.Selector {
	if r.IntN(4) > 0 {
		return nil
	}
	return model.Selector{{
		Key:      pick(r, "a", "b"),
		Operator: pick(r, model.SelectorIn, model.SelectorNotIn, model.SelectorExists, model.SelectorDoesNotExist),
		Values:   []string{pick(r, "x", "y")},
	}}
}

func randomProblem(r *rand.Rand) *model.Problem {
	if r.IntN(12) > 0 {
		return nil
	}
	return &model.Problem{Outcome: pick(r, model.Invalid, model.Pending), Reason: "Broken", Message: "it is broken: mend it"}
}

func randomPrefix(r *rand.Rand) netip.Prefix {
	if r.IntN(3) == 0 {
		return netip.PrefixFrom(netip.AddrFrom16([16]byte{0xfd, byte(r.IntN(3)), byte(r.IntN(2))}), 16+8*r.IntN(4)).Masked()
	}
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(r.IntN(3)), byte(r.IntN(2))}), 8+r.IntN(17)).Masked()
}

func randomNetwork(r *rand.Rand, i int) model.Network {
	cudn := fmt.Sprintf("net-%d", i)
	n := model.Network{
		Name: "cluster_udn_" + cudn, CUDN: cudn, Created: randomCreated(r), Labels: randomLabels(r),
		Primary: r.IntN(6) > 0, Topology: pick(r, model.TopologyLayer2, model.TopologyLayer3, model.TopologyLayer3, model.TopologyLocalnet),
		Transport: pick(r, model.TransportOverlay, model.TransportOverlay, model.TransportNoOverlay, model.TransportEVPN),
		VRF:       pick(r, cudn, cudn, cudn, "shared"), VRFProblem: randomProblem(r), Problem: randomProblem(r),
		NamespaceSelector: randomSelector(r),
		ID:                r.IntN(3), Uplink: pick(r, "", "", "uplink"), JoinSubnets: pick(r, nil, nil, []netip.Prefix{randomPrefix(r)}),
	}
	for range 1 + r.IntN(2) {
		n.Subnets = append(n.Subnets, model.NetworkSubnet{Prefix: randomPrefix(r), HostLength: 28})
	}
	return n
}

func randomTemplate(r *rand.Rand, i int) model.Template {
	t := model.Template{
		Namespace: pick(r, "frr-1", "frr-1", "frr-2"), Name: fmt.Sprintf("template-%d", i), Created: randomCreated(r),
		Labels: randomLabels(r), NodeSelector: randomSelector(r), Problem: randomProblem(r),
		BFDProfiles: []model.BFDProfile{{Name: "fast", DetectMultiplier: pick(r, nil, new(uint32))}},
	}
	for range 1 + r.IntN(3) {
		router := model.TemplateRouter{ASN: pick[uint32](r, 64512, 64512, 64513), ID: pick(r, "", "", "1.1.1.1", "2.2.2.2"), VRF: pick(r, "", "", "net-0", "shared", "red")}
		for range 1 + r.IntN(3) {
			router.Neighbors = append(router.Neighbors, randomSession(r))
		}
		t.Routers = append(t.Routers, router)
	}
	return t
}

func randomSession(r *rand.Rand) model.Session {
	hold := pick(r, 90*time.Second, 180*time.Second)
	return model.Session{
		Address: pick(r, "192.0.2.1", "192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::1", "172.18.0.1", "nonsense", ""), Interface: pick(r, "", "", "", "", "", "", "", "eth0"),
		ASN: pick[uint32](r, 64512, 64512, 64512, 64512, 64512, 0), HoldTime: pick(r, nil, &hold), BFDProfile: pick(r, "", "", "", "fast", "fast", "missing"),
		DualStackAddressFamily: r.IntN(9) == 0, AddressFamilies: pick(r, []string{"unicast"}, []string{"evpn", "unicast"}, []string{"evpn"}),
		NextHopIPv4: pick(r, "", "", "192.0.2.9"), AllowAsIn: pick(r, "", "", "none", "origin", "3", "10"),
	}
}

func randomRouteAdvertisement(r *rand.Rand, i int) model.RouteAdvertisement {
	return model.RouteAdvertisement{
		Name: fmt.Sprintf("ra-%d", i), Created: randomCreated(r), Generation: 1,
		TargetVRF:        pick(r, "", "", model.TargetVRFAuto, "net-0", "red"),
		Advertisements:   pick(r, []model.Advertisement{model.AdvertisePodNetwork}, []model.Advertisement{model.AdvertiseEgressIP}, []model.Advertisement{model.AdvertiseEgressIP, model.AdvertisePodNetwork}, nil),
		NodeSelector:     pick(r, nil, nil, randomSelector(r)),
		TemplateSelector: randomSelector(r), SelectsDefaultNetwork: r.IntN(2) == 0,
		NetworkSelectors: []model.Selector{randomSelector(r)}, ForeignController: pick(r, "", "", "", "another"), AcceptedElsewhere: r.IntN(2) == 0,
		Managed: r.IntN(9) == 0, Problem: randomProblem(r),
	}
}

func randomEgressIP(r *rand.Rand, i int) model.EgressIP {
	return model.EgressIP{
		Name: fmt.Sprintf("eip-%d", i), NamespaceSelector: randomSelector(r), Problem: randomProblem(r),
		Assignments: []model.EgressAssignment{{Node: fmt.Sprintf("node-%d", r.IntN(4)), Address: netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})}},
	}
}

func randomNode(r *rand.Rand, i int) model.Node {
	name := fmt.Sprintf("node-%d", i)
	n := model.Node{
		NodeSummary: model.NodeSummary{
			Name: name, Hostname: pick(r, name, name, name, "", "shared"), Labels: randomLabels(r),
			Addresses: []netip.Addr{netip.AddrFrom4([4]byte{172, 18, 0, byte(i)})},
		},
		Subnets: map[string][]netip.Prefix{}, SubnetsProblem: randomProblem(r), Problem: randomProblem(r),
		DPUHost: r.IntN(5) == 0, NextHops: []netip.Addr{netip.MustParseAddr("192.0.2.50")}, NextHopsProblem: randomProblem(r),
	}
	for _, network := range []string{model.DefaultNetwork, "cluster_udn_net-0", "cluster_udn_net-1", "cluster_udn_net-2"} {
		for range r.IntN(3) {
			n.Subnets[network] = append(n.Subnets[network], randomPrefix(r))
		}
	}
	if r.IntN(3) == 0 {
		n.Layer2Active = map[string]bool{"cluster_udn_net-0": true}
	}
	if r.IntN(3) == 0 {
		n.Layer2 = model.Layer2Report{Known: true, Absent: map[string]bool{"cluster_udn_net-1": true}}
	}
	return n
}

func shuffledCopy(s *model.Snapshot, r *rand.Rand) *model.Snapshot {
	out := &model.Snapshot{Cluster: s.Cluster}
	out.RouteAdvertisements = shuffled(s.RouteAdvertisements, r)
	out.Policies = shuffled(s.Policies, r)
	out.Drains = shuffled(s.Drains, r)
	out.Networks = shuffled(s.Networks, r)
	out.Templates = shuffled(s.Templates, r)
	out.Namespaces = shuffled(s.Namespaces, r)
	out.EgressIPs = shuffled(s.EgressIPs, r)
	out.Hosts = shuffled(s.Hosts, r)
	out.Nodes = shuffled(s.Nodes, r)
	return out
}

func shuffled[T any](list []T, r *rand.Rand) []T {
	out := slices.Clone(list)
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}
