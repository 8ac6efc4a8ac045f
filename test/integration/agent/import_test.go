package agent

import (
	"fmt"
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/testns"
)

var _ = Describe("Import", func() {
	It("brings every kind of route to the gateway router, and takes it away again", func() {
		n := newNode()
		n.ip(
			"nexthop add id 7 via 172.18.0.7 dev gw0", "nexthop add id 8 via 172.18.0.8 dev gw0", "nexthop add id 9 group 7/8",
			"nexthop add id 17 via fe80::7 dev gw0", "nexthop add id 18 via fe80::8 dev gw0", "nexthop add id 19 group 17/18",
			"route add 10.1.0.0/24 via 172.18.0.2 proto bgp table 1005",
			"route add 10.2.0.0/24 table 1005 proto bgp nexthop via 172.18.0.2 nexthop via 172.18.0.3",
			"route add 10.3.0.0/24 nhid 7 proto bgp table 1005",
		)
		n.start()
		n.expectSame()
		n.ip(
			"route add 10.4.0.0/24 nhid 9 proto bgp table 1005",
			"route add blackhole 10.5.0.0/24 proto bgp table 1005",
			"route add unreachable 10.6.0.0/24 proto bgp table 1005",
			"route add prohibit 10.7.0.0/24 proto bgp table 1005",
			"route add fd01::/64 via fd00:18::2 proto bgp table 1005",
			"route add fd02::/64 via fe80::2 dev gw0 proto bgp table 1005",
			"route add fd03::/64 proto bgp table 1005 nexthop via fe80::2 dev gw0 nexthop via fe80::3 dev gw0",
			"route add fd04::/64 nhid 19 proto bgp table 1005",
			"route add blackhole fd05::/64 proto bgp table 1005",
			"route add 10.1.0.0/24 via 172.18.0.4 proto bgp",
		)
		n.expectSame()
		Expect(n.inOVN("GR_cluster_udn_blue_n1")).To(HaveExactElements(
			"10.1.0.0/24>172.18.0.2", "10.2.0.0/24>172.18.0.2", "10.2.0.0/24>172.18.0.3", "10.3.0.0/24>172.18.0.7",
			"10.4.0.0/24>172.18.0.7", "10.4.0.0/24>172.18.0.8", "10.5.0.0/24>discard", "10.6.0.0/24>discard", "10.7.0.0/24>discard",
			"fd01::/64>fd00:18::2", "fd02::/64>fe80::2", "fd03::/64>fe80::2", "fd03::/64>fe80::3",
			"fd04::/64>fe80::7", "fd04::/64>fe80::8", "fd05::/64>discard"))
		n.ip(
			"route replace 10.1.0.0/24 table 1005 proto bgp nexthop via 172.18.0.5 nexthop via 172.18.0.6",
			"route replace 10.2.0.0/24 via 172.18.0.2 proto bgp table 1005",
			"route replace 10.3.0.0/24 nhid 9 proto bgp table 1005",
			"route replace 10.5.0.0/24 via 172.18.0.2 proto bgp table 1005",
			"route del 10.6.0.0/24 proto bgp table 1005",
			"nexthop del id 8",
			"route del fd03::/64 via fe80::2 dev gw0 table 1005",
			"route del 10.1.0.0/24 proto bgp",
		)
		n.expectSame()
		n.ip("nexthop del id 7")
		n.expectSame()
		n.ip("link set gw0 down")
		n.expectSame()
		Expect(n.inOVN("GR_cluster_udn_blue_n1")).To(HaveExactElements("10.7.0.0/24>discard", "fd05::/64>discard"))
	})

	It("skips what must not be imported, and counts why", func() {
		n := newNode()
		n.ip(
			"route add 10.244.7.0/24 via 172.18.0.2 proto bgp table 1005",
			"route add 10.96.0.0/12 via 172.18.0.2 proto bgp table 1005",
			"route add default via 172.18.0.2 proto bgp table 1005",
			"route add 10.1.0.0/24 via 172.19.0.2 proto bgp table 1005",
			"route add 10.2.0.0/24 dev gw0 proto bgp table 1005",
			"route add 10.3.0.0/24 via inet6 fe80::1 dev gw0 proto bgp table 1005",
			"route add 10.4.0.0/24 via 172.18.0.2 proto bgp table 1005",
		)
		n.start()
		n.expectSame()
		n.expectReason(blue, agent.ReasonSynced)
		state := n.state(blue)
		Expect(state.Learned).To(Equal(7))
		Expect(state.Imported).To(Equal(1))
		Expect(state.Skipped).To(Equal(map[model.SkipReason]int{
			model.SkipPodSubnet: 2, model.SkipServiceSubnet: 1, model.SkipForeignLink: 1, model.SkipNoNextHop: 1, model.SkipIPv4ViaIPv6: 1,
		}))
		Expect(n.figure("routes_skipped")).To(BeEquivalentTo(6))
		n.ip("route del 10.1.0.0/24 proto bgp table 1005")
		Eventually(func() int { return n.state(blue).Skipped[model.SkipForeignLink] }, patience).Should(Equal(0))
	})

	It("imports IPv4 routes via IPv6 next hops where OVN takes them", func() {
		n := newNode()
		n.server.Transact(GinkgoTB(), map[string]any{"op": "insert", "table": "NB_Global", "row": map[string]any{
			"options": []any{"map", [][]string{{"northd_internal_version", "25.03.0-20.41.0-77.6"}}}}})
		n.ip("route add 10.3.0.0/24 via inet6 fe80::1 dev gw0 proto bgp table 1005")
		n.start()
		Eventually(func() []string { return n.inOVN("GR_cluster_udn_blue_n1") }, patience).Should(HaveExactElements("10.3.0.0/24>fe80::1"))

		By("leaving them alone over a restart")
		id := n.server.RowID(GinkgoTB(), "Logical_Router_Static_Route", "nexthop", "fe80::1")
		n.stop()
		n.start()
		n.expectReason(blue, agent.ReasonSynced)
		n.ip("route add 10.4.0.0/24 via 172.18.0.2 proto bgp table 1005")
		Eventually(func() []string { return n.inOVN("GR_cluster_udn_blue_n1") }, patience).Should(HaveExactElements("10.3.0.0/24>fe80::1", "10.4.0.0/24>172.18.0.2"))
		Expect(n.server.RowID(GinkgoTB(), "Logical_Router_Static_Route", "nexthop", "fe80::1")).To(Equal(id))
		Expect(n.figure("rows_written_total")).To(BeEquivalentTo(1))

		By("taking them away when OVN goes back to a version that doesn't take them")
		n.server.Transact(GinkgoTB(), map[string]any{"op": "update", "table": "NB_Global", "where": []any{}, "row": map[string]any{
			"options": []any{"map", [][]string{{"northd_internal_version", "23.03.1-20.27.0-70.6"}}}}})
		n.ip("route add 10.5.0.0/24 via 172.18.0.2 proto bgp table 1005")
		Eventually(func() []string { return n.inOVN("GR_cluster_udn_blue_n1") }, patience).Should(HaveExactElements("10.4.0.0/24>172.18.0.2", "10.5.0.0/24>172.18.0.2"))
	})

	It("holds back what exceeds the limit, keeps what is there, and fills up when there is room", func() {
		n := newNode()
		n.settings.MaxRoutes = 3
		for i := range 3 {
			n.ip(fmt.Sprintf("route add 10.9.%d.0/24 via 172.18.0.2 proto bgp table 1005", i))
		}
		n.start()
		n.expectSame()
		n.ip("route add 10.1.0.0/24 via 172.18.0.2 proto bgp table 1005", "route add 10.2.0.0/24 via 172.18.0.2 proto bgp table 1005")
		Eventually(func() int { return n.state(blue).Held }, patience).Should(Equal(2))
		kept := []any{"10.9.0.0/24>172.18.0.2", "10.9.1.0/24>172.18.0.2", "10.9.2.0/24>172.18.0.2"}
		Expect(n.inOVN("GR_cluster_udn_blue_n1")).To(HaveExactElements(kept...))
		Expect(n.figure("over_limit")).To(BeEquivalentTo(1))

		By("keeping them over a restart too")
		n.stop()
		n.start()
		n.expectReason(blue, agent.ReasonOverLimit)
		Expect(n.inOVN("GR_cluster_udn_blue_n1")).To(HaveExactElements(kept...))
		Expect(n.state(blue).Held).To(Equal(2))

		By("changing those that are there")
		n.ip("route replace 10.9.0.0/24 via 172.18.0.9 proto bgp table 1005")
		Eventually(func() []string { return n.inOVN("GR_cluster_udn_blue_n1") }, patience).Should(ContainElement("10.9.0.0/24>172.18.0.9"))

		By("filling up")
		n.ip("route del 10.9.0.0/24 proto bgp table 1005", "route del 10.9.1.0/24 proto bgp table 1005")
		n.expectSame()
		Expect(n.state(blue).Held).To(BeZero())
	})

	It("takes away what the kernel no longer has when the gateway's link is renamed, and says which is missing", func() {
		n := newNode()
		n.networks[1].GatewaySource = "the annotation k8s.ovn.org/l3-gateway-config"
		n.ip("route add 10.1.0.0/24 via 172.18.0.2 proto bgp table 1005", "route add 10.2.0.0/24 via 172.18.0.2 proto bgp table 1005")
		n.start()
		n.expectSame()
		n.ip("link set gw0 down", "link set gw0 name gw9", "link set gw9 up", "route add 10.1.0.0/24 via 172.18.0.2 proto bgp table 1005")
		n.expectReason(blue, agent.ReasonGatewayUnknown)
		Expect(n.state(blue).Message).To(HavePrefix("the link gw0, which the annotation k8s.ovn.org/l3-gateway-config names as the gateway's, is not on this node."))
		// The other one was gone for as long as the link was down. An agent that looked at
		// that moment has taken it away, too; the next spec has what stays.
		Eventually(func() []string { return n.inOVN("GR_cluster_udn_blue_n1") }, patience).Should(Or(BeEmpty(), HaveExactElements("10.1.0.0/24>172.18.0.2")))
		n.ip("link set gw9 down", "link set gw9 name gw0", "link set gw0 up")
		n.expectReason(blue, agent.ReasonSynced)
		n.expectSame()
	})

	It("keeps what is there while the gateway's link is not known", func() {
		n := newNode()
		n.ip("route add 10.1.0.0/24 via 172.18.0.2 proto bgp table 1005")
		n.start()
		n.expectSame()
		n.networks[1].Gateways = nil
		n.agent.Apply(n.networks, true)
		n.expectReason(blue, agent.ReasonGatewayUnknown)
		Expect(n.inOVN("GR_cluster_udn_blue_n1")).To(HaveLen(1))
		n.ip("route add 10.2.0.0/24 via 172.18.0.2 proto bgp table 1005", "route del 10.1.0.0/24 proto bgp table 1005")
		Eventually(func() []string { return n.inOVN("GR_cluster_udn_blue_n1") }, patience).Should(BeEmpty())
		Expect(n.state(blue).Skipped).To(HaveKeyWithValue(model.SkipGatewayUnknown, 1))
	})

	It("removes the routes of a network that goes, and of one whose VRF goes", func() {
		n := newNode()
		n.ip("route add 10.1.0.0/24 via 172.18.0.2 proto bgp table 1005", "route add 10.2.0.0/24 via 172.18.0.2 proto bgp")
		n.start()
		n.expectSame()
		n.networks[1].Table = 0 // The VRF device blue is not there.
		n.agent.Apply(n.networks, true)
		n.expectReason(blue, agent.ReasonVRFMissing)
		Eventually(func() []string { return n.inOVN("GR_cluster_udn_blue_n1") }, patience).Should(BeEmpty())
		n.networks[1].Table = blueTable
		n.agent.Apply(n.networks, true)
		n.expectSame()
		By("not being named while that may be for want of knowledge")
		n.agent.Apply(n.networks[:1], false)
		n.ip("route add 10.3.0.0/24 via 172.18.0.2 proto bgp table 1005")
		n.expectSame()
		By("being gone for sure")
		n.agent.Apply(n.networks[:1], true)
		Eventually(func() []string { return n.inOVN("GR_cluster_udn_blue_n1") }, patience).Should(BeEmpty())
		Expect(n.inOVN("GR_n1")).To(HaveLen(1))
		Expect(n.figure("routes")).To(BeEquivalentTo(2))
	})

	It("stands aside for OVN-Kubernetes' route import and for OVN's dynamic routing", func() {
		n := newNode()
		n.ip("route add 10.1.0.0/24 via 172.18.0.2 proto bgp table 1005")
		n.start()
		n.expectSame()
		router := "GR_cluster_udn_blue_n1"
		n.server.AddRoute(GinkgoTB(), router, "10.1.0.0/24", "172.18.0.2", "rtoe-"+router, [2]string{"k8s.ovn.org/owner-controller", "RouteImport"})
		n.expectReason(blue, agent.ReasonRouteImport)
		Eventually(func() []string { return n.inOVN(router) }, patience).Should(BeEmpty())
		Expect(n.server.Routes(GinkgoTB(), router, ownerKey)).To(HaveLen(1))
		Expect(n.state(blue).Skipped).To(HaveKeyWithValue(model.SkipStandAside, 1))
		n.server.Transact(GinkgoTB(), map[string]any{"op": "mutate", "table": "Logical_Router", "where": []any{},
			"mutations": []any{[]any{"static_routes", "delete", n.server.AllRoutes(GinkgoTB())}}})
		n.expectReason(blue, agent.ReasonSynced)
		n.expectSame()
		n.server.Transact(GinkgoTB(), map[string]any{"op": "update", "table": "Logical_Router", "where": []any{[]any{"name", "==", router}},
			"row": map[string]any{"options": []any{"map", [][]string{{"dynamic-routing", "true"}}}}})
		n.expectReason(blue, agent.ReasonDynamicRouting)
		Eventually(func() []string { return n.inOVN(router) }, patience).Should(BeEmpty())
	})

	It("waits for a gateway router that isn't there yet", func() {
		n := newNode()
		n.server.RemoveRouter(GinkgoTB(), "GR_n1")
		n.ip("route add 10.1.0.0/24 via 172.18.0.2 proto bgp")
		n.start()
		n.expectReason("default", agent.ReasonNoGatewayRouter)
		began := time.Now()
		n.server.AddRouter(GinkgoTB(), "GR_n1")
		n.expectSame()
		Expect(time.Since(began)).To(BeNumerically("<", 5*time.Second))
	})

	It("limits SNAT of an advertised network, and sets it back, without a fight", func() {
		n := newNode()
		n.manageSNAT = true
		n.networks[0].Subnets = []netip.Prefix{netip.MustParsePrefix("10.244.0.0/16")}
		n.networks[0].Advertised = true
		n.server.Transact(GinkgoTB(),
			map[string]any{"op": "insert", "table": "Address_Set", "row": map[string]any{"name": "a1", "addresses": "172.18.0.9",
				"external_ids": []any{"map", [][]string{{"k8s.ovn.org/name", "node-ips"}}}}},
			map[string]any{"op": "insert", "table": "NAT", "uuid-name": "nat", "row": map[string]any{"type": "snat", "logical_ip": "10.244.0.0/16", "external_ip": "172.18.0.1"}},
			map[string]any{"op": "mutate", "table": "Logical_Router", "where": []any{[]any{"name", "==", "GR_n1"}},
				"mutations": []any{[]any{"nat", "insert", []string{"named-uuid", "nat"}}}})
		limited := func() bool {
			return n.server.LimitedSNAT(GinkgoTB())["10.244.0.0/16"]
		}
		n.start()
		Eventually(limited, patience).Should(BeTrue())
		for range 3 {
			n.server.FreeSNAT(GinkgoTB(), nil)
			Eventually(limited, patience).Should(BeTrue())
		}
		Expect(n.figure("snat_changes_total")).To(BeEquivalentTo(4))
		n.networks[0].Advertised = false
		n.agent.Apply(n.networks, true)
		Eventually(limited, 2*patience).Should(BeFalse())
	})

	It("finds a network's table by its VRF device", InVM, func() {
		n := newNode()
		testns.RequireVRF(GinkgoTB(), n.ns)
		n.networks[1].Table = 0
		n.start()
		n.expectReason("default", agent.ReasonSynced)
		n.ip("link add blue type vrf table 1005", "link set blue up", "route add 10.1.0.0/24 via 172.18.0.2 dev gw0 onlink proto bgp table 1005")
		n.expectSame()
		n.ip("link del blue")
		n.expectReason(blue, agent.ReasonVRFMissing)
		Eventually(func() []string { return n.inOVN(blueRouter) }, patience).Should(BeEmpty())
		n.ip("link add blue type vrf table 1006", "link set blue up", "route add 10.2.0.0/24 via 172.18.0.2 dev gw0 onlink proto bgp table 1006")
		Eventually(func() []string { return n.inOVN(blueRouter) }, patience).Should(HaveExactElements("10.2.0.0/24>172.18.0.2"))
	})
})
