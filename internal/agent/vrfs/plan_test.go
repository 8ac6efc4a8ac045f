package vrfs

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/rtnetlink"
)

func prefixes(texts ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, text := range texts {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}

func ourDevice(index int32, name, network string, table uint32) Device {
	return Device{Index: index, Name: name, Kind: "vrf", Table: table, Group: 0x6f766e62, Alias: "ovnbgp.io/managed " + network, Up: true}
}

func ourRule(to string, table uint32) Rule {
	return Rule{Priority: 2000, To: netip.MustParsePrefix(to), Table: table, Protocol: 173, Plain: true}
}

func ourStop(table uint32, ipv6 bool) Route {
	return Route{Table: table, IPv6: ipv6, Metric: 4278198272, Protocol: 173}
}

var blue = Network{Name: "cluster_udn_blue", VRF: "blue", ID: 5, Subnets: prefixes("10.10.0.0/16", "fd10::/48"), Exposed: true}

// with returns a network that differs in one thing.
func with(n Network, change func(*Network)) Network {
	change(&n)
	return n
}

func isolated(n *Network) { n.Exposed, n.Isolated = false, true }

func unadvertised(n *Network) { n.Exposed = false }

// blueTable is blue's, and blueThere what there is of it.
const blueTable = 1000000005

var blueThere = Observed{
	Devices: []Device{ourDevice(9, "blue", "cluster_udn_blue", blueTable)},
	Rules:   []Rule{ourRule("10.10.0.0/16", blueTable), ourRule("fd10::/48", blueTable)},
}

type planCase struct {
	networks []Network
	observed Observed
	changes  []string
	// problems by network: a part of each, with reasons where given.
	problems map[string]string
	reasons  map[string]Reason
	tables   map[string]uint32
}

func checkPlans(t *testing.T, cases map[string]planCase) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			changes, states := Plan(c.networks, &c.observed, DefaultTableStart)
			var got []string
			for _, change := range changes {
				got = append(got, change.String())
			}
			if !slices.Equal(got, c.changes) {
				t.Errorf("changes are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.changes, "\n"))
			}
			for _, s := range states {
				part := c.problems[s.Network]
				if !strings.Contains(s.Problem, part) || part == "" && s.Problem != "" {
					t.Errorf("the problem of %s is %q, want %q in it", s.Network, s.Problem, part)
				}
				if reason, given := c.reasons[s.Network]; given && s.Reason != reason || (s.Reason == "") != (s.Problem == "") {
					t.Errorf("the reason of %s is %q, want %q", s.Network, s.Reason, reason)
				}
				if table, given := c.tables[s.Network]; given && s.Table != table {
					t.Errorf("the table of %s is %d, want %d", s.Network, s.Table, table)
				}
			}
		})
	}
}

// OVN-Kubernetes' nodes may start their tables elsewhere than at 1000.
func TestTableStart(t *testing.T) {
	observed := &Observed{Devices: []Device{{Index: 12, Name: "ovn-k8s-mp5"}}}
	for _, start := range []uint32{DefaultTableStart, 70_000} {
		if _, states := Plan([]Network{blue}, observed, start); states[0].Table != start+12 {
			t.Errorf("from %d on, the table is %d", start, states[0].Table)
		}
	}
}

