package e2e_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/vishvananda/netlink"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/probe"
)

// port is a sniffer and where it is.
type port struct {
	name string
	*lab.Sniffer
}

// sniffRequestsFor counts requests for an address: in tunnels, where another node's
// bridge meets OVN, and where the router's meets a host.
func sniffRequestsFor(ctx context.Context, l *lab.Lab, n network, address netip.Addr) []port {
	GinkgoHelper()
	tor := l.Router("tor")
	request := "arp[6:2] == 1 and arp dst host " + address.String()
	// As long as neither header has options, the packet within begins at 50.
	carried := fmt.Sprintf("udp dst port 4789 and ether[62:2] == 0x0806 and ether[70:2] == 1 and ether[88:4] == %#x", address.AsSlice())
	var ports []port
	add := func(name string, s *lab.Sniffer, err error) {
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(s.Close)
		ports = append(ports, port{name, s})
	}
	s, err := l.Sniff(ctx, carried)
	add("tunnels", s, err)
	s, err = l.SniffOn(ctx, l.Node("node2").Machine, "ovl2-"+n.cudn, request)
	add("OVN's port on node2", s, err)
	s, err = l.SniffOn(ctx, tor.Machine, "lan-"+n.cudn, request)
	add("the port of the router's host", s, err)
	return ports
}

// tellOfFlooding is story 18: what is for all goes to all, and nothing else does.
func (s *sharedBoth) tellOfFlooding() {
	var (
		l             *lab.Lab
		one, two, out *cni.Pod
	)
	BeforeEach(func(ctx context.Context) {
		l, one = s.l, s.pod
		two = startPod(ctx, l, s.podOf("two", "node2"))
		out = startPod(ctx, l, s.podOf("out", "node2"))
		expectSeenAs(ctx, one.Machine, two.Address(true), one.Address(true))
		expectSeenAs(ctx, two.Machine, one.Address(true), two.Address(true))
	})

	It("of requests for addresses: those that EVPN knows stay on the node, others reach everybody", func(ctx context.Context) {
		known, unknown := two.Address(true), numberedLike(two.Address(true), 200)
		// Without it node1 has not heard of all yet.
		for _, pod := range []*cni.Pod{one, two} {
			other := l.Node("node1")
			if pod == one {
				other = l.Node("node2")
			}
			Eventually(ctx, func() ([]string, error) { return neighborsBy(other.Machine, "svl2-"+s.cudn) }).
				Should(ContainElement(pod.Address(true).String()), "neighbors of %s", other.Name)
		}
		quiet := sniffRequestsFor(ctx, l, s.network, known)
		loud := sniffRequestsFor(ctx, l, s.network, unknown)

		Expect(forget(one.Machine, known)).To(Succeed())
		expectSeenAs(ctx, one.Machine, known, one.Address(true))
		Eventually(ctx, func(ctx context.Context) ([]string, error) {
			_, _ = probe.Ask(ctx, one.Machine, unknown)
			packets, err := loud[0].Packets()
			return packets, err
		}).ShouldNot(BeEmpty(), "requests for %s in tunnels", unknown)
		for _, p := range loud {
			Eventually(ctx, p.Packets).ShouldNot(BeEmpty(), "requests for %s at %s", unknown, p.name)
		}
		for _, p := range quiet {
			Expect(p.Packets()).To(BeEmpty(), "requests for %s, which EVPN knows, at %s", known, p.name)
		}
		count := func(ports []port) (counts []int) {
			for _, p := range ports {
				packets, err := p.Packets()
				Expect(err).NotTo(HaveOccurred())
				counts = append(counts, len(packets))
			}
			return counts
		}
		AddReportEntry("requests", fmt.Sprintf("for a known address %v, for an unknown one %v (tunnels, another node, the router's host)", count(quiet), count(loud)))
	})

	It("of multicast: on a node that has members it reaches these only", func(ctx context.Context) {
		group := netip.MustParseAddr("239.18.0.1")
		others, err := l.SniffOn(ctx, out.Machine, "any", probe.GroupFilter(group))
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(others.Close)
		By("without members it reaches everybody")
		Eventually(ctx, func() ([]string, error) {
			if err := probe.SendTo(one.Machine, group); err != nil {
				return nil, err
			}
			return others.Packets()
		}).ShouldNot(BeEmpty())

		By("with one it reaches that")
		member, err := probe.Join(two.Machine, group)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(member.Close)
		Eventually(ctx, func(ctx context.Context) (string, error) {
			return l.CNI.Central("node2").SB(ctx, "--bare", "--columns=ports", "find", "IGMP_Group", "address="+group.String())
		}).ShouldNot(BeEmpty(), "what OVN of node2 knows of %s", group)
		Expect(l.CNI.Sync(ctx)).To(Succeed())
		before, err := others.Packets()
		Expect(err).NotTo(HaveOccurred())
		heard := member.Heard()
		const packets = 10
		for range packets {
			Expect(probe.SendTo(one.Machine, group)).To(Succeed())
		}
		Eventually(ctx, member.Heard).Should(BeNumerically(">=", heard+packets))
		Expect(others.Packets()).To(HaveLen(len(before)), "packets of the group at a pod that is not in it")
	})
}

// numberedLike is an address of the same /24.
func numberedLike(address netip.Addr, last byte) netip.Addr {
	bytes := address.As4()
	bytes[3] = last
	return netip.AddrFrom4(bytes)
}

// neighborsBy are the addresses that a machine knows by a device, because it was told.
func neighborsBy(m *machine.Machine, device string) ([]string, error) {
	link, err := m.Netlink().LinkByName(device)
	if err != nil {
		return nil, err
	}
	entries, err := m.Netlink().NeighList(link.Attrs().Index, netlink.FAMILY_V4)
	var out []string
	for _, entry := range entries {
		if entry.Flags&netlink.NTF_EXT_LEARNED != 0 {
			out = append(out, entry.IP.String())
		}
	}
	return out, err
}

// forget has a machine ask again for an address.
func forget(m *machine.Machine, address netip.Addr) error {
	entries, err := m.Netlink().NeighList(0, netlink.FAMILY_V4)
	if err != nil {
		return err
	}
	for _, entry := range slices.DeleteFunc(entries, func(n netlink.Neigh) bool { return n.IP.String() != address.String() }) {
		if err := m.Netlink().NeighDel(&entry); err != nil {
			return err
		}
	}
	return nil
}
