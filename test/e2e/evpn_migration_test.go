package e2e_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/probe"
)

// followedWithin is how long the router may send to the node that a machine has left,
// in 99 of 100 migrations, on a quiet machine.
const followedWithin = time.Second

const (
	// roundTrips are more than it took for an FRR to tell of a host no more, as was
	// reported of about 20 migrations: github.com/FRRouting/frr/issues/21473.
	roundTrips = 25
	// migratingFor ends them early: a migration takes a second, in a busy emulated
	// machine a minute. The report says how many there were.
	migratingFor = 5 * time.Minute
)

// tellOfMigration is story 17: a virtual machine changes nodes, and those that talk
// to it notice a pause at most.
func (s *sharedBoth) tellOfMigration() {
	var tcp *probe.Connection
	BeforeEach(func(ctx context.Context) {
		s.watch(ctx)
		var err error
		tcp, err = probe.Connect(ctx, s.server.Machine, s.pod.Address(true), askEvery)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(tcp.Close)
	})

	It("of a virtual machine to and fro keeps its connections, and leaves nothing behind", func(ctx context.Context) {
		m := &migrations{flows: s.flows}
		DeferCleanup(m.report)
		for began := time.Now(); len(m.followed) < 2*roundTrips && time.Since(began) < migratingFor; {
			for _, to := range []string{"node2", "node1"} {
				m.migrate(ctx, s.l, s.both, to)
				Expect(tcp.Err()).NotTo(HaveOccurred(), "the TCP connection after %d migrations", len(m.followed))
			}
		}
		expectAlive(ctx, tcp)
		s.expectAsBefore(ctx)
		Expect(m.percentile(99)).To(BeNumerically("<", machine.Patience(followedWithin)))
	})

	It("of a virtual machine that fails half-way leaves it where it was", func(ctx context.Context) {
		migration, err := s.l.CNI.StartMigration(ctx, s.pod, "node2")
		Expect(err).NotTo(HaveOccurred())
		Expect(migration.Switch(ctx)).To(Succeed())
		expectFollowed(ctx, s.l, s.both)
		Expect(s.knownOfPod(ctx, s.l)).NotTo(Equal(s.entries))
		Expect(migration.Switch(ctx)).To(Succeed())
		expectFollowed(ctx, s.l, s.both)
		Expect(migration.Finish(ctx)).To(Succeed())
		for name, f := range s.flows {
			Eventually(ctx, f.hasAnswers).Should(BeTrue(), name)
		}
		expectAlive(ctx, tcp)
		s.expectAsBefore(ctx)
	})
}

// expectAlive waits until a connection has carried more.
func expectAlive(ctx context.Context, tcp *probe.Connection) {
	GinkgoHelper()
	before := tcp.Lines()
	Eventually(ctx, tcp.Lines).Should(BeNumerically(">", before), "lines of the TCP connection")
	Expect(tcp.Err()).NotTo(HaveOccurred())
}

// migrations are what was measured of some.
type migrations struct {
	flows    map[string]*streams
	followed []time.Duration
	lost     map[string][]int
}

