package kernel

import (
	"fmt"
	"testing"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/testns"
)

// Routes that share a prefix are told apart as the kernel tells them apart:
// whichever comes or goes, the mirror has what the kernel uses.
func TestRoutesOfOnePrefix(t *testing.T) {
	const four, six = "10.1.0.0/24", "fd01::/64"
	for _, test := range []struct {
		name  string
		steps []string
		want  string
		// Then, and what is left.
		change []string
		after  string
	}{
		{name: "another protocol's with the same next hop and metric",
			steps: []string{"add 4 via 172.18.0.2 proto bgp metric 20"}, want: four + ">172.18.0.2@gw0",
			change: []string{"replace 4 via 172.18.0.2 proto static metric 20"}},
		{name: "another protocol's, IPv6",
			steps: []string{"add 6 via fe80::2 dev gw0 proto bgp metric 20"}, want: six + ">fe80::2@gw0",
			change: []string{"replace 6 via fe80::2 dev gw0 proto static metric 20"}},
		{name: "another protocol's, which goes as well",
			steps: []string{"add 4 via 172.18.0.2 proto bgp metric 20"}, want: four + ">172.18.0.2@gw0",
			change: []string{"replace 4 via 172.18.0.2 proto static metric 20", "del 4 via 172.18.0.2 proto static metric 20"}},
		{name: "back from another protocol",
			steps:  []string{"add 4 via 172.18.0.2 proto static metric 20"},
			change: []string{"replace 4 via 172.18.0.2 proto bgp metric 20"}, after: four + ">172.18.0.2@gw0"},
		{name: "the first of two is deleted",
			steps: []string{"add 4 via 172.18.0.2 proto bgp", "append 4 via 172.18.0.3 proto bgp"}, want: four + ">172.18.0.2@gw0",
			change: []string{"del 4 via 172.18.0.2 proto bgp"}, after: four + ">172.18.0.3@gw0"},
		{name: "the second of two is deleted",
			steps: []string{"add 4 via 172.18.0.2 proto bgp", "append 4 via 172.18.0.3 proto bgp"}, want: four + ">172.18.0.2@gw0",
			change: []string{"del 4 via 172.18.0.3 proto bgp"}, after: four + ">172.18.0.2@gw0"},
		{name: "one put before another",
			steps: []string{"add 4 via 172.18.0.2 proto bgp", "prepend 4 via 172.18.0.3 proto bgp"}, want: four + ">172.18.0.3@gw0",
			change: []string{"del 4 via 172.18.0.3 proto bgp"}, after: four + ">172.18.0.2@gw0"},
		{name: "the first of two is replaced",
			steps: []string{"add 4 via 172.18.0.2 proto bgp", "append 4 via 172.18.0.3 proto bgp", "replace 4 via 172.18.0.4 proto bgp"}, want: four + ">172.18.0.4@gw0",
			change: []string{"del 4 via 172.18.0.4 proto bgp"}, after: four + ">172.18.0.3@gw0"},
		{name: "one of BGP behind one of another protocol with the same metric",
			steps: []string{"add 4 via 172.18.0.2 proto static", "append 4 via 172.18.0.3 proto bgp"}, want: four + ">shadowed",
			change: []string{"del 4 via 172.18.0.2 proto static"}, after: four + ">172.18.0.3@gw0"},
		{name: "a static route of lower metric comes and goes",
			steps: []string{"add 4 via 172.18.0.2 proto bgp metric 20", "add 4 via 172.18.0.9 proto static metric 5"}, want: four + ">shadowed",
			change: []string{"del 4 via 172.18.0.9 proto static metric 5"}, after: four + ">172.18.0.2@gw0"},
		{name: "a route of BGP comes behind a static one",
			steps:  []string{"add 4 via 172.18.0.9 proto static metric 5"},
			change: []string{"add 4 via 172.18.0.2 proto bgp metric 20"}, after: four + ">shadowed"},
		{name: "a static route of lower metric goes with its link",
			steps: []string{"add 4 via 172.18.0.2 proto bgp metric 20", "add 4 via 172.19.0.9 proto static metric 5"}, want: four + ">shadowed",
			change: []string{"link set other0 down"}, after: four + ">172.18.0.2@gw0"},
		{name: "a static route of higher metric does nothing",
			steps: []string{"add 4 via 172.18.0.2 proto bgp metric 20"}, want: four + ">172.18.0.2@gw0",
			change: []string{"add 4 via 172.18.0.9 proto static metric 50"}, after: four + ">172.18.0.2@gw0"},
		{name: "an IPv6 static route of lower metric",
			steps: []string{"add 6 via fe80::2 dev gw0 proto bgp metric 20", "add 6 via fe80::9 dev gw0 proto static metric 5"}, want: six + ">shadowed",
			change: []string{"del 6 via fe80::9 dev gw0 proto static metric 5"}, after: six + ">fe80::2@gw0"},
		{name: "for one type of service",
			steps: []string{"add 4 tos 0x10 via 172.18.0.2 proto bgp"}, want: four + ">conditional",
			change: []string{"add 4 via 172.18.0.3 proto bgp"}, after: four + ">172.18.0.3@gw0"},
		{name: "for one type of service beside one for all",
			steps: []string{"add 4 via 172.18.0.3 proto bgp", "add 4 tos 0x10 via 172.18.0.2 proto bgp"}, want: four + ">172.18.0.3@gw0",
			change: []string{"del 4 via 172.18.0.3 proto bgp", "del 4 tos 0x10 via 172.18.0.2 proto bgp"}},
		{name: "from some sources only",
			steps: []string{"add 6 from fd09::/64 via fe80::2 dev gw0 proto bgp"}, want: six + ">conditional",
			change: []string{"del 6 from fd09::/64 via fe80::2 dev gw0 proto bgp"}},
		{name: "from some sources beside one from all",
			steps: []string{"add 6 via fe80::3 dev gw0 proto bgp", "add 6 from fd09::/64 via fe80::2 dev gw0 proto bgp"}, want: six + ">fe80::3@gw0",
			change: []string{"del 6 via fe80::3 dev gw0 proto bgp"}, after: six + ">conditional"},
		{name: "with weights",
			steps: []string{"add 4 proto bgp nexthop via 172.18.0.2 weight 3 nexthop via 172.18.0.3"}, want: four + ">172.18.0.2@gw0*3>172.18.0.3@gw0",
			change: []string{"replace 4 proto bgp nexthop via 172.18.0.2 nexthop via 172.18.0.3"}, after: four + ">172.18.0.2@gw0>172.18.0.3@gw0"},
	} {
		for _, order := range []string{"before", "after"} {
			t.Run(test.name+"/"+order, func(t *testing.T) {
				ns := testns.New(t)
				if order == "before" {
					ns.IP(t, routes(test.steps)...)
				}
				table := run(t, ns, nil).Watch(bgpTable, func() {})
				if order == "after" {
					nbserver.Eventually(t, 5*time.Second, "listed", func() bool { return table.TakeChanges().Ready })
					ns.IP(t, routes(test.steps)...)
				}
				eventually(t, table, test.want)
				ns.IP(t, routes(test.change)...)
				eventually(t, table, test.after)
			})
		}
	}
}

