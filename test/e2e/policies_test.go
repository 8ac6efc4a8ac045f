package e2e_test

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/frr"
)

// Story 36: what policies set, routers go by. Both nodes advertise a Layer2 network, so
// routers have a choice. What is told is about routes alone: nothing of the network is on
// the nodes, which would need VRFs.
var _ = Describe("A RoutePolicy", Label("story36"), func() {
	var (
		l        *lab.Lab
		one, two *lab.Node
		shared   network
	)
	BeforeEach(func(ctx context.Context) {
		l = use(ctx, lab.TwoRouters())
		one, two = l.Node("node1"), l.Node("node2")
		shared = network{cudn: "shared", topology: cni.Layer2, subnets: prefixes("22.136.0.0/16", "fd00:22:136::/64")}
		withoutAgents(l)
		apply(ctx, l, shared.manifest(l))
	})

	It("sets communities that a router's route-map prefers by, and refuses by", func(ctx context.Context) {
		tor := l.Router("tor")
		filterByCommunity(ctx, l, tor)
		apply(ctx, l, peering(l, tor), advertisement("story36", shared.selector()))
		expectWays(ctx, l, tor, shared, one, two)

		By("one node's routes are the router's second choice")
		apply(ctx, l, policyFor(one, `communities: ["64512:50"]`))
		expectWays(ctx, l, tor, shared, two)
		expectPaths(ctx, l, tor, shared, map[*lab.Node]frr.Path{
			one: {Communities: "64512:50", LocalPreference: 50}, two: {Best: true},
		})

		By("the other's instead")
		apply(ctx, l, policyFor(two, `communities: ["64512:50"]`))
		expectWays(ctx, l, tor, shared, one)
		expectPaths(ctx, l, tor, shared, map[*lab.Node]frr.Path{
			one: {Best: true}, two: {Communities: "64512:50", LocalPreference: 50},
		})

		By("refused, and not only second choice")
		apply(ctx, l, policyFor(two, `communities: ["64512:50", "64512:666"]`))
		expectPaths(ctx, l, tor, shared, map[*lab.Node]frr.Path{one: {Best: true}})
	})

	It("moves a path within an AS by local preference", func(ctx context.Context) {
		tor := l.Router("tor2")
		apply(ctx, l, peering(l, tor), advertisement("story36", shared.selector()))
		expectWays(ctx, l, tor, shared, one, two)
		for _, preferred := range []*lab.Node{two, one} {
			By("by " + preferred.Name)
			apply(ctx, l, policyFor(preferred, "localPreference: 200"))
			expectWays(ctx, l, tor, shared, preferred)
			want := map[*lab.Node]frr.Path{one: {LocalPreference: 100}, two: {LocalPreference: 100}}
			want[preferred] = frr.Path{Best: true, LocalPreference: 200}
			expectPaths(ctx, l, tor, shared, want)
		}
	})

	It("leaves nothing in FRR when it goes", func(ctx context.Context) {
		tor, inside := l.Router("tor"), l.Router("tor2")
		apply(ctx, l, peering(l, tor, inside), advertisement("story36", shared.selector()))
		expectWays(ctx, l, tor, shared, one, two)
		expectWays(ctx, l, inside, shared, one, two)
		// bgpd's own configuration is what counts. That of mgmtd, which vtysh shows beside it,
		// was seen to keep lines whose deletion FRR's reload had executed, and bgpd had not.
		before := map[string]string{}
		for _, n := range l.Nodes {
			// What another spec's policy set goes by the next reload.
			Eventually(ctx, func(ctx context.Context) (string, error) {
				text, err := n.FRR.BGPConfig(ctx)
				before[n.Name] = text
				return text, err
			}).ShouldNot(ContainSubstring("\n set "), n.Name)
		}
		policy := policyFor(nil, `communities: ["64512:50", "large:64512:1:2", no-export], localPreference: 200`)
		apply(ctx, l, policy)
		for _, n := range l.Nodes {
			Eventually(ctx, n.FRR.BGPConfig).Should(And(
				ContainSubstring("set large-community 64512:1:2 additive"), ContainSubstring("set local-preference 200"),
				ContainSubstring("64512:50"), ContainSubstring("no-export")), n.Name)
		}
		expectPaths(ctx, l, inside, shared, map[*lab.Node]frr.Path{
			one: {Communities: "64512:50 no-export", LocalPreference: 200}, two: {Communities: "64512:50 no-export", LocalPreference: 200},
		})

		remove(ctx, l, policy)
		for _, n := range l.Nodes {
			Eventually(ctx, n.FRR.BGPConfig).Should(Equal(before[n.Name]), "bgpd's configuration on %s", n.Name)
		}
		expectPaths(ctx, l, inside, shared, map[*lab.Node]frr.Path{one: {LocalPreference: 100}, two: {LocalPreference: 100}})
	})
})

