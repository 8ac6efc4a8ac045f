package plan_test

import (
	"fmt"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/outcome"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/plan"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/scale"
)

type size struct{ nodes, networks int }

// sizes are the same as the peer's and beyond; with -short a tiny one, which
// shows that the benchmark still runs and nothing else.
func sizes() []size {
	if testing.Short() {
		return []size{{10, 2}}
	}
	return []size{{100, 10}, {1000, 45}, {5000, 200}}
}

func BenchmarkPlanCold(b *testing.B) {
	for _, size := range sizes() {
		b.Run(fmt.Sprintf("nodes=%d/networks=%d", size.nodes, size.networks), func(b *testing.B) {
			snapshot := scale.Snapshot(size.nodes, size.networks)
			b.ReportAllocs()
			for b.Loop() {
				compiled := plan.Compile(&snapshot.Cluster)
				tallies := outcome.NewCounts()
				for i := range snapshot.Nodes {
					node := compiled.Node(&snapshot.Nodes[i], nil)
					tallies.Set(node.Node, node.Parts)
				}
			}
		})
	}
}

// BenchmarkPlanOneNode has the same networks twice: what one node costs must
// not depend on how many others there are.
func BenchmarkPlanOneNode(b *testing.B) {
	for _, size := range append(sizes(), size{100, 200}) {
		b.Run(fmt.Sprintf("nodes=%d/networks=%d", size.nodes, size.networks), func(b *testing.B) {
			snapshot := scale.Snapshot(size.nodes, size.networks)
			compiled := plan.Compile(&snapshot.Cluster)
			b.ReportAllocs()
			for b.Loop() {
				compiled.Node(&snapshot.Nodes[size.nodes/2], nil)
			}
		})
	}
}

// BenchmarkPolicyOneNode is BenchmarkPlanOneNode with a policy of four rules for all
// routes, which must cost a fifth more at most.
func BenchmarkPolicyOneNode(b *testing.B) {
	for _, size := range sizes() {
		b.Run(fmt.Sprintf("nodes=%d/networks=%d", size.nodes, size.networks), func(b *testing.B) {
			snapshot := scale.Policies(size.nodes, size.networks)
			compiled := plan.Compile(&snapshot.Cluster)
			b.ReportAllocs()
			for b.Loop() {
				compiled.Node(&snapshot.Nodes[size.nodes/2], nil)
			}
		})
	}
}

// BenchmarkAffected has a node join, which touches no other.
func BenchmarkAffected(b *testing.B) {
	for _, size := range sizes() {
		b.Run(fmt.Sprintf("nodes=%d/networks=%d", size.nodes, size.networks), func(b *testing.B) {
			before, after := scale.Snapshot(size.nodes-1, size.networks), scale.Snapshot(size.nodes, size.networks)
			old, next := plan.Compile(&before.Cluster), plan.Compile(&after.Cluster)
			b.ReportAllocs()
			for b.Loop() {
				if all, nodes := next.Affected(old); all || len(nodes) > 0 {
					b.Fatalf("affected: %v %v", all, nodes)
				}
			}
		})
	}
}

// BenchmarkEVPNOneNode is a node's event where all networks have a MAC-VRF and an
// IP-VRF: its plan, and the objects made of it.
func BenchmarkEVPNOneNode(b *testing.B) {
	size := size{1000, 45}
	if testing.Short() {
		size = sizes()[0]
	}
	b.Run(fmt.Sprintf("nodes=%d/networks=%d", size.nodes, size.networks), func(b *testing.B) {
		snapshot := scale.EVPN(size.nodes, size.networks)
		compiled := plan.Compile(&snapshot.Cluster)
		b.ReportAllocs()
		for b.Loop() {
			node := compiled.Node(&snapshot.Nodes[size.nodes/2], nil)
			if objects := render.Node(&node); len(objects[0].Spec.BGP.Routers) != min(size.networks+1, 50) {
				b.Fatalf("%d objects, the first with %d routers", len(objects), len(objects[0].Spec.BGP.Routers))
			}
		}
	})
}
