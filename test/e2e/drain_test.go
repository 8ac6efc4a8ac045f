package e2e_test

import (
	"context"
	"net/netip"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
)

const drainPolicy = `
apiVersion: ovnbgp.io/v1alpha1
kind: DrainPolicy
metadata: {name: maintenance}
spec:
  do: {withdrawAfterSeconds: 5}
`

// Story 30: a node drains, and packets find the other one before it withdraws anything.
var _ = Describe("A node that drains", Label("story30"), NeedsVRF, Slow, func() {
	It("loses no packet of a network that both nodes advertise, neither on the way out nor back", func(ctx context.Context) {
		l := use(ctx, lab.Default())
		tor, leaving, staying := l.Router("tor"), l.Node("node1"), l.Node("node2")
		n := network{cudn: "moving", id: 30, topology: cni.Layer2, subnets: prefixes("22.130.0.0/16", "fd00:22:130::/64")}
		subnets := within(l, prefixes("172.20.30.0/24", "fd00:172:20:30::/64"))
		server := startServer(ctx, tor, "outside", subnets...)
		announce(ctx, tor, subnets...)
		startNetwork(ctx, l, n)
		pod := startPod(ctx, l, n.podOf("vm", staying.Name))
		apply(ctx, l, drainPolicy, peering(l, tor), advertisement("story30", n.selector()))
		var flows streams
		for _, ipv4 := range l.Families() {
			expectSeenAs(ctx, server.Machine, pod.Address(ipv4), server.Address(ipv4))
			flows.addEvery(ctx, 2*time.Millisecond, familyName(ipv4)+", client to pod", server.Machine, pod.Address(ipv4))
		}
		ways := func(nodes ...*lab.Node) {
			GinkgoHelper()
			for _, subnet := range within(l, n.subnets) {
				var want []netip.Addr
				for _, node := range nodes {
					want = append(want, node.Address(subnet.Addr().Is4()))
				}
				matcher := ConsistOf(want)
				if subnet.Addr().Is6() {
					// The kernel has link-local addresses.
					matcher = HaveLen(len(want))
				}
				Eventually(ctx, func() ([]netip.Addr, error) { return globalWays(tor, subnet) }).Should(matcher, "the router's ways to %s", subnet)
			}
		}
		ways(leaving, staying)
		flows.skipIfLossy(ctx)

		By("kubectl ra drain")
		Expect(kubectlRA(ctx, l, "drain", leaving.Name)).To(ContainSubstring("kubectl drain can follow"))
		DeferCleanup(func(ctx context.Context) {
			if !current.broken {
				_, err := kubectlRA(ctx, l, "undrain", leaving.Name)
				Expect(err).NotTo(HaveOccurred())
			}
		})
		ways(staying)
		for _, subnet := range within(l, n.subnets) {
			Eventually(ctx, func(ctx context.Context) (int, error) {
				paths, err := tor.Paths(ctx, "", subnet)
				return len(paths), err
			}).Should(Equal(1), "%s is withdrawn at last", subnet)
		}
		By("kubectl ra undrain")
		Expect(kubectlRA(ctx, l, "undrain", leaving.Name)).To(ContainSubstring("drains no longer"))
		ways(leaving, staying)

		flows.pause(true)
		reportOutage("a node drained and was had back", "flows by both nodes", flows.outage())
		Eventually(ctx, flows.lost).Should(BeZero(), "packets lost of %d", flows.sent())
	})
})

// globalWays are the next hops by which a router's main table has a route to exactly a
// prefix.
func globalWays(r *lab.Router, to netip.Prefix) ([]netip.Addr, error) {
	routes, err := kernelRoutes(r.Machine)
	i := slices.IndexFunc(routes, func(route kernelRoute) bool { return route.Destination == to && route.Table == unix.RT_TABLE_MAIN })
	if i < 0 {
		return nil, err
	}
	return routes[i].NextHops, err
}