// withoutAgents is for networks that nodes and OVN have nothing of, as agents would say.
func withoutAgents(l *lab.Lab) {
	for _, n := range l.Nodes {
		n.Agent.Kill()
		DeferCleanup(func(ctx context.Context) { Expect(n.StartAgent(ctx)).To(Succeed()) })
	}
}

// policyFor sets attributes of the routes of a node, or of all nodes.
func policyFor(n *lab.Node, set string) string {
	match := "{}"
	if n != nil {
		match = "{nodeSelector: {matchLabels: {kubernetes.io/hostname: " + n.Name + "}}}"
	}
	return fmt.Sprintf(`
apiVersion: ovnbgp.io/v1alpha1
kind: RoutePolicy
metadata: {name: story36}
spec:
  targetRefs: [{group: k8s.ovn.org, kind: RouteAdvertisements, name: story36}]
  rules: [{match: %s, set: {%s}}]
`, match, set)
}

// filterByCommunity has a router take routes with 64512:50 as a second choice, and none
// with 64512:666, until the end of the spec.
func filterByCommunity(ctx context.Context, l *lab.Lab, r *lab.Router) {
	GinkgoHelper()
	neighbors := func(no string) []string {
		commands := []string{fmt.Sprintf("router bgp %d", r.ASN)}
		for _, ipv4 := range l.Families() {
			afi := afiName(ipv4)
			commands = append(commands, fmt.Sprintf("address-family %s unicast", afi), fmt.Sprintf("%sneighbor nodes-%s route-map from-nodes in", no, afi), "exit-address-family")
		}
		return append(commands, "exit")
	}
	Expect(r.Configure(ctx, slices.Concat([]string{
		"bgp community-list standard second permit 64512:50", "bgp community-list standard refused permit 64512:666",
		"route-map from-nodes deny 10", "match community refused", "exit",
		"route-map from-nodes permit 20", "match community second", "set local-preference 50", "exit",
		"route-map from-nodes permit 30", "exit",
	}, neighbors(""))...)).To(Succeed())
	DeferCleanup(func(ctx context.Context) {
		Expect(r.Configure(ctx, append(neighbors("no "), "no route-map from-nodes",
			"no bgp community-list standard second permit 64512:50", "no bgp community-list standard refused permit 64512:666")...)).To(Succeed())
	})
}

// expectWays waits until a router's kernel sends what is for a network to these nodes.
func expectWays(ctx context.Context, l *lab.Lab, r *lab.Router, n network, nodes ...*lab.Node) {
	GinkgoHelper()
	for _, subnet := range within(l, n.subnets) {
		var want []netip.Addr
		for _, node := range nodes {
			if subnet.Addr().Is4() {
				want = append(want, node.Address(true))
				continue
			}
			want = append(want, linkLocal(node.Machine, cni.Bridge))
		}
		Eventually(ctx, func() ([]netip.Addr, error) { return nextHops(r, subnet) }).Should(ConsistOf(want), "%s's ways to %s", r.Name, subnet)
	}
}

// nextHops are those by which a router's main table has a route to exactly a prefix.
func nextHops(r *lab.Router, to netip.Prefix) ([]netip.Addr, error) {
	routes, err := kernelRoutes(r.Machine)
	i := slices.IndexFunc(routes, func(route kernelRoute) bool { return route.Destination == to && route.Table == unix.RT_TABLE_MAIN })
	if i < 0 {
		return nil, err
	}
	return routes[i].NextHops, err
}

// expectPaths waits until a router has exactly these paths to a network, one by each node,
// with these attributes. Best counts if some path is wanted to be.
func expectPaths(ctx context.Context, l *lab.Lab, r *lab.Router, n network, want map[*lab.Node]frr.Path) {
	GinkgoHelper()
	judged := slices.ContainsFunc(slices.Collect(maps.Values(want)), func(p frr.Path) bool { return p.Best })
	describe := func(from netip.Addr, p frr.Path) string {
		return strings.TrimSpace(fmt.Sprintf("%s: communities %q, local preference %d, best %v", from, p.Communities, p.LocalPreference, p.Best && judged))
	}
	for _, subnet := range within(l, n.subnets) {
		var wanted []string
		for node, path := range want {
			wanted = append(wanted, describe(node.Address(subnet.Addr().Is4()), path))
		}
		Eventually(ctx, func(ctx context.Context) ([]string, error) {
			paths, err := r.Paths(ctx, "", subnet)
			var got []string
			for _, p := range paths {
				got = append(got, describe(p.From, p))
			}
			return got, err
		}).Should(ConsistOf(wanted), "%s's paths to %s", r.Name, subnet)
	}
}
