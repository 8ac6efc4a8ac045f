package e2e_test

import (
	"context"
	"net/netip"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
)

// Story 10: nodes learn what the template allows, and nothing else reaches
// kernels or OVN.
var _ = Describe("Filters of what is received", Label("story10"), func() {
	It("let in what is within a prefix and of an allowed length, and follow the template", func(ctx context.Context) {
		l := use(ctx, lab.Default())
		tor, node := l.Router("tor"), l.Node("node1")
		subnets := prefixes("172.20.100.0/24", "fd00:172:20:100::/64")
		server := startServer(ctx, tor, "web", subnets...)
		pod := startPod(ctx, l, cni.PodSpec{Namespace: "story10", Name: "pod", Node: node.Name})
		var (
			inside    = append(prefixes("172.20.101.128/25"), subnets...)
			covering  = prefixes("172.20.100.0/22", "fd00:172:20:100::/60")
			narrower  = prefixes("172.20.102.0/26", "fd00:172:20:101::/72")
			elsewhere = prefixes("172.20.104.0/24", "fd00:172:20:110::/64")
		)
		allowing := func(filters string) string {
			return peeringThatReceives(l, "{mode: filtered, prefixes: ["+filters+"]}", tor)
		}

		apply(ctx, l, advertisement("story10", defaultNetwork),
			allowing("{prefix: 172.20.100.0/22, ge: 24, le: 25}, {prefix: 'fd00:172:20:100::/60', ge: 64, le: 64}"))
		announce(ctx, tor, slices.Concat(inside, covering, narrower, elsewhere)...)
		expectLearned(ctx, l, inside...)
		for _, ipv4 := range l.Families() {
			expectSeenAs(ctx, pod.Machine, server.Address(ipv4), pod.Address(ipv4))
		}

		By("another prefix")
		apply(ctx, l, allowing("{prefix: 172.20.104.0/22, le: 24}, {prefix: 'fd00:172:20:110::/60', le: 64}"))
		expectLearned(ctx, l, elsewhere...)

		By("one of the lengths only")
		apply(ctx, l, allowing("{prefix: 172.20.96.0/20, ge: 26}, {prefix: 'fd00:172:20::/48', ge: 72}"))
		expectLearned(ctx, l, narrower...)

		By("no filter")
		apply(ctx, l, peering(l, tor))
		expectLearned(ctx, l, slices.Concat(inside, covering, narrower, elsewhere)...)
	})
})

// expectLearned waits until all nodes have exactly these routes of BGP, in
// their kernels and in OVN, and sees that it stays so.
func expectLearned(ctx context.Context, l *lab.Lab, want ...netip.Prefix) {
	GinkgoHelper()
	for _, n := range l.Nodes {
		for where, prefixes := range map[string]func(context.Context) ([]netip.Prefix, error){
			"in the kernel of " + n.Name: func(context.Context) ([]netip.Prefix, error) { return kernelPrefixes(n) },
			"in OVN of " + n.Name: func(ctx context.Context) ([]netip.Prefix, error) {
				rows, err := importedRows(ctx, l, n.Name)
				var out []netip.Prefix
				for _, r := range rows {
					out = append(out, r.Prefix)
				}
				return out, err
			},
		} {
			Eventually(ctx, prefixes).Should(ConsistOf(want), where)
			Consistently(ctx, prefixes).WithTimeout(notAnOutage/4).Should(ConsistOf(want), where)
		}
	}
}

func kernelPrefixes(n *lab.Node) ([]netip.Prefix, error) {
	routes, err := kernelRoutes(n.Machine)
	var out []netip.Prefix
	for _, r := range routes {
		out = append(out, r.Destination)
	}
	return out, err
}
