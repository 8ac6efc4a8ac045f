package plan_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/plan"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
)

// FuzzAffected changes one thing of a random cluster: each node whose plan changes
// by it has to be named.
func FuzzAffected(f *testing.F) {
	for seed := range uint64(512) {
		f.Add(seed, seed*7919+1)
	}
	f.Fuzz(func(t *testing.T, seed, change uint64) {
		if trial := tryChange(seed, change); len(trial.missed) > 0 {
			t.Fatalf("%s: the plans of %v change, and they are not named", trial.what, trial.missed)
		}
	})
}

// TestAffectedNamesFewOthers counts the nodes that are named and whose plan stays.
func TestAffectedNamesFewOthers(t *testing.T) {
	// most is how many there may be for each one whose plan changes, and why.
	most := map[string]struct {
		perChanged float64
		why        string
	}{
		"RouteAdvertisements": {0.1, "a node may lack the network by which the object changed"},
		"Policies":            {4, "a rule may match no route of a node that it selects"},
		"Drains":              {5, "a node may have nothing to advertise, or nothing that it withdraws"},
		"Maintenance":         {5, "a node that doesn't drain may take over what others don't have"},
		"Networks":            {0.1, "a node may have no part of a network, or none that another may hold back"},
		"Templates":           {1.5, "what changed of a template may not matter to what is advertised beside it"},
		"EgressIPs":           {2, "on the node an object that advertises EgressIPs may not be planned for another reason"},
		"Namespaces":          {6, "as for EgressIPs"},
		"Hosts":               {6, "only a node knows which of its parts are advertised, and which address it covers first"},
		"Disputes":            {4, "what is in dispute may not be advertised there for another reason"},
		"APIServer":           {0, "every node is told"},
		"VTEPs":               {4, "only a node knows which addresses it was given"},
		"Settings":            {0, "every node is told the subnets of Services"},
	}
	type count struct{ trials, changed, extra int }
	counts := map[string]count{}
	for seed := range uint64(8000) {
		trial := tryChange(seed, seed*31+7)
		if len(trial.missed) > 0 {
			t.Fatalf("seed %d: %s: the plans of %v change, and they are not named", seed, trial.what, trial.missed)
		}
		kind, _, _ := strings.Cut(trial.what, " ")
		c := counts[kind]
		c.trials++
		c.changed += trial.changed
		c.extra += trial.extra
		counts[kind] = c
	}
	for kind, limit := range most {
		c := counts[kind]
		t.Logf("%s: %+v", kind, c)
		if c.changed == 0 || float64(c.extra) > limit.perChanged*float64(c.changed) {
			t.Errorf("%s: %d changes alter %d plans and name %d other nodes; at most %g for each may be named, as %s",
				kind, c.trials, c.changed, c.extra, limit.perChanged, limit.why)
		}
	}
}

// trial is one change of a random cluster.
type trial struct {
	what string
	// missed are nodes whose plan changed and that were not named, changed how many
	// did, and extra how many were named without that.
	missed         []string
	changed, extra int
}

func tryChange(seed, change uint64) trial {
	before, after := affectedSnapshot(seed), affectedSnapshot(seed)
	r := rand.New(rand.NewPCG(change, 5))
	what, touched := "", ""
	switch {
	case change%11 == 0:
		what = "Policies " + changeList(r, &after.Policies, randomPolicy)
	case change%11 == 1:
		what = "Drains " + changeList(r, &after.Drains, randomDrain)
	case change%11 == 2:
		// A node's maintenance is in no plan but by the cluster's.
		what = "Maintenance"
		after.Hosts = slices.Clone(after.Hosts)
		after.Hosts[r.IntN(len(after.Hosts))].Maintenance = randomMaintenance(r)
	default:
		what, touched = changeOneThing(r, after)
	}
	out := trial{what: what}
	old, next := plan.Compile(&before.Cluster), plan.Compile(&after.Cluster)
	all, named := next.Affected(old)
	for i := range before.Nodes {
		n := &before.Nodes[i]
		if n.Name == touched {
			continue // Nodes whose own state changed are planned anyway.
		}
		isNamed := all || slices.Contains(named, n.Name)
		around := randomSurroundings(rand.New(rand.NewPCG(seed, uint64(i))))
		changed := !reflect.DeepEqual(plansOf(old, n, around), plansOf(next, n, around))
		switch {
		case changed && !isNamed:
			out.missed = append(out.missed, n.Name)
		case changed:
			out.changed++
		case isNamed:
			out.extra++
		}
	}
	return out
}