func (m *migrations) migrate(ctx context.Context, l *lab.Lab, b *both, to string) {
	GinkgoHelper()
	before := map[string]int{}
	for name, f := range m.flows {
		before[name] = f.lost()
	}
	migration, err := l.CNI.StartMigration(ctx, b.pod, to)
	Expect(err).NotTo(HaveOccurred())
	looking, stop := context.WithTimeout(ctx, machine.Patience(changeWithin))
	defer stop()
	began := time.Now()
	type result struct {
		after time.Duration
		err   error
	}
	follows := make(chan result, 1)
	end := b.evpn.NodeEndpoint(l.Node(to))
	go func() {
		after, err := await(looking, began, stage{"router", func(context.Context) (bool, error) { return b.routerFollows(end) }})
		follows <- result{after, err}
	}()
	Expect(migration.Switch(ctx)).To(Succeed())
	r := <-follows
	Expect(r.err).NotTo(HaveOccurred(), "the router after migration %d, to %s", len(m.followed)+1, to)
	m.followed = append(m.followed, began.Add(r.after).Sub(migration.Moved))
	By(fmt.Sprintf("migration %d, to %s: followed after %s", len(m.followed), to, m.followed[len(m.followed)-1].Round(time.Millisecond)))
	for name, f := range m.flows {
		Eventually(ctx, f.hasAnswers).Should(BeTrue(), "%s after migration %d, to %s", name, len(m.followed), to)
		if m.lost == nil {
			m.lost = map[string][]int{}
		}
		m.lost[name] = append(m.lost[name], f.lost()-before[name])
	}
	Expect(migration.Finish(ctx)).To(Succeed())
}

// percentile is of the times that the router took.
func (m *migrations) percentile(p int) time.Duration {
	sorted := slices.Sorted(slices.Values(m.followed))
	return sorted[min(len(sorted)*p/100, len(sorted)-1)]
}

func (m *migrations) report() {
	if len(m.followed) == 0 {
		return
	}
	AddReportEntry("migrations", fmt.Sprintf("%d; the router followed within %s (median), %s (p99), %s (most)", len(m.followed),
		m.percentile(50).Round(time.Millisecond), m.percentile(99).Round(time.Millisecond), slices.Max(m.followed).Round(time.Millisecond)))
	for name, lost := range m.lost {
		sorted := slices.Sorted(slices.Values(lost))
		AddReportEntry("packets lost per migration", fmt.Sprintf("%s, one every %s: %d (median), %d (most)", name, askEvery, sorted[len(sorted)/2], sorted[len(sorted)-1]))
		reportOutage("live migration", name, m.flows[name].outage())
	}
}

// routerFollows tells whether the router sends what is for the pod to one end of a
// tunnel, be it bridged or routed.
func (b *both) routerFollows(end netip.Addr) (bool, error) {
	ways, err := b.waysTo(b.evpn.Router, hostRoute(b.pod, true))
	if err != nil || !slices.Equal(ways, []netip.Addr{end}) {
		return false, err
	}
	entries, err := b.forwarding(b.evpn.Router.Machine)
	behind := 0
	for _, entry := range entries {
		if entry.IP == nil {
			continue // The bridge's own, which says by which device.
		}
		if address, _ := netip.AddrFromSlice(entry.IP); address.Unmap() != end {
			return false, err
		}
		behind++
	}
	return behind > 0, err
}

// forwarding are a machine's entries of the pod's MAC that packets follow. Where the pod
// has come back to, FRR 10.3 leaves the VXLAN device's entry for the node where it was.
// Nothing goes there as long as the bridge has the pod behind a port of its own.
func (b *both) forwarding(m *machine.Machine) ([]netlink.Neigh, error) {
	all, err := m.Netlink().NeighList(0, unix.AF_BRIDGE)
	if err != nil {
		return nil, err
	}
	own := slices.DeleteFunc(all, func(n netlink.Neigh) bool { return n.HardwareAddr.String() != b.pod.MAC })
	here := slices.ContainsFunc(own, func(n netlink.Neigh) bool { return n.IP == nil && !isOfType(m, n.LinkIndex, "vxlan") })
	return slices.DeleteFunc(own, func(n netlink.Neigh) bool { return here && n.IP != nil }), nil
}

