package e2e_test

import (
	"context"
	"fmt"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/vishvananda/netlink"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// Story 1: the default network's pods are reached from outside, and reach
// servers outside, with their own addresses, in every combination of families
// and gateway modes.
var _ = Describe("Default import and export", Label("story1"), func() {
	for _, local := range []bool{true, false} {
		for _, families := range [][]bool{{true, false}, {true}, {false}} {
			d := lab.Default()
			d.LocalGateway, d.IPv4, d.IPv6 = local, families[0], len(families) == 2 || !families[0]
			mode := map[bool]string{true: "local", false: "shared"}[local]
			It(fmt.Sprintf("carries packets both ways without NAT: %s, %s gateway", familyNames(d), mode), func(ctx context.Context) {
				importAndExport(ctx, use(ctx, d))
			})
		}
	}

	It("works where all nodes share one OVN: no agent touches another's rows", func(ctx context.Context) {
		d := lab.Default()
		d.SharedOVN = true
		importAndExport(ctx, use(ctx, d))
	})

	It("works where the agent limits SNAT, and OVN-Kubernetes does not", func(ctx context.Context) {
		d := lab.Default()
		d.LeaveSNAT, d.AgentArgs = true, []string{"--manage-snat"}
		importAndExport(ctx, use(ctx, d))
	})

	It("works with a router that is not FRR", func(ctx context.Context) {
		d := lab.Default()
		d.Routers[0].GoBGP = true
		importAndExport(ctx, use(ctx, d))
	})
})

func familyNames(d lab.Description) string {
	switch {
	case d.IPv4 && d.IPv6:
		return "dual stack"
	default:
		return familyName(d.IPv4)
	}
}

func importAndExport(ctx context.Context, l *lab.Lab) {
	tor, node := l.Router("tor"), l.Node("node1")
	subnets := within(l, prefixes("172.20.10.0/24", "fd00:172:20:10::/64"))
	server := startServer(ctx, tor, "web", subnets...)
	var pods []*cni.Pod
	for _, n := range l.Nodes {
		pods = append(pods, startPod(ctx, l, cni.PodSpec{Namespace: "story1", Name: "pod-" + n.Name, Node: n.Name}))
	}

	// Import: the template alone is enough for routes to be learned.
	apply(ctx, l, peering(l, tor))
	for _, ipv4 := range l.Families() {
		for _, n := range l.Nodes {
			Eventually(ctx, func(ctx context.Context) (bool, error) {
				return tor.Established(ctx, "", n.Address(ipv4))
			}).Should(BeTrue(), "the session of %s with %s", n.Name, tor.Name)
		}
	}

	// Export.
	first := nodeSubnet(l, node.Name, l.Families()[0])
	exporting(ctx, l, func() { apply(ctx, l, advertisement("story1", defaultNetwork)) }, node, first, tor)
	for _, ipv4 := range l.Families() {
		for _, n := range l.Nodes {
			expectPathVia(ctx, tor, nodeSubnet(l, n.Name, ipv4), n.Address(ipv4))
		}
	}

	// The route is announced last, so that the first packet is timed.
	importing(ctx, l, func() { announce(ctx, tor, subnets...) }, node, subnets[0], pods[0].Machine, server.Address(l.Families()[0]))
	for _, ipv4 := range l.Families() {
		for i, pod := range pods {
			By(fmt.Sprintf("%s to and from %s", familyName(ipv4), pod.Name))
			expectSeenAs(ctx, pod.Machine, server.Address(ipv4), pod.Address(ipv4))
			expectSeenAs(ctx, server.Machine, pod.Address(ipv4), server.Address(ipv4))
			expectRowVia(ctx, l, l.Nodes[i].Name, ofFamily(subnets, ipv4), tor, ipv4)
		}
	}

	unlearning(ctx, l, func() { Expect(tor.Withdraw(ctx, subnets...)).To(Succeed()) }, node, subnets[0])
	withdrawing(ctx, l, func() { remove(ctx, l, advertisement("story1", defaultNetwork)) }, node, first, tor)
}

// expectPathVia waits until a router's best path to a prefix leads to a node.
func expectPathVia(ctx context.Context, r *lab.Router, prefix netip.Prefix, via netip.Addr) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) ([]netip.Addr, error) {
		paths, err := r.Paths(ctx, "", prefix)
		var from []netip.Addr
		for _, path := range paths {
			if path.Best {
				from = append(from, path.From)
			}
		}
		return from, err
	}).Should(ConsistOf(via), "%s on %s", prefix, r.Name)
}

// expectRowVia waits until a node's agent has one row to a prefix.
func expectRowVia(ctx context.Context, l *lab.Lab, node string, prefix netip.Prefix, r *lab.Router, ipv4 bool) {
	GinkgoHelper()
	expectRowsVia(ctx, l, node, prefix, nextHop(r, ipv4))
}

// expectRowsVia waits until a node's agent has one row to a prefix by each of
// these, and no others.
func expectRowsVia(ctx context.Context, l *lab.Lab, node string, prefix netip.Prefix, via ...netip.Addr) {
	GinkgoHelper()
	want := []any{}
	for _, hop := range via {
		want = append(want, row{Prefix: prefix, NextHop: hop, OutputPort: "rtoe-GR_" + node, Network: cni.Default, Node: node})
	}
	Eventually(ctx, func(ctx context.Context) ([]row, error) { return rowsTo(ctx, l, node, prefix) }).Should(ConsistOf(want...))
}

// nextHop is a router as nodes have it in their kernels. Of the two addresses
// that an FRR on the link tells of itself for IPv6, FRR installs the link-local
// one; GoBGP tells the other one only.
func nextHop(r *lab.Router, ipv4 bool) netip.Addr {
	GinkgoHelper()
	if ipv4 || r.GoBGP {
		return r.Address(ipv4)
	}
	return linkLocal(r.Machine, lab.Uplink)
}

// linkLocal is the address of a device that IPv6 made by itself.
func linkLocal(m *machine.Machine, device string) netip.Addr {
	GinkgoHelper()
	link, err := m.Netlink().LinkByName(device)
	Expect(err).NotTo(HaveOccurred())
	found, err := m.Netlink().AddrList(link, netlink.FAMILY_V6)
	Expect(err).NotTo(HaveOccurred())
	for _, address := range found {
		if address.IP.IsLinkLocalUnicast() {
			parsed, _ := netip.AddrFromSlice(address.IP)
			return parsed
		}
	}
	Fail(m.Name + " has no link-local address on " + device)
	return netip.Addr{}
}

func ofFamily(prefixes []netip.Prefix, ipv4 bool) netip.Prefix {
	for _, p := range prefixes {
		if p.Addr().Is4() == ipv4 {
			return p
		}
	}
	return netip.Prefix{}
}
