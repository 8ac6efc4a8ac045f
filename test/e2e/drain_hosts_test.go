package e2e_test

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/frr"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/probe"
)

const drainsSoon = `
apiVersion: ovnbgp.io/v1alpha1
kind: DrainPolicy
metadata: {name: maintenance}
spec:
  do: {withdrawAfterSeconds: 5}
`

// drainFlows are enough for a router that spreads flows by their ports to send some to
// either node, in each family.
const drainFlows = 10

// Story 37: a node drains, and packets find the other one before it is gone. In place of
// a Layer2 network, for which nodes need a VRF, each node has a host with the same
// address behind it: routers can't tell it from one that both nodes lead to.
var _ = Describe("A node that drains", Label("story37"), func() {
	It("loses no packet of a network that both nodes advertise, neither on the way out nor back", func(ctx context.Context) {
		l := use(ctx, lab.Default())
		tor, leaving, staying := l.Router("tor"), l.Node("node1"), l.Node("node2")
		moving := network{cudn: "moving", topology: cni.Layer2, subnets: prefixes("22.137.0.0/16", "fd00:22:137::/64")}
		subnets := within(l, prefixes("172.20.37.0/24", "fd00:172:20:37::/64"))
		server := startServer(ctx, tor, "outside", subnets...)
		withoutAgents(l)
		for _, n := range l.Nodes {
			startHostBehind(ctx, l, n, moving)
		}
		apply(ctx, l, drainsSoon, peering(l, tor), moving.manifest(l), advertisement("story37", moving.selector()))
		announce(ctx, tor, subnets...)
		expectWays(ctx, l, tor, moving, leaving, staying)

		var all streams
		for _, ipv4 := range l.Families() {
			to := hostOf(moving, ipv4)
			expectSeenAs(ctx, server.Machine, to, server.Address(ipv4))
			for i := range drainFlows {
				// 1,000 packets a second in all.
				every := time.Duration(drainFlows*len(l.Families())) * time.Millisecond
				all.addEvery(ctx, every, fmt.Sprintf("%s flow %d", familyName(ipv4), i), server.Machine, to)
			}
		}
		expectArriving(ctx, leaving)
		expectArriving(ctx, staying)
		Eventually(ctx, all.sent).Should(BeNumerically(">", 5000))
		all.skipIfLossy(ctx)

		By("kubectl ra drain")
		Expect(kubectlRA(ctx, l, "drain", leaving.Name)).To(ContainSubstring("kubectl drain can follow"))
		DeferCleanup(func(ctx context.Context) {
			if !current.broken {
				_, err := kubectlRA(ctx, l, "undrain", leaving.Name)
				Expect(err).NotTo(HaveOccurred())
			}
		})
		expectWays(ctx, l, tor, moving, staying)
		expectPaths(ctx, l, tor, moving, map[*lab.Node]frr.Path{staying: {}})

		By("what is behind the node goes, and comes back")
		Expect(leaving.Machine.SetLink(behind, false)).To(Succeed())
		sent := all.sent()
		Eventually(ctx, all.sent).Should(BeNumerically(">", sent+5000))
		attachHost(leaving, moving, l)

		By("kubectl ra undrain")
		Expect(kubectlRA(ctx, l, "undrain", leaving.Name)).To(ContainSubstring("drains no longer"))
		expectWays(ctx, l, tor, moving, leaving, staying)
		expectArriving(ctx, leaving)

		all.pause(true)
		reportOutage("a node drained and was had back", "flows by both nodes", all.outage())
		Eventually(ctx, all.lost).Should(BeZero(), "packets lost of %d", all.sent())
	})
})

// behind is the node's device to the host.
const behind = "behind"

// hostOf is the address that a network's host has behind each node.
func hostOf(n network, ipv4 bool) netip.Addr {
	for _, subnet := range n.subnets {
		if subnet.Addr().Is4() == ipv4 {
			return subnet.Addr().Next().Next()
		}
	}
	return netip.Addr{}
}

// startHostBehind puts a host that answers probes behind a node, and removes it after the
// spec.
func startHostBehind(ctx context.Context, l *lab.Lab, n *lab.Node, of network) {
	GinkgoHelper()
	host, err := n.Machine.Pod("host")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(host.Close)
	var addresses []string
	for _, subnet := range within(l, of.subnets) {
		addresses = append(addresses, netip.PrefixFrom(hostOf(of, subnet.Addr().Is4()), subnet.Bits()).String())
	}
	Expect(machine.Link(machine.End{Machine: host, Name: "eth0", Addresses: addresses}, machine.End{Machine: n.Machine, Name: behind})).To(Succeed())
	attachHost(n, of, l)
	for _, subnet := range within(l, of.subnets) {
		everywhere := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
		if subnet.Addr().Is6() {
			everywhere = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
		}
		Expect(host.AddRoute(everywhere, subnet.Addr().Next(), 0)).To(Succeed())
	}
	answers, err := probe.Serve(host)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(answers.Close)
}

// attachHost gives a node its end of the link, which it loses the addresses of when the
// link goes down.
func attachHost(n *lab.Node, of network, l *lab.Lab) {
	GinkgoHelper()
	var addresses []string
	for _, subnet := range within(l, of.subnets) {
		addresses = append(addresses, netip.PrefixFrom(subnet.Addr().Next(), subnet.Bits()).String())
	}
	Expect(n.Machine.SetLink(behind, true)).To(Succeed())
	Expect(n.Machine.AddAddresses(behind, addresses...)).To(Succeed())
}

// expectArriving waits until a node gets packets for the host behind it.
func expectArriving(ctx context.Context, n *lab.Node) {
	GinkgoHelper()
	before, err := sent(n.Machine, behind)
	Expect(err).NotTo(HaveOccurred())
	Eventually(ctx, func() (uint64, error) { return sent(n.Machine, behind) }).Should(BeNumerically(">", before+100), "packets that %s passes on", n.Name)
}