func TestPlan(t *testing.T) {
	checkPlans(t, map[string]planCase{
		"nothing wanted, nothing there": {},
		"a new network": {
			networks: []Network{blue},
			changes: []string{
				"create VRF device blue with table 1000000005",
				"add rule to 10.10.0.0/16 lookup 1000000005",
				"add rule to fd10::/48 lookup 1000000005",
			},
			tables: map[string]uint32{"cluster_udn_blue": blueTable},
		},
		"the management port gives the table": {
			networks: []Network{blue},
			observed: Observed{Devices: []Device{{Index: 12, Name: "ovn-k8s-mp5"}}},
			changes: []string{
				"create VRF device blue with table 1012",
				"add rule to 10.10.0.0/16 lookup 1012",
				"add rule to fd10::/48 lookup 1012",
			},
		},
		"a table of a device that is there is kept": {
			networks: []Network{blue},
			observed: Observed{Devices: []Device{{Index: 12, Name: "ovn-k8s-mp5"}, ourDevice(9, "blue", "cluster_udn_blue", 777)}},
			changes:  []string{"add rule to 10.10.0.0/16 lookup 777", "add rule to fd10::/48 lookup 777"},
			tables:   map[string]uint32{"cluster_udn_blue": 777},
		},
		"all is there": {networks: []Network{blue}, observed: blueThere},
		"all goes with the network, marks decide": {
			observed: Observed{
				Devices: append(slices.Clone(blueThere.Devices), Device{Index: 3, Name: "red", Kind: "vrf", Table: 3, Up: true}),
				Rules: append(slices.Clone(blueThere.Rules),
					Rule{Priority: 2000, To: netip.MustParsePrefix("10.30.0.0/16"), Table: 3, Protocol: 3, Plain: true},
					// Our protocol, but nothing that is made here.
					Rule{Priority: 1999, To: netip.MustParsePrefix("10.30.0.0/16"), Table: 3, Protocol: 173, Plain: true},
					Rule{Priority: 2000, To: netip.MustParsePrefix("10.30.0.0/16"), Table: 3, Protocol: 173},
					Rule{Priority: 2000, Table: 3, Protocol: 173, Plain: true}),
				Routes: []Route{
					ourStop(blueTable, false), ourStop(blueTable, true), {Table: 3, Metric: 4278198272, Protocol: 3}, {Table: 3, Metric: 8192, Protocol: 173},
				},
			},
			changes: []string{
				"delete VRF device blue",
				"delete rule to 10.10.0.0/16 lookup 1000000005",
				"delete rule to fd10::/48 lookup 1000000005",
				"delete route unreachable default (IPv4) in table 1000000005",
				"delete route unreachable default (IPv6) in table 1000000005",
			},
		},
		"somebody else's device and stop do": {
			networks: []Network{with(blue, isolated)},
			observed: Observed{
				Devices: []Device{{Index: 3, Name: "blue", Kind: "vrf", Table: 3, Up: true}},
				Routes:  []Route{{Table: 3, Metric: 4278198272, Protocol: 3}},
			},
			changes: []string{"add route unreachable default (IPv6) in table 3"},
			tables:  map[string]uint32{"cluster_udn_blue": 3},
		},
		"somebody else's device and rule do": {
			networks: []Network{blue},
			observed: Observed{
				Devices: []Device{{Index: 3, Name: "blue", Kind: "vrf", Table: 3, Up: true}},
				Rules:   []Rule{{Priority: 2000, To: netip.MustParsePrefix("10.10.0.0/16"), Table: 3, Plain: true}},
			},
			changes: []string{"add rule to fd10::/48 lookup 3"},
			tables:  map[string]uint32{"cluster_udn_blue": 3},
		},
		"somebody else's device that is down": {
			networks: []Network{with(blue, unadvertised)},
			observed: Observed{Devices: []Device{{Index: 3, Name: "blue", Kind: "vrf", Table: 3}}},
			problems: map[string]string{"cluster_udn_blue": "set it up (ip link set blue up)"},
			reasons:  map[string]Reason{"cluster_udn_blue": ReasonDeviceDown},
		},
		"a device that was made half, and one that was changed": {
			networks: []Network{blue},
			observed: Observed{Devices: []Device{{Index: 9, Name: "blue", Kind: "vrf", Table: 7, Group: Group}}, Rules: []Rule{ourRule("10.10.0.0/16", 7)}},
			changes: []string{
				`give VRF device blue the alias "ovnbgp.io/managed cluster_udn_blue"`, "set VRF device blue up", "add rule to fd10::/48 lookup 7",
			},
		},
		"somebody put a device with another table in our device's place": {
			networks: []Network{blue},
			observed: Observed{
				Devices: []Device{{Index: 20, Name: "blue", Kind: "vrf", Table: 1020, Up: true}},
				Rules:   blueThere.Rules,
				Routes:  []Route{ourStop(blueTable, false), ourStop(blueTable, true)},
			},
			changes: []string{
				"add rule to 10.10.0.0/16 lookup 1020",
				"add rule to fd10::/48 lookup 1020",
				"delete rule to 10.10.0.0/16 lookup 1000000005",
				"delete rule to fd10::/48 lookup 1000000005",
				"delete route unreachable default (IPv4) in table 1000000005",
				"delete route unreachable default (IPv6) in table 1000000005",
			},
		},
		"an ID goes from one network to the next": {
			networks: []Network{{Name: "cluster_udn_green", VRF: "green", ID: 5, Subnets: prefixes("10.20.0.0/16"), Exposed: true}},
			observed: blueThere,
			changes: []string{
				"delete VRF device blue",
				"create VRF device green with table 1000000005",
				"add rule to 10.20.0.0/16 lookup 1000000005",
				"delete rule to 10.10.0.0/16 lookup 1000000005",
				"delete rule to fd10::/48 lookup 1000000005",
			},
		},
		"a network with a problem stays as it is": {
			networks: []Network{
				{Name: "cluster_udn_blue", VRF: "blue", Problem: "its subnets can't be read"},
				{Name: "cluster_udn_green", VRF: "green", ID: 6, Subnets: prefixes("10.20.0.0/16"), Exposed: true},
			},
			observed: Observed{
				Devices: append(slices.Clone(blueThere.Devices), ourDevice(10, "gone", "cluster_udn_gone", 55)),
				Rules:   blueThere.Rules, Routes: []Route{ourStop(blueTable, false)},
			},
			changes: []string{
				"delete VRF device gone", "create VRF device green with table 1000000006", "add rule to 10.20.0.0/16 lookup 1000000006",
			},
			problems: map[string]string{"cluster_udn_blue": "its subnets can't be read"},
			reasons:  map[string]Reason{"cluster_udn_blue": ReasonNetworkUnknown},
		},
		"a network whose VRF is not known keeps the device that was made for it": {
			networks: []Network{{Name: "cluster_udn_a-very-long-name"}},
			observed: Observed{
				Devices: []Device{ourDevice(10, "mp7-udn-vrf", "cluster_udn_a-very-long-name", 55), ourDevice(11, "gone", "cluster_udn_gone", 56)},
				Rules:   []Rule{ourRule("10.50.0.0/16", 55), ourRule("10.60.0.0/16", 56)},
				Routes:  []Route{ourStop(55, true), ourStop(56, true)},
			},
			changes: []string{
				"delete VRF device gone", "delete rule to 10.60.0.0/16 lookup 56", "delete route unreachable default (IPv6) in table 56",
			},
			problems: map[string]string{"cluster_udn_a-very-long-name": "not known yet"},
			reasons:  map[string]Reason{"cluster_udn_a-very-long-name": ReasonNetworkUnknown},
		},
		"a device that is no VRF": {
			networks: []Network{blue},
			observed: Observed{Devices: []Device{{Index: 2, Name: "blue", Kind: "bridge"}}},
			problems: map[string]string{"cluster_udn_blue": "no VRF but a bridge"},
			reasons:  map[string]Reason{"cluster_udn_blue": ReasonNameTaken},
		},
		"names that no device can have": {
			networks: []Network{
				{Name: "a", VRF: "sixteen-letters!"}, {Name: "b", VRF: "default"}, {Name: "c", VRF: "a/b"}, {Name: "d", VRF: "%d"},
			},
			problems: map[string]string{"a": "at most 15", "b": "default", "c": "a/b", "d": "%d"},
			reasons:  map[string]Reason{"a": ReasonNameUnusable, "b": ReasonNameUnusable},
		},
		"a table that another device has": {
			networks: []Network{blue, {Name: "cluster_udn_green", VRF: "green", ID: 6}},
			observed: Observed{Devices: []Device{{Index: 3, Name: "other", Kind: "vrf", Table: blueTable}}},
			changes:  []string{"create VRF device green with table 1000000006"},
			problems: map[string]string{"cluster_udn_blue": "taken by VRF device other"},
			reasons:  map[string]Reason{"cluster_udn_blue": ReasonTableTaken},
		},
		"a table that somebody's rule leads to": {
			networks: []Network{blue},
			observed: Observed{
				Devices: []Device{{Index: 12, Name: "ovn-k8s-mp5"}},
				Rules:   []Rule{{Priority: 100, To: netip.MustParsePrefix("192.0.2.0/24"), Table: 1012, Plain: true}},
			},
			problems: map[string]string{"cluster_udn_blue": "taken by an ip rule of priority 100"},
		},
		"two devices with one table": {
			networks: []Network{blue},
			observed: Observed{
				Devices: append(slices.Clone(blueThere.Devices), Device{Index: 3, Name: "other", Kind: "vrf", Table: blueTable}),
				Rules:   []Rule{ourRule("10.10.0.0/16", blueTable)},
			},
			problems: map[string]string{"cluster_udn_blue": "one of them has to be deleted"},
			reasons:  map[string]Reason{"cluster_udn_blue": ReasonTableTaken},
		},
		"two networks with one device": {
			networks: []Network{blue, {Name: "cluster_udn_green", VRF: "blue", ID: 6}},
			observed: blueThere,
			problems: map[string]string{"cluster_udn_blue": "cluster_udn_green", "cluster_udn_green": "cluster_udn_blue"},
		},
		"two networks with one ID": {
			networks: []Network{{Name: "a", VRF: "a", ID: 5}, {Name: "b", VRF: "b", ID: 5}},
			changes:  []string{"create VRF device a with table 1000000005"},
			problems: map[string]string{"b": "taken by network a"},
		},
		"of subnets that overlap, the one that has its rule keeps it": {
			networks: []Network{{Name: "cluster_udn_aqua", VRF: "aqua", ID: 6, Subnets: prefixes("10.0.0.0/8", "10.30.0.0/16", "10.10.0.0/16", "172.20.0.0/16"), Exposed: true}, blue},
			observed: blueThere,
			changes: []string{
				"create VRF device aqua with table 1000000006",
				"add rule to 10.30.0.0/16 lookup 1000000006",
				"add rule to 172.20.0.0/16 lookup 1000000006",
			},
			problems: map[string]string{"cluster_udn_aqua": "10.0.0.0/8, as the overlapping subnet 10.10.0.0/16 of network cluster_udn_blue"},
			reasons:  map[string]Reason{"cluster_udn_aqua": ReasonSubnetTaken},
		},
		"subnets of one network may overlap": {
			networks: []Network{{Name: "a", VRF: "a", ID: 5, Subnets: prefixes("10.10.0.0/16", "10.0.0.0/8"), Exposed: true}},
			changes: []string{
				"create VRF device a with table 1000000005", "add rule to 10.0.0.0/8 lookup 1000000005", "add rule to 10.10.0.0/16 lookup 1000000005",
			},
		},
		"a rule that is kept for a network with a problem keeps others out": {
			networks: []Network{
				{Name: "cluster_udn_aqua", VRF: "aqua", ID: 6, Subnets: prefixes("10.10.3.0/24"), Exposed: true},
				{Name: "cluster_udn_blue", VRF: "blue", Problem: "something"},
			},
			observed: blueThere,
			changes:  []string{"create VRF device aqua with table 1000000006"},
			problems: map[string]string{"cluster_udn_aqua": "10.10.0.0/16 of a network that is left as it is", "cluster_udn_blue": "something"},
		},
		"a table that the device of a network with a problem has": {
			networks: []Network{
				{Name: "cluster_udn_aqua", VRF: "aqua", ID: 5},
				{Name: "cluster_udn_blue", Problem: "its VRF is not known"},
			},
			observed: blueThere,
			problems: map[string]string{"cluster_udn_aqua": "taken by VRF device blue", "cluster_udn_blue": "its VRF is not known"},
		},
		"a tenant's subnet that covers the node's own address": {
			networks: []Network{{
				Name: "a", VRF: "a", ID: 5, Subnets: prefixes("172.18.0.0/16", "10.20.0.0/16"), Exposed: true,
				NodeAddresses: []netip.Addr{netip.MustParseAddr("172.18.0.3"), netip.MustParseAddr("fd00:18::3")},
			}},
			changes:  []string{"create VRF device a with table 1000000005", "add rule to 10.20.0.0/16 lookup 1000000005"},
			problems: map[string]string{"a": "a rule to its subnet 172.18.0.0/16 would redirect the traffic of the node's own address 172.18.0.3, and is not made"},
			reasons:  map[string]Reason{"a": ReasonNodeCovered},
		},
		"a subnet of everything": {
			networks: []Network{{Name: "a", VRF: "a", ID: 5, Subnets: prefixes("0.0.0.0/0"), Exposed: true}},
			changes:  []string{"create VRF device a with table 1000000005"},
			problems: map[string]string{"a": "all of the node's traffic"},
			reasons:  map[string]Reason{"a": ReasonSubnetTooWide},
		},
		"subnets as people write them": {
			networks: []Network{{Name: "a", VRF: "a", ID: 5, Subnets: prefixes("10.10.3.4/16", "10.10.0.0/16", "::ffff:10.20.0.0/112"), Exposed: true}},
			changes: []string{
				"create VRF device a with table 1000000005", "add rule to 10.10.0.0/16 lookup 1000000005", "add rule to 10.20.0.0/16 lookup 1000000005",
			},
		},
	})
}

