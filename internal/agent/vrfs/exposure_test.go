package vrfs

import "testing"

// TestExposure is about rules and stops: which network has which, and how they
// change places when what its RouteAdvertisements say changes.
func TestExposure(t *testing.T) {
	checkPlans(t, map[string]planCase{
		"an isolated network is closed before its device comes": {
			networks: []Network{with(blue, isolated)},
			changes: []string{
				"add route unreachable default (IPv4) in table 1000000005",
				"add route unreachable default (IPv6) in table 1000000005",
				"create VRF device blue with table 1000000005",
			},
		},
		"without IPv6 in the kernel, isolated": {
			networks: []Network{with(blue, isolated)},
			observed: Observed{WithoutIPv6: true},
			changes: []string{
				"add route unreachable default (IPv4) in table 1000000005",
				"create VRF device blue with table 1000000005",
			},
		},
		"without IPv6 in the kernel, exposed": {
			networks: []Network{blue},
			observed: Observed{WithoutIPv6: true},
			changes: []string{
				"create VRF device blue with table 1000000005",
				"add rule to 10.10.0.0/16 lookup 1000000005",
			},
		},
		"a network that is not advertised has no rules, and no stop": {
			networks: []Network{with(blue, unadvertised)},
			changes:  []string{"create VRF device blue with table 1000000005"},
		},
		"an isolated network gets no rules, whatever it is called besides": {
			networks: []Network{with(blue, func(n *Network) { n.Exposed, n.Isolated = true, true })},
			changes: []string{
				"add route unreachable default (IPv4) in table 1000000005",
				"add route unreachable default (IPv6) in table 1000000005",
				"create VRF device blue with table 1000000005",
			},
		},
		"not advertised any more": {
			networks: []Network{with(blue, unadvertised)},
			observed: blueThere,
			changes:  []string{"delete rule to 10.10.0.0/16 lookup 1000000005", "delete rule to fd10::/48 lookup 1000000005"},
		},
		"from other VRFs to its own: closed before the rules go": {
			networks: []Network{with(blue, isolated)},
			observed: blueThere,
			changes: []string{
				"add route unreachable default (IPv4) in table 1000000005",
				"add route unreachable default (IPv6) in table 1000000005",
				"delete rule to 10.10.0.0/16 lookup 1000000005",
				"delete rule to fd10::/48 lookup 1000000005",
			},
		},
		"from its own VRF to others": {
			networks: []Network{blue},
			observed: Observed{Devices: blueThere.Devices, Routes: []Route{ourStop(blueTable, false), ourStop(blueTable, true)}},
			changes: []string{
				"add rule to 10.10.0.0/16 lookup 1000000005",
				"add rule to fd10::/48 lookup 1000000005",
				"delete route unreachable default (IPv4) in table 1000000005",
				"delete route unreachable default (IPv6) in table 1000000005",
			},
		},
		"two tenants with the same subnets": {
			networks: []Network{with(blue, isolated), with(blue, func(n *Network) { isolated(n); n.Name, n.VRF, n.ID = "cluster_udn_green", "green", 6 })},
			changes: []string{
				"add route unreachable default (IPv4) in table 1000000005",
				"add route unreachable default (IPv6) in table 1000000005",
				"add route unreachable default (IPv4) in table 1000000006",
				"add route unreachable default (IPv6) in table 1000000006",
				"create VRF device blue with table 1000000005",
				"create VRF device green with table 1000000006",
			},
			tables: map[string]uint32{"cluster_udn_blue": blueTable, "cluster_udn_green": blueTable + 1},
		},
		"two tenants with the same subnets, one of them exposed": {
			networks: []Network{with(blue, isolated), with(blue, func(n *Network) { n.Name, n.VRF, n.ID = "cluster_udn_green", "green", 6 })},
			observed: blueThere,
			changes: []string{
				"add route unreachable default (IPv4) in table 1000000005",
				"add route unreachable default (IPv6) in table 1000000005",
				"create VRF device green with table 1000000006",
				"add rule to 10.10.0.0/16 lookup 1000000006",
				"add rule to fd10::/48 lookup 1000000006",
				"delete rule to 10.10.0.0/16 lookup 1000000005",
				"delete rule to fd10::/48 lookup 1000000005",
			},
		},
		"no longer isolated": {
			networks: []Network{blue},
			observed: Observed{Devices: blueThere.Devices, Rules: blueThere.Rules, Routes: []Route{ourStop(blueTable, false), ourStop(blueTable, true)}},
			changes: []string{
				"delete route unreachable default (IPv4) in table 1000000005",
				"delete route unreachable default (IPv6) in table 1000000005",
			},
		},
	})
}
