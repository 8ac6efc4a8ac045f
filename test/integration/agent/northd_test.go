package agent

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
)

// The real ovn-northd of this machine is asked what it makes of our rows:
// Debian 12 has 23.03, the virtual machine's Debian 13 has 25.03.
var _ = Describe("ovn-northd", InVM, func() {
	// flows tells whether northd routes a prefix, and how.
	flows := func(northd *nbserver.Northd, prefix string) []string {
		northd.Sync(GinkgoTB())
		return northd.Flows(GinkgoTB(), "dst == "+prefix)
	}
	newRouted := func() (*node, *nbserver.Northd) {
		n := newNode()
		n.server.Transact(GinkgoTB(),
			map[string]any{"op": "insert", "table": "Logical_Router_Port", "uuid-name": "port", "row": map[string]any{
				"name": "rtoe-GR_n1", "mac": "02:00:00:00:00:01", "networks": []any{"set", []string{"172.18.0.1/16", "fd00:18::1/64"}}}},
			map[string]any{"op": "mutate", "table": "Logical_Router", "where": []any{[]any{"name", "==", "GR_n1"}},
				"mutations": []any{[]any{"ports", "insert", []string{"named-uuid", "port"}}}})
		return n, nbserver.StartNorthd(GinkgoTB(), n.server)
	}

	It("makes flows of every kind of route that is imported", func() {
		n, northd := newRouted()
		n.ip("route add 10.1.0.0/24 via 172.18.0.2 proto bgp",
			"route add 10.2.0.0/24 proto bgp nexthop via 172.18.0.2 nexthop via 172.18.0.3",
			"route add blackhole 10.5.0.0/24 proto bgp",
			"route add fd01::/64 via fd00:18::2 proto bgp",
			"route add fd02::/64 via fe80::2 dev gw0 proto bgp")
		n.start()
		n.expectSame()
		for prefix, want := range map[string]string{
			"10.1.0.0/24": "reg0 = 172.18.0.2;", "10.2.0.0/24": "select(", "10.5.0.0/24": "drop;",
			"fd01::/64": "xxreg0 = fd00:18::2;", "fd02::/64": "xxreg0 = fe80::2;",
		} {
			Expect(flows(northd, prefix)).To(ContainElement(ContainSubstring(want)), prefix)
		}
	})

	It("routes IPv4 via IPv6 where the agent takes it to, and nowhere else", func() {
		const prefix = "10.3.0.0/24"
		n, northd := newRouted()
		n.ip("route add "+prefix+" via inet6 fe80::1 dev gw0 proto bgp", "route add 10.1.0.0/24 via 172.18.0.2 proto bgp")
		n.start()
		Eventually(func() []string { return n.inOVN("GR_n1") }, patience).Should(ContainElement("10.1.0.0/24>172.18.0.2"))
		n.expectReason("default", agent.ReasonSynced)
		imported := n.state("default").Skipped[model.SkipIPv4ViaIPv6] == 0
		Expect(n.inOVN("GR_n1")).To(HaveLen(map[bool]int{true: 2, false: 1}[imported]))
		n.stop()

		By("writing the row whatever the version")
		always := true
		n.settings.IPv4ViaIPv6 = &always
		n.start()
		Eventually(func() []string { return n.inOVN("GR_n1") }, patience).Should(ContainElement(prefix + ">fe80::1"))
		got := flows(northd, prefix)
		version := northd.Version(GinkgoTB())
		AddReportEntry("IPv4 via IPv6 in ovn-northd "+version, strings.Join(got, "\n"))
		GinkgoWriter.Printf("ovn-northd %s: imported by itself %v, flows %q\n", version, imported, got)
		if imported {
			Expect(got).To(ContainElement(ContainSubstring("xxreg0 = fe80::1;")), "ovn-northd %s doesn't take it", version)
		} else {
			Expect(got).To(BeEmpty(), "ovn-northd %s takes it", version)
		}
		Expect(flows(northd, "10.1.0.0/24")).NotTo(BeEmpty(), "one such row must not harm the others")
	})
})