// publishedPlan is a node's plan with what is published of it.
type publishedPlan struct {
	model.NodePlan
	published *v1alpha1.NodeNetworks
}

// plansOf are a node's plans, without the objects of other controllers and with
// them: whether they are kept is not for the planner to know. What is
// published is compared for nodes, too, whose state is not known.
func plansOf(c *plan.Compiled, n *model.Node, around *model.Surroundings) []publishedPlan {
	kept := map[string]bool{}
	for _, name := range c.RouteAdvertisements() {
		kept[name] = true
	}
	var out []publishedPlan
	for _, p := range []model.NodePlan{c.Node(n, nil), c.NodeKeeping(n, nil, kept)} {
		of := model.NodePlan{Node: n.Name, Networks: c.Networks(n, around, p.Parts), VTEPs: c.VTEPs(n, p.Parts)}
		out = append(out, publishedPlan{p, render.Networks(&of, around, c.Cluster())})
	}
	return out
}

// randomSurroundings are a node's own.
func randomSurroundings(r *rand.Rand) *model.Surroundings {
	return &model.Surroundings{
		UID: "u", Gateway: pick(r, "", "br-ex"), Addresses: []netip.Prefix{randomPrefix(r)},
		Uplinks:    map[string]string{"uplink": pick(r, "", "br-blue")},
		NetworkIDs: map[string]int{"cluster_udn_net-0": r.IntN(3), "cluster_udn_net-1": 4},
	}
}

// affectedSnapshot is randomSnapshot with more that works, so that a change means
// something, and with addresses of nodes within networks, disputes, bounds.
func affectedSnapshot(seed uint64) *model.Snapshot {
	s := randomSnapshot(rand.New(rand.NewPCG(seed, 1)))
	r := rand.New(rand.NewPCG(seed, 4))
	s.Nodes, s.Hosts = nil, nil
	for i := range 1 + r.IntN(5) {
		n := randomNode(r, i)
		if r.IntN(4) > 0 {
			n.Problem, n.SubnetsProblem, n.NextHopsProblem, n.Hostname, n.Layer2Active = nil, nil, nil, n.Name, nil
		}
		n.Labels[model.LabelHostname] = n.Hostname
		n.Addresses = []netip.Addr{randomAddress(r)}
		s.Nodes = append(s.Nodes, n)
		s.Hosts = append(s.Hosts, n.NodeSummary)
	}
	for i := range s.Hosts {
		s.Hosts[i].Maintenance = randomMaintenance(r)
	}
	for i := range s.Networks {
		if r.IntN(4) > 0 {
			s.Networks[i].Problem, s.Networks[i].VRFProblem, s.Networks[i].VRF = nil, nil, s.Networks[i].CUDN
		}
	}
	randomEVPN(r, s)
	for i := range s.RouteAdvertisements {
		s.RouteAdvertisements[i] = workingAdvertisement(r, s.RouteAdvertisements[i])
	}
	for i := range s.Templates {
		s.Templates[i] = workingTemplate(r, s.Templates[i])
	}
	for i := range s.Namespaces {
		if r.IntN(2) > 0 {
			s.Namespaces[i].Labels = nil
		}
	}
	s.DefaultSubnets = map[string][]netip.Prefix{}
	for i := range s.Nodes {
		s.DefaultSubnets[s.Nodes[i].Name] = s.Nodes[i].Subnets[model.DefaultNetwork]
	}
	if r.IntN(9) == 0 {
		s.DefaultSubnets = nil
	}
	s.Disputes = randomDisputes(r, s)
	s.Settings.ClusterSubnets = pick(r, nil, nil, []model.NetworkSubnet{{Prefix: netip.MustParsePrefix("10.0.0.0/8"), HostLength: 24}})
	return s
}

