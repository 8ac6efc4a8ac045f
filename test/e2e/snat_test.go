package e2e_test

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/probe"
)

// Story 1, where others write on the same gateway routers: the agent limits the
// SNAT of an advertised network, and nothing else.
var _ = Describe("SNAT that the agent limits", Label("story1"), func() {
	d := lab.Default()
	d.LeaveSNAT, d.AgentArgs = true, []string{"--manage-snat", "--allow-covering-cluster-subnets"}

	It("stands beside egress IPs, SNAT of a network without an overlay, and OVN-Kubernetes' default routes", func(ctx context.Context) {
		l := use(ctx, d)
		tor, node := l.Router("tor"), l.Node("node1")
		subnets := prefixes("172.20.15.0/24", "fd00:172:20:15::/64")
		egress := prefixes("203.0.113.15/32", "fd00:203:0:113::15/128")
		hidden := network{
			cudn: "hidden", id: 9, topology: cni.Layer3, routing: "Unmanaged", outboundSNAT: true,
			subnets: prefixes("22.163.0.0/16", "fd00:22:163::/48"),
		}
		server := startServer(ctx, tor, "ledger", subnets...)
		onRouter, err := probe.Serve(tor.Machine)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(onRouter.Close)
		defaults := defaultRoutes(ctx, l, node.Name)
		Expect(defaults).To(HaveLen(2), "OVN-Kubernetes' own on the default network's gateway router")

		Expect(ensureNamespace(ctx, l, "story1", map[string]string{"team": "payments"})).To(Succeed())
		startNetwork(ctx, l, hidden)
		plain := startPod(ctx, l, cni.PodSpec{Namespace: "default", Name: "plain", Node: node.Name})
		paying := startPod(ctx, l, cni.PodSpec{Namespace: "story1", Name: "paying", Node: node.Name})
		bare := startPod(ctx, l, hidden.podOf("bare", node.Name))
		apply(ctx, l, peering(l, tor), egressIPs("snat", egress...),
			strings.Replace(advertisement("snat", defaultNetwork, hidden.selector()), "[PodNetwork]", "[PodNetwork, EgressIP]", 1))
		DeferCleanup(func(ctx context.Context) { Expect(l.CNI.ReleaseEgressIP(ctx, "snat")).To(Succeed()) })
		Expect(l.CNI.AssignEgressIP(ctx, l.Kube.Client, "snat", []*cni.Pod{paying},
			cni.EgressAddress{Address: egress[0].Addr(), Node: node.Name},
			cni.EgressAddress{Address: egress[1].Addr(), Node: node.Name})).To(Succeed())
		announce(ctx, tor, subnets...)

		expectAll := func() {
			GinkgoHelper()
			for _, ipv4 := range l.Families() {
				address := server.Address(ipv4)
				By(familyName(ipv4) + ": the advertised pod with its own address")
				expectSeenAs(ctx, plain.Machine, address, plain.Address(ipv4))
				By(familyName(ipv4) + ": the pod with an egress IP with that")
				expectSeenAs(ctx, paying.Machine, address, ofFamily(egress, ipv4).Addr())
				// To the router itself: what a user's network knows of other
				// routes comes with VRFs.
				By(familyName(ipv4) + ": the pod without an overlay with its node's address")
				expectSeenAs(ctx, bare.Machine, tor.Address(ipv4), node.Address(ipv4))
			}
		}
		expectAll()
		Expect(defaultRoutes(ctx, l, node.Name)).To(Equal(defaults))

		By("a default route by BGP, where the node has no other")
		everywhere := prefixes("0.0.0.0/0", "::/0")
		withoutDefaultRoutes(l, node, everywhere)
		announce(ctx, tor, everywhere...)
		for _, half := range prefixes("0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1") {
			expectRowVia(ctx, l, node.Name, half, tor, half.Addr().Is4())
		}
		Expect(tor.Withdraw(ctx, subnets...)).To(Succeed())
		for _, subnet := range subnets {
			expectRowsVia(ctx, l, node.Name, subnet)
		}
		expectAll()
		Expect(defaultRoutes(ctx, l, node.Name)).To(Equal(defaults))

		By("that default route withdrawn")
		Expect(tor.Withdraw(ctx, everywhere...)).To(Succeed())
		for _, half := range prefixes("0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1") {
			expectRowsVia(ctx, l, node.Name, half)
		}
		Expect(defaultRoutes(ctx, l, node.Name)).To(Equal(defaults))
	})
})

// defaultRoutes are the rows of default routes on the default network's gateway
// router, whoever wrote them, with their UUIDs.
func defaultRoutes(ctx context.Context, l *lab.Lab, node string) []string {
	GinkgoHelper()
	var out []string
	for _, prefix := range []string{"0.0.0.0/0", "::/0"} {
		text, err := l.CNI.Central(node).NB(ctx, "--format=csv", "--data=bare", "--no-headings", "--columns=_uuid,ip_prefix,nexthop,output_port",
			"find", "logical_router_static_route", `ip_prefix="`+prefix+`"`, "output_port=rtoe-"+theDefault.gatewayRouter(node))
		Expect(err).NotTo(HaveOccurred())
		out = append(out, strings.Fields(text)...)
	}
	slices.Sort(out)
	return out
}

// withoutDefaultRoutes takes the node's own default routes, which FRR prefers to
// BGP's, until the end of the spec.
func withoutDefaultRoutes(l *lab.Lab, n *lab.Node, everywhere []netip.Prefix) {
	GinkgoHelper()
	for _, prefix := range everywhere {
		via := l.Gateway(prefix.Addr().Is4())
		Expect(n.Machine.DeleteRoute(prefix, via)).To(Succeed())
		DeferCleanup(func() { Expect(n.Machine.AddRoute(prefix, via, 0)).To(Succeed()) })
	}
}
