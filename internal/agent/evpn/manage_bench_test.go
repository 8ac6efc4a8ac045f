package evpn_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/evpn"
)

// many are networks with a MAC-VRF and an IP-VRF each. Their VRFs are made.
func (m *managed) many(t testing.TB, count int) []evpn.Network {
	t.Helper()
	networks := make([]evpn.Network, count)
	var vrfs []string
	for i := range networks {
		vrf := fmt.Sprintf("n%d", i)
		networks[i] = evpn.Network{
			Name: "cluster_udn_" + vrf, VRF: vrf, ID: 100 + i, VTEP: "fabric", Endpoint: endpoint,
			MACVRF: evpn.VPN{VNI: uint32(10000 + i), VID: uint16(100 + i)}, IPVRF: evpn.VPN{VNI: uint32(20000 + i), VID: uint16(2100 + i)},
		}
		vrfs = append(vrfs, fmt.Sprintf("link add %s up type vrf table %d", vrf, 5000+i))
	}
	m.IP(t, vrfs...)
	return networks
}

// BenchmarkNetworks measures a node with 1,000 VNIs of 500 networks: making all of them,
// one network more (and away again), and a pass that finds nothing to do.
func BenchmarkNetworks(b *testing.B) {
	const count = 500
	setUp := func(b *testing.B) (*managed, []evpn.Network) {
		m := manage(b)
		return m, m.many(b, count+1)
	}
	b.Run("all", func(b *testing.B) {
		m, networks := setUp(b)
		for b.Loop() {
			m.sync(b, podsOf(), networks[:count]...)
			b.StopTimer()
			m.settled(b, podsOf(), networks[:count]...)
			m.sync(b, nil)
			b.StartTimer()
		}
	})
	b.Run("another", func(b *testing.B) {
		m, networks := setUp(b)
		m.sync(b, podsOf(), networks[:count]...)
		var took []time.Duration
		requests := 0
		for b.Loop() {
			begun := time.Now()
			k := m.agent()
			observed, err := k.Observe(b.Context(), networks)
			if err != nil {
				b.Fatal(err)
			}
			changes, _ := evpn.Plan(networks, podsOf(), observed, "node1")
			if requests, err = k.Requests(b.Context(), changes, observed); err != nil {
				b.Fatal(err)
			}
			took = append(took, time.Since(begun))
			b.StopTimer()
			m.sync(b, podsOf(), networks[:count]...)
			b.StartTimer()
		}
		slices.Sort(took)
		b.ReportMetric(float64(requests), "requests")
		b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "ms-median")
	})
	b.Run("unchanged", func(b *testing.B) {
		m, networks := setUp(b)
		m.sync(b, podsOf(), networks[:count]...)
		for b.Loop() {
			if report := m.sync(b, podsOf(), networks[:count]...); len(report.Changes) > 0 {
				b.Fatal(report.Changes)
			}
		}
	})
}