// randomEVPN gives some networks EVPN, and nodes addresses of VTEPs.
func randomEVPN(r *rand.Rand, s *model.Snapshot) {
	for i := range 2 {
		s.VTEPs = append(s.VTEPs, randomVTEP(r, i))
	}
	for i := range s.Networks {
		if n := &s.Networks[i]; !n.IsDefault() && r.IntN(3) == 0 {
			n.Transport, n.EVPN = model.TransportEVPN, randomNetworkEVPN(r)
		}
	}
	for i := range s.Nodes {
		s.Nodes[i].VTEPs = map[string][]netip.Addr{"vtep-0": {randomVTEPAddress(r)}}
		if r.IntN(2) == 0 {
			s.Nodes[i].VTEPs["vtep-1"] = []netip.Addr{randomVTEPAddress(r)}
			s.Nodes[i].Allocated = map[string][]netip.Addr{"vtep-0": {randomVTEPAddress(r)}, "vtep-1": {randomVTEPAddress(r)}}
		}
	}
}

func randomVTEP(r *rand.Rand, i int) model.VTEP {
	out := model.VTEP{Name: fmt.Sprintf("vtep-%d", i), CIDRs: []netip.Prefix{pick(r, netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/16"))}}
	if out.Allocated = r.IntN(3) == 0; out.Allocated {
		out.Source = pick(r, model.FromNode, model.FromOperator, model.FromOperatorElseNode)
	}
	if r.IntN(5) == 0 {
		out.Problem = &model.Problem{Outcome: model.Pending, Reason: "R"}
	}
	return out
}

func randomVTEPAddress(r *rand.Rand) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(r.IntN(2)), 0, byte(r.IntN(3))})
}

func randomNetworkEVPN(r *rand.Rand) *model.NetworkEVPN {
	vpn := func() *model.VPN {
		return &model.VPN{VNI: uint32(100 + r.IntN(4)), RouteTarget: pick(r, "", "64512:7", "*:7")} //nolint:gosec // small
	}
	out := &model.NetworkEVPN{VTEP: pick(r, "vtep-0", "vtep-1"), IPVRF: vpn()}
	if r.IntN(2) == 0 {
		out.MACVRF = vpn()
	}
	return out
}

func workingAdvertisement(r *rand.Rand, a model.RouteAdvertisement) model.RouteAdvertisement {
	if r.IntN(5) == 0 {
		return a
	}
	a.Problem, a.TemplateSelector, a.NameTaken = nil, pick(r, nil, nil, a.TemplateSelector), false
	switch {
	case slices.Contains(a.Advertisements, model.AdvertisePodNetwork):
		a.NodeSelector = nil
	case r.IntN(2) == 0:
		a.NodeSelector = pinned(r)
	}
	if slices.Contains(a.Advertisements, model.AdvertiseEgressIP) && a.TargetVRF == model.TargetVRFAuto {
		a.TargetVRF = ""
	}
	return a
}

func workingTemplate(r *rand.Rand, t model.Template) model.Template {
	if r.IntN(5) == 0 {
		return t
	}
	t.Problem, t.Namespace = nil, pick(r, "frr-1", "frr-1", "frr-1", t.Namespace)
	t.NodeSelector = pick(r, nil, t.NodeSelector, pinned(r))
	for i := range t.Routers {
		t.Routers[i].ID = ""
		if r.IntN(3) > 0 {
			t.Routers[i].ASN, t.Routers[i].Neighbors = 64512, []model.Session{{Address: pick(r, "192.0.2.1", "192.0.2.2"), ASN: 64512, AddressFamilies: []string{"unicast"}}}
		}
	}
	return t
}

func pinned(r *rand.Rand) model.Selector {
	return model.Selector{{Key: model.LabelHostname, Operator: model.SelectorIn, Values: []string{fmt.Sprintf("node-%d", r.IntN(5))}}}
}

