package agent

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
)

// OVN-Kubernetes finds its default routes by output port, prefix and policy,
// whoever wrote them.
var _ = Describe("A default route", func() {
	const router, port = "GR_n1", "rtoe-GR_n1"
	var n *node
	BeforeEach(func() {
		n = newNode()
		n.settings.AllowCovering = true
	})
	ours := func(prefix, hop string) {
		GinkgoHelper()
		n.server.AddRoute(GinkgoTB(), router, prefix, hop, port,
			[2]string{ownerKey, "agent"}, [2]string{"ovnbgp.io/node", "n1"}, [2]string{"ovnbgp.io/network", "default"}, [2]string{"ovnbgp.io/part", "0"})
	}
	// everybodys are all default routes in the database, with our mark or not.
	everybodys := func() (out []string) {
		answer := n.server.Transact(GinkgoTB(), map[string]any{"op": "select", "table": "Logical_Router_Static_Route", "where": []any{},
			"columns": []string{"ip_prefix", "nexthop", "external_ids"}})
		for _, item := range answer[0]["rows"].([]any) {
			row := item.(map[string]any)
			if prefix := row["ip_prefix"]; prefix == "0.0.0.0/0" || prefix == "::/0" {
				out = append(out, fmt.Sprint(prefix, ">", row["nexthop"], " ", row["external_ids"]))
			}
		}
		return out
	}
	inOVN := func() []string { return n.inOVN(router) }

	It("is carried as two halves, and the kernel's own halves go before", func() {
		n.server.AddRoute(GinkgoTB(), router, "0.0.0.0/0", "172.18.0.1", port)
		n.ip("route add default via 172.18.0.2 proto bgp", "route add default via fd00:18::2 proto bgp")
		n.start()
		Eventually(inOVN, patience).Should(ConsistOf("0.0.0.0/1>172.18.0.2", "128.0.0.0/1>172.18.0.2", "::/1>fd00:18::2", "8000::/1>fd00:18::2"))
		n.ip("route add 0.0.0.0/1 via 172.18.0.3 proto bgp")
		Eventually(inOVN, patience).Should(ContainElements("0.0.0.0/1>172.18.0.3", "128.0.0.0/1>172.18.0.2"))
		n.ip("route replace default via 172.18.0.4 proto bgp")
		Eventually(inOVN, patience).Should(ContainElements("0.0.0.0/1>172.18.0.3", "128.0.0.0/1>172.18.0.4"))
		n.ip("route del 0.0.0.0/1 proto bgp")
		Eventually(inOVN, patience).Should(ContainElements("0.0.0.0/1>172.18.0.4", "128.0.0.0/1>172.18.0.4"))
		n.ip("route add 128.0.0.0/1 via 172.18.0.5 proto bgp", "route del default via 172.18.0.4 proto bgp", "route del default via fd00:18::2 proto bgp")
		Eventually(inOVN, patience).Should(ConsistOf("128.0.0.0/1>172.18.0.5"))
		n.ip("route del 128.0.0.0/1 proto bgp")
		Eventually(inOVN, patience).Should(BeEmpty())
		Expect(everybodys()).To(ConsistOf("0.0.0.0/0>172.18.0.1 [map []]"))
	})

	It("is not imported without the flag", func() {
		n.settings.AllowCovering = false
		n.ip("route add default via 172.18.0.2 proto bgp", "route add 10.9.0.0/24 via 172.18.0.2 proto bgp")
		n.start()
		n.expectReason("default", agent.ReasonSynced)
		Expect(inOVN()).To(ConsistOf("10.9.0.0/24>172.18.0.2"))
	})

	It("of an earlier version goes where OVN-Kubernetes has its own, and stays for it where it has not", func() {
		n.server.AddRoute(GinkgoTB(), router, "0.0.0.0/0", "172.18.0.1", port)
		ours("0.0.0.0/0", "172.18.0.2")
		// This one it adopted in place of its own.
		ours("::/0", "fd00:18::1")
		n.ip("route add default via 172.18.0.2 proto bgp")
		n.start()
		Eventually(inOVN, patience).Should(ConsistOf("0.0.0.0/1>172.18.0.2", "128.0.0.0/1>172.18.0.2"))
		Expect(everybodys()).To(ConsistOf("0.0.0.0/0>172.18.0.1 [map []]", "::/0>fd00:18::1 [map []]"))
	})
})
