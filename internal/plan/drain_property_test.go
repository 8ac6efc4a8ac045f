package plan_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/plan"
)

func randomDrain(r *rand.Rand, i int) model.DrainPolicy {
	out := model.DrainPolicy{
		Name: fmt.Sprintf("drain-%d", i), Created: randomCreated(r), Generation: 1, Problem: randomProblem(r), Nodes: randomSelector(r),
		When:             model.DrainTriggers{Cordon: r.IntN(4) > 0, Annotation: r.IntN(2) == 0},
		GracefulShutdown: r.IntN(5) > 0,
		Withdraw:         pick(r, model.WithdrawShared, model.WithdrawShared, model.WithdrawEverything, model.WithdrawNever),
		Listed:           map[string]bool{},
	}
	if r.IntN(2) == 0 {
		out.When.Taints = []model.TaintMatch{{Key: "maintenance", Value: pick(r, nil, new("disks")), Effect: pick(r, "", "NoExecute")}}
	}
	for node := range 5 {
		if r.IntN(3) == 0 {
			out.Listed[fmt.Sprintf("node-%d", node)] = r.IntN(2) == 0
		}
	}
	return out
}

func randomMaintenance(r *rand.Rand) model.Maintenance {
	out := model.Maintenance{Cordoned: r.IntN(3) == 0, Annotated: r.IntN(5) == 0}
	if r.IntN(4) == 0 {
		out.Taints = append(out.Taints, model.Taint{
			Key: pick(r, "maintenance", "node.kubernetes.io/unreachable"), Value: pick(r, "", "disks"), Effect: pick(r, "NoSchedule", "NoExecute"),
		})
	}
	return out
}

// TestDrainsAlone checks, of random clusters, what a draining node tells its neighbors
// against what it would tell them otherwise: all is marked, nothing is added, and what is
// missing may be withdrawn. Other nodes' plans are the same.
func TestDrainsAlone(t *testing.T) {
	marked, withdrawn := 0, 0
	for seed := range uint64(3000) {
		with, without := drainSnapshot(seed), drainSnapshot(seed)
		without.Drains = nil
		compiled, got, bare := plan.Compile(&with.Cluster), plan.Build(with), plan.Build(without)
		for i := range got.Nodes {
			node := got.Nodes[i].Node
			drain := compiled.Drain(node)
			if drain.Policy == "" {
				if !reflect.DeepEqual(got.Nodes[i], bare.Nodes[i]) {
					t.Fatalf("seed %d: node %s does not drain, and has another plan for others that do", seed, node)
				}
				continue
			}
			marks := with.Drains[slices.IndexFunc(with.Drains, func(p model.DrainPolicy) bool { return p.Name == drain.Policy })].GracefulShutdown
			told := map[string][]model.Route{}
			eachAdvertised(&got.Nodes[i], func(id string, routes []model.Route) {
				told[id] = routes
				for _, route := range routes {
					if marks != slices.Contains(route.Attributes.Values().Communities, model.GracefulShutdown) && !route.Prefix.IsSingleIP() {
						t.Fatalf("seed %d: node %s drains, and tells %s %+v", seed, node, id, route)
					}
					marked++
				}
			})
			eachAdvertised(&bare.Nodes[i], func(id string, routes []model.Route) {
				have := prefixesOf(told[id])
				delete(told, id)
				for _, prefix := range prefixesOf(routes) {
					if slices.Contains(have, prefix) {
						continue
					}
					withdrawn++
					if drain.Withdraws == "" || drain.Withdraws == model.WithdrawShared && !toldByOthers(with, compiled, &got, node, prefix) {
						t.Fatalf("seed %d: node %s drains, withdraws %q, and tells %s no %s", seed, node, drain.Withdraws, id, prefix)
					}
				}
			})
			if len(told) > 0 {
				t.Fatalf("seed %d: node %s drains, and tells neighbors that get nothing otherwise %v", seed, node, told)
			}
		}
	}
	if marked < 1000 || withdrawn < 200 {
		t.Errorf("only %d routes were marked, and %d withdrawn", marked, withdrawn)
	}
}

// drainSnapshot has one object, which advertises all networks, most of them whole on each
// node, and nodes on which nothing stands in the way of that.
func drainSnapshot(seed uint64) *model.Snapshot {
	s := affectedSnapshot(seed)
	s.RouteAdvertisements = []model.RouteAdvertisement{{
		Name: "ra-0", Advertisements: []model.Advertisement{model.AdvertisePodNetwork}, SelectsDefaultNetwork: true, NetworkSelectors: []model.Selector{nil},
	}}
	s.DynamicAllocation = seed%7 == 0
	for i := range s.Nodes {
		n := &s.Nodes[i]
		n.Problem, n.SubnetsProblem, n.NextHopsProblem, n.DPUHost, n.Layer2Active, n.Layer2 = nil, nil, nil, false, nil, model.Layer2Report{}
	}
	for i := range s.Networks {
		if n := &s.Networks[i]; !n.IsDefault() {
			n.Primary, n.Topology, n.Transport, n.Problem, n.Subnets = true, model.TopologyLayer2, model.TransportOverlay, nil, n.Subnets[:1]
			n.Subnets[0] = model.NetworkSubnet{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{22, byte(i)}), 16)} //nolint:gosec // there are a few
		}
	}
	return s
}

func prefixesOf(routes []model.Route) []string {
	out := make([]string, 0, len(routes))
	for _, r := range routes {
		out = append(out, r.Prefix.String())
	}
	return out
}

// toldByOthers reports whether a node that doesn't drain has the prefix, or keeps what it
// has, of which the plan knows nothing.
func toldByOthers(s *model.Snapshot, compiled *plan.Compiled, p *model.Plan, node, prefix string) bool {
	return slices.ContainsFunc(p.Nodes, func(other model.NodePlan) bool {
		i := slices.IndexFunc(s.Hosts, func(h model.NodeSummary) bool { return h.Name == other.Node })
		if other.Node == node || compiled.Drain(other.Node).Policy != "" || !s.Hosts[i].Maintenance.Up() {
			return false
		}
		found := other.Keep
		eachAdvertised(&other, func(_ string, routes []model.Route) { found = found || slices.Contains(prefixesOf(routes), prefix) })
		return found
	})
}
