package agent

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
)

// A row whose external_ids somebody took away, all or some, is nobody's: it is
// told, with the way to remove it, and stays as it is.
var _ = Describe("A row of the agent's that lost its external_ids", func() {
	const router, prefix = "GR_n1", "10.9.0.0/24"
	bySelf := [2]string{"owner", "admin"}
	count := func(n *node) func() int { return func() int { return n.server.Count(GinkgoTB(), "ip_prefix", prefix) } }
	// remove does what the message says.
	remove := func(n *node, uuid any) {
		n.server.Transact(GinkgoTB(), map[string]any{"op": "mutate", "table": "Logical_Router", "where": []any{[]any{"name", "==", router}},
			"mutations": []any{[]any{"static_routes", "delete", uuid}}})
	}

	DescribeTable("is reported until it is gone, over a withdrawal and without being touched", func(left [][]string) {
		n := newNode()
		// What others have there equals nothing of ours, or says whose it is.
		n.server.AddRoute(GinkgoTB(), router, "10.8.0.0/24", "172.18.0.9", "rtoe-"+router)
		n.server.AddRoute(GinkgoTB(), router, prefix, "172.18.0.3", "rtoe-"+router)
		n.server.AddRoute(GinkgoTB(), router, prefix, "172.18.0.2", "rtoe-"+router, bySelf)
		n.server.AddRoute(GinkgoTB(), router, prefix, "172.18.0.2", "")
		n.ip("route add "+prefix+" via 172.18.0.2 proto bgp", "route add 10.8.0.0/24 via 172.18.0.2 proto bgp")
		n.start()
		Eventually(func() []string { return n.inOVN(router) }, patience).Should(ConsistOf("10.8.0.0/24>172.18.0.2", prefix+">172.18.0.2"))
		n.expectReason("default", agent.ReasonSynced)
		Expect(count(n)()).To(Equal(4))

		answer := n.server.Transact(GinkgoTB(), map[string]any{"op": "select", "table": "Logical_Router_Static_Route", "columns": []string{"_uuid"},
			"where": []any{[]any{"ip_prefix", "==", prefix}, []any{"external_ids", "includes", []any{"map", [][]string{{ownerKey, "agent"}}}}}})
		uuid := answer[0]["rows"].([]any)[0].(map[string]any)["_uuid"]
		stripped := uuid.([]any)[1].(string)
		n.server.Transact(GinkgoTB(), map[string]any{"op": "update", "table": "Logical_Router_Static_Route", "where": []any{[]any{"_uuid", "==", uuid}},
			"row": map[string]any{"external_ids": []any{"map", left}}})
		n.expectReason("default", agent.ReasonUnmarkedRows)
		Eventually(func() string { return n.state("default").Message }, patience).Should(SatisfyAll(
			ContainSubstring("1 rows of GR_n1"), ContainSubstring("ovn-nbctl remove Logical_Router GR_n1 static_routes "+stripped)))
		n.expectReason(blue, agent.ReasonSynced)
		Eventually(count(n), patience).Should(Equal(5))

		// The next agent sees it from its likeness alone.
		n.stop()
		n.start()
		n.expectReason("default", agent.ReasonUnmarkedRows)
		n.ip("route del " + prefix + " via 172.18.0.2 proto bgp")
		Eventually(count(n), patience).Should(Equal(4), "ours goes, and nothing else")
		Eventually(func() string { return n.state("default").Message }, patience).Should(ContainSubstring(stripped))
		n.ip("route add " + prefix + " via 172.18.0.2 proto bgp")
		Eventually(count(n), patience).Should(Equal(5))
		remove(n, uuid)
		n.expectReason("default", agent.ReasonSynced)
		Expect(count(n)()).To(Equal(4))
	},
		Entry("all of them", [][]string{}),
		Entry("the owner alone", [][]string{{"ovnbgp.io/node", "n1"}, {"ovnbgp.io/network", "default"}, {"ovnbgp.io/part", "0"}}),
		Entry("the node alone", [][]string{{ownerKey, "agent"}, {"ovnbgp.io/part", "0"}}),
	)

	It("is listed by agent routes", func() {
		n := newNode()
		n.server.AddRoute(GinkgoTB(), router, prefix, "172.18.0.2", "rtoe-"+router)
		n.ip("route add " + prefix + " via 172.18.0.2 proto bgp")
		n.start()
		n.expectReason("default", agent.ReasonUnmarkedRows)
		Expect(n.agent.Routes()).To(ConsistOf(
			HaveField("Reason", ""),
			SatisfyAll(HaveField("Reason", HavePrefix("UnmarkedRows ")), HaveField("OVN", ConsistOf("172.18.0.2")), HaveField("Kernel", BeEmpty()))))
	})
})