func randomAddress(r *rand.Rand) netip.Addr {
	return netip.AddrFrom4([4]byte{pick[byte](r, 10, 172), byte(r.IntN(3)), byte(r.IntN(2)), byte(r.IntN(3))})
}

// randomDisputes are about what nodes have, as those of a snapshot are.
func randomDisputes(r *rand.Rand, s *model.Snapshot) map[string][]model.Dispute {
	out := map[string][]model.Dispute{}
	for range r.IntN(3) {
		n := pick(r, s.Nodes...)
		for _, network := range []string{model.DefaultNetwork, "cluster_udn_net-0"} {
			subnets := n.Subnets[network]
			if len(subnets) > 0 && r.IntN(2) == 0 {
				out[n.Name] = append(out[n.Name], model.Dispute{Network: network, Subnet: subnets[0], Others: []string{"another"}})
			}
		}
	}
	return out
}

// changeOneThing returns what it changed, and the node whose own state changed by
// it, if any.
func changeOneThing(r *rand.Rand, s *model.Snapshot) (what, node string) {
	switch r.IntN(10) {
	case 9:
		return "VTEPs " + changeList(r, &s.VTEPs, randomVTEP), ""
	case 0:
		return "RouteAdvertisements " + changeList(r, &s.RouteAdvertisements, func(r *rand.Rand, i int) model.RouteAdvertisement {
			return workingAdvertisement(r, randomRouteAdvertisement(r, i))
		}), ""
	case 1:
		return "Networks " + changeList(r, &s.Networks, randomNetwork), ""
	case 2:
		return "Templates " + changeList(r, &s.Templates, func(r *rand.Rand, i int) model.Template { return workingTemplate(r, randomTemplate(r, i)) }), ""
	case 3:
		return "Namespaces " + changeList(r, &s.Namespaces, func(r *rand.Rand, i int) model.Namespace {
			return model.Namespace{Name: fmt.Sprintf("ns-%d", i), Labels: randomLabels(r)}
		}), ""
	case 4:
		return "EgressIPs " + changeList(r, &s.EgressIPs, randomEgressIP), ""
	case 5:
		i := r.IntN(len(s.Hosts) + 1)
		host := randomNode(r, i).NodeSummary
		host.Addresses = []netip.Addr{randomAddress(r)}
		if i == len(s.Hosts) {
			s.Hosts = append(s.Hosts, host)
			return "Hosts added", host.Name
		}
		if r.IntN(3) == 0 {
			s.Hosts = slices.Delete(s.Hosts, i, i+1)
			return "Hosts removed", s.Nodes[i].Name
		}
		changeField(r, &s.Hosts[i], host)
		return "Hosts changed", s.Nodes[i].Name
	case 6:
		s.Disputes = randomDisputes(r, s)
		return "Disputes", ""
	case 7:
		s.APIServer = []netip.Addr{randomAddress(r)}
		return "APIServer", ""
	default:
		s.Settings.ServiceSubnets = []netip.Prefix{randomPrefix(r)}
		s.Settings.TakeOver = r.IntN(2) == 0
		return "Settings", ""
	}
}

// changeList adds, removes or changes one object, or exchanges two.
func changeList[T any](r *rand.Rand, list *[]T, random func(r *rand.Rand, i int) T) string {
	*list = slices.Clone(*list)
	i := r.IntN(len(*list) + 1)
	switch {
	case i == len(*list):
		*list = append(*list, random(r, i))
		return "added"
	case r.IntN(4) == 0:
		*list = slices.Delete(*list, i, i+1)
		return "removed"
	default:
		return "changed: " + changeField(r, &(*list)[i], random(r, i))
	}
}

// changeField gives the object one field of another.
func changeField[T any](r *rand.Rand, object *T, other T) string {
	to, from := reflect.ValueOf(object).Elem(), reflect.ValueOf(other)
	i := r.IntN(to.NumField())
	to.Field(i).Set(from.Field(i))
	return to.Type().Field(i).Name
}