// routes are the commands of steps, in the table that the tests watch.
func routes(steps []string) []string {
	var out []string
	for _, step := range steps {
		var verb, family string
		if n, _ := fmt.Sscanf(step, "%s %s", &verb, &family); n != 2 || family != "4" && family != "6" {
			out = append(out, step)
			continue
		}
		prefix := map[string]string{"4": "10.1.0.0/24", "6": "fd01::/64"}[family]
		out = append(out, fmt.Sprintf("route %s %s table %d%s", verb, prefix, bgpTable, step[len(verb)+len(family)+1:]))
	}
	return out
}

// With nexthop_compat_mode=0 routes name their nexthop object only, and the
// kernel flushes the objects of a link that goes down without a message.
func TestGroupMembersGoWithTheirLink(t *testing.T) {
	for _, order := range []string{"before", "after"} {
		t.Run(order, func(t *testing.T) {
			ns := testns.New(t)
			ns.Exec(t, "sysctl", "-qw", "net.ipv4.nexthop_compat_mode=0")
			setup := []string{"nexthop add id 7 via 172.18.0.2 dev gw0", "nexthop add id 8 via 172.19.0.3 dev other0", "nexthop add id 9 group 7/8",
				"nexthop add id 17 via fe80::2 dev gw0", "nexthop add id 18 via fe80::3 dev other0", "nexthop add id 19 group 17/18",
				fmt.Sprintf("route add 10.1.0.0/24 nhid 9 proto bgp table %d", bgpTable),
				fmt.Sprintf("route add fd01::/64 nhid 19 proto bgp table %d", bgpTable)}
			if order == "before" {
				ns.IP(t, setup...)
			}
			table := run(t, ns, nil).Watch(bgpTable, func() {})
			if order == "after" {
				nbserver.Eventually(t, 5*time.Second, "listed", func() bool { return table.TakeChanges().Ready })
				ns.IP(t, setup...)
			}
			eventually(t, table, "10.1.0.0/24>172.18.0.2@gw0>172.19.0.3@other0 fd01::/64>fe80::2@gw0>fe80::3@other0")
			ns.IP(t, "link set other0 down")
			eventually(t, table, "10.1.0.0/24>172.18.0.2@gw0 fd01::/64>fe80::2@gw0")
		})
	}
}