func TestTablesWithoutIDs(t *testing.T) {
	a, b := Network{Name: "cluster_udn_a", VRF: "a"}, Network{Name: "cluster_udn_b", VRF: "b"}
	_, states := Plan([]Network{b, a}, &Observed{}, DefaultTableStart)
	first, second := states[0].Table, states[1].Table
	if first < 1_100_000_000 || second < 1_100_000_000 || first == second {
		t.Fatalf("the tables are %d and %d", first, second)
	}
	if _, again := Plan([]Network{a}, &Observed{}, DefaultTableStart); again[0].Table != first {
		t.Errorf("the table of %s alone is %d, with another network %d", a.Name, again[0].Table, first)
	}
	// Where another has its table, it has to be the next.
	_, states = Plan([]Network{a}, &Observed{Devices: []Device{{Index: 1, Name: "other", Kind: "vrf", Table: first}}}, DefaultTableStart)
	if states[0].Table != first+1 || states[0].Problem != "" {
		t.Errorf("the table is %d (%s), want %d", states[0].Table, states[0].Problem, first+1)
	}
}

// TestFailedChangesHoldBack counts on the order of changes: after one that
// failed none is made for that network, and all are for others.
func TestFailedChangesHoldBack(t *testing.T) {
	observed := &Observed{
		Devices: []Device{{Index: 20, Name: "blue", Kind: "vrf", Table: 1020, Up: true}},
		Rules:   []Rule{ourRule("10.10.0.0/16", 5), ourRule("10.99.0.0/16", 6)},
		Routes:  []Route{ourStop(5, false), ourStop(6, false)},
	}
	green := Network{Name: "cluster_udn_green", VRF: "green", ID: 6, Subnets: prefixes("10.20.0.0/16"), Exposed: true}
	red := Network{Name: "cluster_udn_red", VRF: "red", ID: 7, Isolated: true}
	changes, states := Plan([]Network{blue, green, red}, observed, DefaultTableStart)
	report, err := (&Keeper{}).carryOut(Report{Networks: slices.Clone(states)}, changes, func(c Change) error {
		if c.Verb == AddRoute && c.Route.IPv6 || c.Verb == AddRule && c.Rule.Table == 1020 {
			return rtnetlink.ErrShort
		}
		return nil
	})
	var got []string
	for _, c := range report.Changes {
		got = append(got, c.String())
	}
	want := []string{
		"add route unreachable default (IPv4) in table 1000000007",
		"create VRF device green with table 1000000006",
		"add rule to 10.20.0.0/16 lookup 1000000006",
		"delete rule to 10.99.0.0/16 lookup 6",
		"delete route unreachable default (IPv4) in table 6",
	}
	if !slices.Equal(got, want) {
		t.Errorf("changes are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if err == nil || !strings.Contains(report.Networks[0].Problem, rtnetlink.ErrShort.Error()) || report.Networks[0].Reason != ReasonKernelRefused ||
		report.Networks[1].Problem != "" || report.Networks[2].Reason != ReasonKernelRefused || report.Leftover != "" {
		t.Errorf("the error is %v, the report is %+v", err, report)
	}
	report, _ = (&Keeper{}).carryOut(Report{Networks: slices.Clone(states)}, changes, func(c Change) error {
		if c.Verb == DeleteRule {
			return rtnetlink.ErrShort
		}
		return nil
	})
	if report.Leftover != rtnetlink.ErrShort.Error() {
		t.Errorf("what could not be removed is %q", report.Leftover)
	}
}
