package kernel

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/testns"
)

const (
	bgpTable = 1005
	patience = 10 * time.Second
)

func run(t *testing.T, ns *testns.Namespace, change func(*Options)) *Mirror {
	t.Helper()
	o := Options{Namespace: ns.Handle, Log: testr.New(t), Interval: time.Hour}
	if change != nil {
		change(&o)
	}
	m := NewMirror(o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return m
}

// text is the table as people write it, with links by name.
func (t *Table) text() string {
	links := t.mirror.Links()
	var out []string
	for _, prefix := range t.Prefixes() {
		path, found := t.Path(prefix)
		if !found {
			continue
		}
		out = append(out, prefix.String()+pathText(path, links))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func pathText(path model.Path, links map[int32]Link) string {
	switch path.Kind() {
	case model.PathDiscard:
		return ">discard"
	case model.PathOther:
		return ">other"
	case model.PathConditional:
		return ">conditional"
	case model.PathShadowed:
		return ">shadowed"
	}
	out := ""
	for _, hop := range path.NextHops(nil) {
		out += ">"
		if hop.Addr.IsValid() {
			out += hop.Addr.String()
		}
		out += "@" + links[hop.Link].Name
		if hop.Weight > 1 {
			out += fmt.Sprintf("*%d", hop.Weight)
		}
		if hop.Dead {
			out += "!"
		}
	}
	return out
}

func length(table *Table) int {
	all, _ := table.Len()
	return all
}

func eventually(t *testing.T, table *Table, want string) {
	t.Helper()
	got := ""
	defer func() {
		if t.Failed() {
			t.Logf("the mirror has %q, not %q", got, want)
		}
	}()
	nbserver.Eventually(t, patience, "the mirror has "+want, func() bool {
		got = table.text()
		return got == want && table.TakeChanges().Ready
	})
}

// Every kind of route is seen, both when it is there before the mirror and
// when it comes after; and its change and removal too.
func TestKindsOfRoutes(t *testing.T) {
	for _, test := range []struct {
		name  string
		setup []string
		add   string
		want  string
		// Then, and what is left.
		change []string
		after  string
		// onlyMain is for what the kernel does in the address's own table only.
		onlyMain bool
	}{
		{name: "single", add: "route add 10.1.0.0/24 via 172.18.0.2 proto bgp", want: "10.1.0.0/24>172.18.0.2@gw0",
			change: []string{"route replace 10.1.0.0/24 via 172.18.0.3 proto bgp"}, after: "10.1.0.0/24>172.18.0.3@gw0"},
		{name: "removed", add: "route add 10.1.0.0/24 via 172.18.0.2 proto bgp", want: "10.1.0.0/24>172.18.0.2@gw0",
			change: []string{"route del 10.1.0.0/24"}},
		{name: "default route", add: "route add default via 172.18.0.2 proto bgp", want: "0.0.0.0/0>172.18.0.2@gw0",
			change: []string{"route del default"}},
		{name: "IPv6", add: "route add fd01::/64 via fd00:18::2 proto bgp", want: "fd01::/64>fd00:18::2@gw0",
			change: []string{"route replace fd01::/64 via fd00:18::3 proto bgp"}, after: "fd01::/64>fd00:18::3@gw0"},
		{name: "IPv6 link-local", add: "route add fd01::/64 via fe80::2 dev gw0 proto bgp", want: "fd01::/64>fe80::2@gw0",
			change: []string{"route del fd01::/64"}},
		{name: "multipath", add: "route add 10.1.0.0/24 proto bgp nexthop via 172.18.0.2 nexthop via 172.18.0.3",
			want:   "10.1.0.0/24>172.18.0.2@gw0>172.18.0.3@gw0",
			change: []string{"route replace 10.1.0.0/24 proto bgp nexthop via 172.18.0.3 nexthop via 172.19.0.4"},
			after:  "10.1.0.0/24>172.18.0.3@gw0>172.19.0.4@other0"},
		{name: "IPv6 multipath loses next hops one by one",
			add:    "route add fd01::/64 proto bgp nexthop via fe80::2 dev gw0 nexthop via fe80::3 dev gw0 nexthop via fe80::4 dev other0",
			want:   "fd01::/64>fe80::2@gw0>fe80::3@gw0>fe80::4@other0",
			change: []string{"route del fd01::/64 via fe80::3 dev gw0", "route del fd01::/64 via fe80::4 dev other0"},
			after:  "fd01::/64>fe80::2@gw0"},
		{name: "IPv6 multipath gains a next hop",
			add:    "route add fd01::/64 proto bgp nexthop via fe80::2 dev gw0 nexthop via fe80::3 dev gw0",
			want:   "fd01::/64>fe80::2@gw0>fe80::3@gw0",
			change: []string{"route append fd01::/64 via fe80::9 dev gw0 proto bgp"},
			after:  "fd01::/64>fe80::2@gw0>fe80::3@gw0>fe80::9@gw0"},
		{name: "IPv6 multipath removed whole",
			add:    "route add fd01::/64 proto bgp nexthop via fe80::2 dev gw0 nexthop via fe80::3 dev gw0",
			want:   "fd01::/64>fe80::2@gw0>fe80::3@gw0",
			change: []string{"route del fd01::/64 proto bgp"}},
		{name: "nexthop object", setup: []string{"nexthop add id 7 via 172.18.0.2 dev gw0", "nexthop add id 8 via 172.18.0.3 dev gw0"},
			add: "route add 10.1.0.0/24 nhid 7 proto bgp", want: "10.1.0.0/24>172.18.0.2@gw0",
			change: []string{"route replace 10.1.0.0/24 nhid 8 proto bgp"}, after: "10.1.0.0/24>172.18.0.3@gw0"},
		{name: "nexthop object replaced under the route", setup: []string{"nexthop add id 7 via 172.18.0.2 dev gw0"},
			add: "route add 10.1.0.0/24 nhid 7 proto bgp", want: "10.1.0.0/24>172.18.0.2@gw0",
			change: []string{"nexthop replace id 7 via 172.18.0.5 dev gw0"}, after: "10.1.0.0/24>172.18.0.5@gw0"},
		{name: "nexthop object removed under the route", setup: []string{"nexthop add id 7 via 172.18.0.2 dev gw0"},
			add: "route add 10.1.0.0/24 nhid 7 proto bgp", want: "10.1.0.0/24>172.18.0.2@gw0",
			change: []string{"nexthop del id 7"}},
		{name: "nexthop group", setup: []string{"nexthop add id 7 via 172.18.0.2 dev gw0", "nexthop add id 8 via 172.19.0.3 dev other0", "nexthop add id 9 group 7/8"},
			add: "route add 10.1.0.0/24 nhid 9 proto bgp", want: "10.1.0.0/24>172.18.0.2@gw0>172.19.0.3@other0",
			change: []string{"nexthop del id 8"}, after: "10.1.0.0/24>172.18.0.2@gw0"},
		{name: "IPv6 nexthop group", setup: []string{"nexthop add id 7 via fe80::2 dev gw0", "nexthop add id 8 via fe80::3 dev other0", "nexthop add id 9 group 7/8"},
			add: "route add fd01::/64 nhid 9 proto bgp", want: "fd01::/64>fe80::2@gw0>fe80::3@other0",
			change: []string{"nexthop del id 9"}},
		{name: "IPv4 via IPv6", add: "route add 10.1.0.0/24 via inet6 fe80::2 dev gw0 proto bgp", want: "10.1.0.0/24>fe80::2@gw0",
			change: []string{"route del 10.1.0.0/24"}},
		{name: "IPv4 via IPv6, multipath", add: "route add 10.1.0.0/24 proto bgp nexthop via inet6 fe80::2 dev gw0 nexthop via 172.19.0.3",
			want: "10.1.0.0/24>172.19.0.3@other0>fe80::2@gw0", change: []string{"route del 10.1.0.0/24"}},
		{name: "IPv4 via IPv6 by nexthop object", setup: []string{"nexthop add id 7 via fe80::2 dev gw0"},
			add: "route add 10.1.0.0/24 nhid 7 proto bgp", want: "10.1.0.0/24>fe80::2@gw0", change: []string{"route del 10.1.0.0/24"}},
		{name: "blackhole", add: "route add blackhole 10.1.0.0/24 proto bgp", want: "10.1.0.0/24>discard",
			change: []string{"route replace 10.1.0.0/24 via 172.18.0.2 proto bgp"}, after: "10.1.0.0/24>172.18.0.2@gw0"},
		{name: "unreachable", add: "route add unreachable 10.1.0.0/24 proto bgp", want: "10.1.0.0/24>discard", change: []string{"route del unreachable 10.1.0.0/24"}},
		{name: "prohibit", add: "route add prohibit 10.1.0.0/24 proto bgp", want: "10.1.0.0/24>discard", change: []string{"route del prohibit 10.1.0.0/24"}},
		{name: "IPv6 blackhole", add: "route add blackhole fd01::/64 proto bgp", want: "fd01::/64>discard", change: []string{"route del blackhole fd01::/64"}},
		{name: "blackhole nexthop object", setup: []string{"nexthop add id 7 blackhole"},
			add: "route add 10.1.0.0/24 nhid 7 proto bgp", want: "10.1.0.0/24>discard", change: []string{"route del 10.1.0.0/24"}},
		{name: "on link", add: "route add 10.1.0.0/24 dev gw0 proto bgp", want: "10.1.0.0/24>@gw0", change: []string{"route del 10.1.0.0/24"}},
		{name: "better metric comes", add: "route add 10.1.0.0/24 via 172.18.0.2 proto bgp metric 20", want: "10.1.0.0/24>172.18.0.2@gw0",
			change: []string{"route add 10.1.0.0/24 via 172.18.0.3 proto bgp metric 10"}, after: "10.1.0.0/24>172.18.0.3@gw0"},
		{name: "better metric goes", setup: []string{"route add 10.1.0.0/24 via 172.18.0.3 proto bgp metric 20"},
			add: "route add 10.1.0.0/24 via 172.18.0.2 proto bgp metric 10", want: "10.1.0.0/24>172.18.0.2@gw0",
			change: []string{"route del 10.1.0.0/24 metric 10"}, after: "10.1.0.0/24>172.18.0.3@gw0"},
		{name: "replaced by another protocol", add: "route add 10.1.0.0/24 via 172.18.0.2 proto bgp", want: "10.1.0.0/24>172.18.0.2@gw0",
			change: []string{"route replace 10.1.0.0/24 via 172.18.0.3 proto static"}},
		{name: "appended with the same metric", add: "route add 10.1.0.0/24 via 172.18.0.2 proto bgp", want: "10.1.0.0/24>172.18.0.2@gw0",
			change: []string{"route append 10.1.0.0/24 via 172.18.0.3 proto bgp", "route append 10.2.0.0/24 via 172.18.0.4 proto bgp"},
			after:  "10.1.0.0/24>172.18.0.2@gw0 10.2.0.0/24>172.18.0.4@gw0"},
		{name: "link down, IPv4", add: "route add 10.1.0.0/24 via 172.18.0.2 proto bgp", want: "10.1.0.0/24>172.18.0.2@gw0",
			change: []string{"link set gw0 down"}},
		{name: "link down, IPv6", add: "route add fd01::/64 via fd00:18::2 proto bgp", want: "fd01::/64>fd00:18::2@gw0",
			change: []string{"link set gw0 down"}},
		{name: "link down, multipath", add: "route add 10.1.0.0/24 proto bgp nexthop via 172.18.0.2 nexthop via 172.19.0.3",
			want:   "10.1.0.0/24>172.18.0.2@gw0>172.19.0.3@other0",
			change: []string{"link set gw0 down"}, after: "10.1.0.0/24>172.18.0.2@gw0!>172.19.0.3@other0"},
		{name: "link removed with nexthop object", setup: []string{"nexthop add id 7 via 172.18.0.2 dev gw0"},
			add: "route add 10.1.0.0/24 nhid 7 proto bgp", want: "10.1.0.0/24>172.18.0.2@gw0",
			change: []string{"link del gw0"}},
		{name: "preferred source removed", setup: []string{"addr add 10.9.9.9/32 dev lo"},
			add: "route add 10.1.0.0/24 via 172.18.0.2 src 10.9.9.9 proto bgp", want: "10.1.0.0/24>172.18.0.2@gw0",
			change: []string{"addr del 10.9.9.9/32 dev lo"}, onlyMain: true},
	} {
		for _, table := range []uint32{254, bgpTable} {
			if test.onlyMain && table != 254 {
				continue
			}
			for _, order := range []string{"before", "after"} {
				t.Run(fmt.Sprintf("%s/table %d/%s", test.name, table, order), func(t *testing.T) {
					ns := testns.New(t)
					inTable := func(commands ...string) []string {
						out := slices.Clone(commands)
						for i, c := range out {
							if strings.Contains(c, "route ") {
								out[i] = c + fmt.Sprintf(" table %d", table)
								if strings.Contains(c, " nexthop ") {
									out[i] = strings.Replace(c, " proto bgp", fmt.Sprintf(" table %d proto bgp", table), 1)
								}
							}
						}
						return out
					}
					ns.IP(t, inTable(test.setup...)...)
					if order == "before" {
						ns.IP(t, inTable(test.add)...)
					}
					m := run(t, ns, nil)
					mirrored := m.Watch(table, func() {})
					if order == "after" {
						nbserver.Eventually(t, 5*time.Second, "listed", func() bool { return mirrored.TakeChanges().Ready })
						ns.IP(t, inTable(test.add)...)
					}
					eventually(t, mirrored, test.want)
					ns.IP(t, inTable(test.change...)...)
					eventually(t, mirrored, test.after)
				})
			}
		}
	}
}

func TestOtherTablesAndProtocolsAreIgnored(t *testing.T) {
	ns := testns.New(t)
	ns.IP(t, "route add 10.1.0.0/24 via 172.18.0.2 proto bgp table 77", "route add 10.2.0.0/24 via 172.18.0.2 proto static table 1005",
		"route add 10.3.0.0/24 via 172.18.0.2 proto bgp table 1005")
	m := run(t, ns, nil)
	table := m.Watch(bgpTable, func() {})
	eventually(t, table, "10.3.0.0/24>172.18.0.2@gw0")
	ns.IP(t, "route add 10.1.1.0/24 via 172.18.0.2 proto bgp table 77", "route add 10.2.1.0/24 via 172.18.0.2 proto static table 1005",
		"route del 10.2.0.0/24 table 1005", "route add 10.3.1.0/24 via 172.18.0.2 proto bgp table 1005")
	eventually(t, table, "10.3.0.0/24>172.18.0.2@gw0 10.3.1.0/24>172.18.0.2@gw0")
}

// A flood overflows the socket's buffer; afterwards the mirror is right.
func TestOverflow(t *testing.T) {
	ns := testns.New(t)
	m := run(t, ns, func(o *Options) { o.Buffer = 4096 })
	table := m.Watch(bgpTable, func() {})
	nbserver.Eventually(t, 5*time.Second, "listed", func() bool { return table.TakeChanges().Ready })
	// While the lock is held nothing is received.
	m.mu.Lock()
	var commands []string
	for i := range 2000 {
		commands = append(commands, fmt.Sprintf("route add 10.%d.%d.0/24 via 172.18.0.2 proto bgp table 1005", i/250, i%250))
	}
	ns.IP(t, commands...)
	m.mu.Unlock()
	nbserver.Eventually(t, 10*time.Second, "all routes are seen", func() bool { return length(table) == 2000 })
	if m.Counters.Overflows.Load() == 0 || m.Counters.Listings()[CauseOverflow] == 0 {
		t.Errorf("%d overflows, listings %v", m.Counters.Overflows.Load(), m.Counters.Listings())
	}
}

// A listing of routes that is cut short takes nothing away. It is injected
// because no kernel so far says that of routes, only of links, addresses, rules
// and nexthop objects: TestWhatTheKernelTellsOfAnInterruption asks it.
func TestInterruptedListing(t *testing.T) {
	ns := testns.New(t)
	ns.IP(t, "route add 10.1.0.0/24 via 172.18.0.2 proto bgp table 1005", "route add 10.2.0.0/24 via 172.18.0.2 proto bgp table 1005")
	m := run(t, ns, nil)
	table := m.Watch(bgpTable, func() {})
	eventually(t, table, "10.1.0.0/24>172.18.0.2@gw0 10.2.0.0/24>172.18.0.2@gw0")

	interruptions := 0
	m.mu.Lock()
	m.list = func(namespace netns.NsHandle, id uint32, each func(*Route)) error {
		if interruptions++; interruptions > 5 {
			return DumpRoutes(namespace, id, each)
		}
		// Half of the list, then the kernel says that it changed meanwhile.
		first := true
		if err := DumpRoutes(namespace, id, func(r *Route) {
			if first {
				each(r)
			}
			first = false
		}); err != nil {
			return err
		}
		return fmt.Errorf("listing: %w", netlink.ErrDumpInterrupted)
	}
	m.outdated(table, CauseInterval)
	m.mu.Unlock()
	nbserver.Eventually(t, 10*time.Second, "it is listed again", func() bool {
		if length(table) != 2 {
			t.Fatal("a route was taken as gone")
		}
		return m.Counters.Listings()[CauseInterval] == 1
	})
	if m.Counters.Interrupted.Load() != 5 || m.Counters.Drift.Load() != 0 {
		t.Errorf("%d interruptions, drift %d", m.Counters.Interrupted.Load(), m.Counters.Drift.Load())
	}
}

// What happens while a table is listed is not overwritten by the older list.
func TestChangesDuringAListing(t *testing.T) {
	ns := testns.New(t)
	ns.IP(t, "route add 10.1.0.0/24 via 172.18.0.2 proto bgp table 1005", "route add 10.2.0.0/24 via 172.18.0.2 proto bgp table 1005")
	m := run(t, ns, nil)
	table := m.Watch(bgpTable, func() {})
	eventually(t, table, "10.1.0.0/24>172.18.0.2@gw0 10.2.0.0/24>172.18.0.2@gw0")
	m.mu.Lock()
	m.list = func(namespace netns.NsHandle, id uint32, each func(*Route)) error {
		err := DumpRoutes(namespace, id, each)
		ns.IP(t, "route del 10.1.0.0/24 proto bgp table 1005", "route replace 10.2.0.0/24 via 172.18.0.3 proto bgp table 1005",
			"route add 10.3.0.0/24 via 172.18.0.2 proto bgp table 1005")
		nbserver.Eventually(t, 5*time.Second, "the events are seen", func() bool {
			_, found := table.Path(netip.MustParsePrefix("10.3.0.0/24"))
			return found
		})
		m.mu.Lock()
		defer m.mu.Unlock()
		m.list = DumpRoutes
		return err
	}
	m.outdated(table, CauseInterval)
	m.mu.Unlock()
	nbserver.Eventually(t, 10*time.Second, "it was listed", func() bool { return m.Counters.Listings()[CauseInterval] == 1 })
	eventually(t, table, "10.2.0.0/24>172.18.0.3@gw0 10.3.0.0/24>172.18.0.2@gw0")
	if drift := m.Counters.Drift.Load(); drift != 0 {
		t.Errorf("events were taken for drift: %d", drift)
	}
}

// What no event told is found at the interval, and counted.
func TestDriftIsFound(t *testing.T) {
	ns := testns.New(t)
	ns.IP(t, "route add 10.1.0.0/24 via 172.18.0.2 proto bgp table 1005")
	m := run(t, ns, func(o *Options) { o.Interval = 300 * time.Millisecond })
	table := m.Watch(bgpTable, func() {})
	eventually(t, table, "10.1.0.0/24>172.18.0.2@gw0")
	m.mu.Lock()
	delete(table.routes.first, netip.MustParsePrefix("10.1.0.0/24"))
	m.mu.Unlock()
	eventually(t, table, "10.1.0.0/24>172.18.0.2@gw0")
	if m.Counters.Drift.Load() != 1 {
		t.Errorf("drift %d", m.Counters.Drift.Load())
	}
}

// Events of links that no route uses must not cost a listing: a node's pods
// come and go all the time.
func TestUnrelatedLinksCostNothing(t *testing.T) {
	ns := testns.New(t)
	ns.IP(t, "route add 10.1.0.0/24 via 172.18.0.2 proto bgp table 1005")
	m := run(t, ns, nil)
	table := m.Watch(bgpTable, func() {})
	eventually(t, table, "10.1.0.0/24>172.18.0.2@gw0")
	before := m.Counters.Listings()
	for i := range 5 {
		ns.IP(t, fmt.Sprintf("link add pod%d type veth peer name eth%d", i, i), fmt.Sprintf("link set pod%d up", i), fmt.Sprintf("link del pod%d", i))
	}
	ns.IP(t, "route add 10.2.0.0/24 via 172.18.0.2 proto bgp table 1005")
	eventually(t, table, "10.1.0.0/24>172.18.0.2@gw0 10.2.0.0/24>172.18.0.2@gw0")
	if after := m.Counters.Listings(); !maps.Equal(before, after) {
		t.Errorf("listings went from %v to %v", before, after)
	}
}
