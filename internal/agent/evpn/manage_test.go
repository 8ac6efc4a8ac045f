package evpn_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/vishvananda/netlink"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/evpn"
)

// run has a Loop make the devices, and returns its reports.
func (m *managed) run(t testing.TB) (*evpn.Loop, chan evpn.Report) {
	t.Helper()
	reported := make(chan evpn.Report, 1000)
	loop := evpn.NewLoop(logr.Discard())
	loop.Namespace, loop.Keeper, loop.Pause, loop.Interval = m.Handle, m.agent(), 10*time.Millisecond, time.Hour
	loop.Report = func(report evpn.Report) {
		select {
		case reported <- report:
		default:
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- loop.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return loop, reported
}

// await waits for a report.
func await(t testing.TB, reported chan evpn.Report, what string, is func(evpn.Report) bool) {
	t.Helper()
	late := time.After(60 * time.Second)
	for {
		select {
		case report := <-reported:
			if is(report) {
				return
			}
		case <-late:
			t.Fatalf("no report of %s", what)
		}
	}
}

// ready are reports of networks that have all.
func ready(networks int) func(evpn.Report) bool {
	return func(r evpn.Report) bool {
		return len(r.Networks) == networks && !slices.ContainsFunc(r.Networks, func(s evpn.State) bool { return s.Problem != "" })
	}
}

// did are reports of a change, after which all is there.
func did(verb evpn.Verb) func(evpn.Report) bool {
	return func(r evpn.Report) bool {
		return slices.ContainsFunc(r.Changes, func(c evpn.Change) bool { return c.Verb == verb })
	}
}

// TestLoopPutsBack: what is undone behind the agent's back is put back on the event, as
// an interval of an hour can't.
func TestLoopPutsBack(t *testing.T) {
	m := manage(t)
	loop, reported := m.run(t)
	loop.ApplyHosts(podsOf(pod))
	loop.Apply([]evpn.Network{blue()})
	await(t, reported, "a whole node", ready(1))
	for _, test := range []struct {
		harm string
		did  evpn.Verb
	}{
		// The kernel drops a device's permanent neighbors when it goes down.
		{"ip link set svl2-blue down; ip link set svl2-blue up", evpn.SetNeighbor},
		{"ip link del svl3-blue", evpn.CreateL3SVI},
		{"ip link del evbr-fabric", evpn.CreateBridge},
		// So zebra undoes entries.
		{"ip neigh del 10.10.0.1 dev svl2-blue", evpn.SetNeighbor},
		{"ip neigh replace fd10::1 lladdr 0a:00:00:00:00:01 dev svl2-blue nud noarp extern_learn", evpn.SetNeighbor},
		{"bridge fdb del 0a:00:00:00:00:01 dev ovl2-blue master vlan 11", evpn.SetMAC},
		{"bridge fdb replace 0a:00:00:00:00:01 dev evx4-fabric master extern_learn vlan 11", evpn.SetMAC},
	} {
		execute(t, m.Namespace, test.harm)
		await(t, reported, "what was put back after "+test.harm, did(test.did))
	}
	loop.Apply(nil)
	await(t, reported, "a node without networks", func(r evpn.Report) bool { return len(r.Networks) == 0 && len(r.Changes) > 0 })
	m.settled(t, nil)
}

// TestHostsNotKnownYet: entries that an earlier agent wrote stay until the hosts are known.
func TestHostsNotKnownYet(t *testing.T) {
	m := manage(t)
	m.sync(t, podsOf(pod), blue())
	loop, reported := m.run(t)
	loop.Apply([]evpn.Network{blue()})
	await(t, reported, "a whole node", ready(1))
	loop.ApplyHosts(nil)
	m.shows(t, "bridge fdb show dev ovl2-blue", "0a:00:00:00:00:01")
	loop.ApplyHosts(podsOf())
	await(t, reported, "the host that is no more", did(evpn.DeleteMAC))
	m.shows(t, "bridge fdb show dev ovl2-blue", "!0a:00:00:00:00:01")
}

// BenchmarkHosts measures from ApplyHosts until the kernel tells of the entry with the IP
// address, which is written last, on a node with 1 and with 50 networks.
func BenchmarkHosts(b *testing.B) {
	for _, count := range []int{1, 50} {
		b.Run(fmt.Sprintf("networks=%d", count), func(b *testing.B) {
			m := manage(b)
			networks := append(m.many(b, count-1), blue())
			loop, reported := m.run(b)
			loop.ApplyHosts(podsOf())
			loop.Apply(networks)
			await(b, reported, "a whole node", ready(count))
			events, done := make(chan netlink.NeighUpdate, 1000), make(chan struct{})
			defer close(done)
			if err := netlink.NeighSubscribeAt(m.Handle, events, done); err != nil {
				b.Fatal(err)
			}
			var took []time.Duration
			n := 0
			for b.Loop() {
				n++
				address := netip.AddrFrom4([4]byte{10, 10, byte(1 + n/250%250), byte(1 + n%250)})
				begun := time.Now()
				loop.ApplyHosts(podsOf(host(fmt.Sprintf("0a:00:00:00:%02x:%02x", n/250%250, n%250), address.String())))
				for event := range events {
					if found, ok := netip.AddrFromSlice(event.IP); ok && found.Unmap() == address {
						break
					}
				}
				took = append(took, time.Since(begun))
			}
			slices.Sort(took)
			for name, at := range map[string]int{"ms-median": len(took) / 2, "ms-p95": len(took) * 95 / 100, "ms-longest": len(took) - 1} {
				b.ReportMetric(float64(took[at].Microseconds())/1000, name)
			}
		})
	}
}