// expectFollowed waits until the router and the other nodes send to the pod's node, and
// these have installed all that FRR learned. An FRR that is behind may still write its
// entries over those of a node that the pod has come back to, as was reported of others
// (github.com/FRRouting/frr/issues/21472); here it was not seen.
func expectFollowed(ctx context.Context, l *lab.Lab, b *both) {
	GinkgoHelper()
	end, address := b.evpn.NodeEndpoint(l.Node(b.pod.Node)), b.pod.Address(true).String()
	known := func(what string) func() string {
		return func() string { return fmt.Sprintf("%s; known of the pod: %q", what, b.knownOfPod(ctx, l)) }
	}
	Eventually(ctx, func() (bool, error) { return b.routerFollows(end) }).Should(BeTrue(), known("the router sends to "+b.pod.Node))
	for _, n := range l.Nodes {
		Eventually(ctx, func() ([]string, error) { return b.endsOn(n.Machine) }).
			Should(HaveEach(BeElementOf(end.String(), "")), known("where "+n.Name+" has the machine"))
		if n.Name != b.pod.Node {
			Eventually(ctx, func() ([]string, error) { return neighborsBy(n.Machine, "svl2-"+b.cudn) }).
				Should(ContainElement(address), known("neighbors of "+n.Name))
		}
	}
}

// endsOn are the ends of tunnels where a node's bridge has the pod, or "" where it is
// behind a device.
func (b *both) endsOn(m *machine.Machine) ([]string, error) {
	entries, err := b.forwarding(m)
	var ends []string
	for _, entry := range entries {
		if entry.IP == nil {
			ends = append(ends, "")
			continue
		}
		ends = append(ends, entry.IP.String())
	}
	return ends, err
}

// knownOfPod is what nodes and router know of the pod: in the kernel, and in EVPN.
func (b *both) knownOfPod(ctx context.Context, l *lab.Lab) []string {
	GinkgoHelper()
	machines := []*machine.Machine{b.evpn.Router.Machine}
	for _, n := range l.Nodes {
		machines = append(machines, n.Machine)
	}
	var out []string
	for _, m := range machines {
		forwarding, err := b.forwarding(m)
		Expect(err).NotTo(HaveOccurred())
		neighbors, err := m.Netlink().NeighList(0, netlink.FAMILY_V4)
		Expect(err).NotTo(HaveOccurred())
		neighbors = slices.DeleteFunc(neighbors, func(n netlink.Neigh) bool {
			return n.HardwareAddr.String() != b.pod.MAC || !isOfType(m, n.LinkIndex, "vlan")
		})
		for _, entry := range slices.Concat(forwarding, neighbors) {
			out = append(out, describe(m, entry))
		}
	}
	routes, err := b.evpn.Router.FRR.TypeTwos(ctx)
	Expect(err).NotTo(HaveOccurred())
	for _, route := range routes {
		if route.MAC == b.pod.MAC {
			// FRR numbers its automatic RDs as it comes to know VNIs and VRFs, after a start
			// perhaps in another order.
			origin, _, _ := strings.Cut(route.RD, ":")
			out = append(out, fmt.Sprintf("type 2 of %s with %s by %v", origin, route.IP, route.NextHops))
		}
	}
	slices.Sort(out)
	return out
}

// isOfType leaves out what other devices know, such as what a machine has found out by
// asking.
func isOfType(m *machine.Machine, index int, kind string) bool {
	link, err := m.Netlink().LinkByIndex(index)
	return err == nil && link.Type() == kind
}

// describe is an entry without what changes by itself. That FRR has learned a bridge's
// entry says nothing: one that a node writes over FRR's keeps the mark.
func describe(m *machine.Machine, entry netlink.Neigh) string {
	device := "?"
	if link, err := m.Netlink().LinkByIndex(entry.LinkIndex); err == nil {
		device = link.Attrs().Name
	}
	text := fmt.Sprintf("%s: %s %v by %s, VLAN %d, state %#x", m.Name, entry.HardwareAddr, entry.IP, device,
		entry.Vlan, entry.State&(netlink.NUD_PERMANENT|netlink.NUD_NOARP))
	if entry.Family != unix.AF_BRIDGE {
		text += fmt.Sprintf(", learned from FRR: %t", entry.Flags&netlink.NTF_EXT_LEARNED != 0)
	}
	return text
}
