package kernel

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/testns"
)

// Random changes, with overflows among them, end with the mirror as the
// kernel lists the table; without a listing where no event was lost.
func TestMirrorFollowsRandomChanges(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			ns := testns.New(t)
			random := rand.New(rand.NewPCG(seed, 4))
			m := run(t, ns, func(o *Options) {
				if seed%2 == 1 {
					o.Buffer = 4096
				}
			})
			table := m.Watch(bgpTable, func() {})
			for range 8 {
				var commands []string
				for range 60 {
					commands = append(commands, randomChange(random))
				}
				// Some of them fail, as deleting what isn't there does.
				_, _ = ns.Try(commands...)
				want := listed(t, m, ns)
				if want == "" {
					t.Fatal("no change took effect")
				}
				got := ""
				t.Cleanup(func() {
					if t.Failed() && got != want {
						t.Logf("after\n%s\nthe mirror has\n%s\nnot\n%s", strings.Join(commands, "\n"), got, want)
					}
				})
				nbserver.Eventually(t, 10*time.Second, "the mirror is as the kernel", func() bool {
					got = table.text()
					return got == want && table.TakeChanges().Ready
				})
			}
		})
	}
}

func listed(t *testing.T, m *Mirror, ns *testns.Namespace) string {
	t.Helper()
	best, bgp, conditional := map[netip.Prefix]Route{}, map[netip.Prefix]bool{}, map[netip.Prefix]bool{}
	if err := DumpRoutes(ns.Handle, bgpTable, func(r *Route) {
		if r.TOS != 0 {
			conditional[r.Prefix] = conditional[r.Prefix] || r.Protocol == ProtocolBGP
			return
		}
		if old, found := best[r.Prefix]; !found || r.Metric < old.Metric {
			best[r.Prefix] = *r
		}
		bgp[r.Prefix] = bgp[r.Prefix] || r.Protocol == ProtocolBGP
	}); err != nil {
		t.Fatal(err)
	}
	links, err := dumpLinks(ns.Handle)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for prefix, r := range best {
		switch {
		case r.Protocol == ProtocolBGP:
			out = append(out, prefix.String()+pathText(r.Path, links))
		case bgp[prefix]:
			out = append(out, prefix.String()+">shadowed")
		}
	}
	for prefix := range conditional {
		if conditional[prefix] && !bgp[prefix] {
			out = append(out, prefix.String()+">conditional")
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func randomChange(random *rand.Rand) string {
	n := random.IntN(8)
	metric := 20 + random.IntN(2)
	verb := []string{"add", "replace", "replace", "del", "append", "prepend"}[random.IntN(6)]
	protocol := []string{"bgp", "bgp", "bgp", "bgp", "static"}[random.IntN(5)]
	v4 := fmt.Sprintf("10.0.%d.0/24 table 1005 proto %s metric %d", n, protocol, metric)
	if protocol == "static" {
		// In IPv6, next hops of two protocols with one metric are one route's.
		metric -= 2
	}
	v6 := fmt.Sprintf("fd01:%d::/64 table 1005 proto %s metric %d", n, protocol, metric)
	switch random.IntN(10) {
	case 8:
		return fmt.Sprintf("route %s %s tos 0x10 via 172.18.0.%d", verb, v4, 2+random.IntN(4))
	case 0, 1:
		return fmt.Sprintf("route %s %s via 172.18.0.%d", verb, v4, 2+random.IntN(4))
	case 2:
		return fmt.Sprintf("route %s %s nexthop via 172.18.0.%d nexthop via 172.19.0.%d", verb, v4, 2+random.IntN(4), 2+random.IntN(4))
	case 3:
		return fmt.Sprintf("route %s blackhole %s", verb, v4)
	case 4, 5:
		return fmt.Sprintf("route %s %s via fe80::%d dev gw0", verb, v6, 2+random.IntN(4))
	case 6:
		return fmt.Sprintf("route %s %s nexthop via fe80::%d dev gw0 nexthop via fe80::%d dev other0", verb, v6, 2+random.IntN(4), 2+random.IntN(4))
	case 7:
		return fmt.Sprintf("route append %s via fe80::%d dev gw0", v6, 2+random.IntN(4))
	default:
		return fmt.Sprintf("nexthop replace id %d via 172.18.0.%d dev gw0", 100+random.IntN(3), 2+random.IntN(4))
	}
}
