package evpn_test

import (
	"fmt"
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

// BenchmarkNetworks measures a node with 1,000 VNIs of 500 networks: making all of them
// once, one network more (and away again), and a pass that finds nothing to do.
func BenchmarkNetworks(b *testing.B) {
	const count = 500
	m := manage(b)
	networks := m.many(b, count+1)
	begun := time.Now()
	m.sync(b, podsOf(), networks[:count]...)
	all := time.Since(begun)
	b.Run("another", func(b *testing.B) {
		requests := 0
		for b.Loop() {
			k := m.agent()
			observed, err := k.Observe(b.Context(), networks)
			if err != nil {
				b.Fatal(err)
			}
			changes, _ := evpn.Plan(networks, podsOf(), observed, "node1")
			if requests, err = k.Requests(b.Context(), changes, observed); err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			m.sync(b, podsOf(), networks[:count]...)
			b.StartTimer()
		}
		b.ReportMetric(float64(requests), "requests")
		b.ReportMetric(all.Seconds(), "s-for-all")
	})
	b.Run("unchanged", func(b *testing.B) {
		for b.Loop() {
			if report := m.sync(b, podsOf(), networks[:count]...); len(report.Changes) > 0 {
				b.Fatal(report.Changes)
			}
		}
	})
}
