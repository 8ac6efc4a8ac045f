package evpn

import (
	"fmt"
	"net/netip"
	"testing"
)

// manyNetworks have a MAC-VRF and an IP-VRF, and two hosts each.
func manyNetworks(count int) ([]Network, map[string][]Host) {
	networks, hosts := make([]Network, count), map[string][]Host{}
	for i := range networks {
		name := fmt.Sprintf("cluster_udn_n%d", i)
		networks[i] = Network{
			Name: name, VRF: fmt.Sprintf("n%d", i), ID: i + 1, VTEP: "fabric", Endpoint: netip.MustParseAddr("100.64.0.1"),
			MACVRF: VPN{VNI: uint32(10000 + i), VID: uint16(2 + i)}, IPVRF: VPN{VNI: uint32(20000 + i), VID: uint16(2002 + i)},
		}
		for host := range 2 {
			hosts[name] = append(hosts[name], Host{MAC: fmt.Sprintf("0a:00:00:%02x:%02x:%02x", i>>8, i&0xff, host+1), Addresses: []netip.Addr{netip.AddrFrom4([4]byte{10, 0, 0, byte(host + 1)})}})
		}
	}
	return networks, hosts
}

// BenchmarkPlan plans 1,000 networks (2,000 VNIs): on an empty node, and on one that has
// all.
func BenchmarkPlan(b *testing.B) {
	networks, hosts := manyNetworks(1000)
	m := newMachine()
	for i := range networks {
		_ = m.make(Device{Name: networks[i].VRF, Kind: kindVRF, Up: true})
	}
	m.Addresses[networks[0].Endpoint] = 1
	b.Run("empty", func(b *testing.B) {
		for b.Loop() {
			Plan(networks, hosts, &m.Observed, "node1")
		}
	})
	changes, _ := Plan(networks, hosts, &m.Observed, "node1")
	b.ReportMetric(float64(len(changes)), "changes")
	for _, c := range changes {
		if err := m.do(c); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("whole", func(b *testing.B) {
		for b.Loop() {
			if changes, _ := Plan(networks, hosts, &m.Observed, "node1"); len(changes) > 0 {
				b.Fatal(changes)
			}
		}
	})
}
