package agent

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
)

const blueRouter = "GR_cluster_udn_blue_n1"

// routes are commands for count IPv4 routes in blue's table, and a tenth as
// many IPv6 routes.
func routes(verb string, count, hop int) []string {
	var out []string
	for i := range count {
		out = append(out, fmt.Sprintf("route %s 20.%d.%d.0/24 via 172.18.0.%d proto bgp table %d", verb, i>>8, i&255, hop, blueTable))
	}
	for i := range count / 10 {
		out = append(out, fmt.Sprintf("route %s fd20:%d::/64 via fe80::%d dev gw0 proto bgp table %d", verb, i, hop, blueTable))
	}
	return out
}

// Each spec ends with the same four: OVN is as the kernel, nothing of anybody
// else was touched, a metric counted the fault, and a state or the log told it.
var _ = Describe("Faults of the database", func() {
	It("outlives the database being killed and restarted", func() {
		n := newNode()
		n.foreign()
		n.ip(routes("add", 300, 2)...)
		n.start()
		n.expectOurs()
		n.server.Kill()
		n.expectReason(blue, agent.ReasonDisconnected)
		Expect(n.figure("northbound_connected")).To(BeZero())
		n.ip(routes("replace", 100, 3)...)
		n.ip("route del 20.0.200.0/24 proto bgp table 1005")
		n.server.Run(GinkgoTB())
		n.expectOurs()
		n.expectForeign()
		n.expectReason(blue, agent.ReasonSynced)
		n.expectLog("Lost the OVN Northbound database")
		Expect(n.figure("northbound_sessions_total")).To(BeEquivalentTo(2))
		Expect(n.figure("northbound_connected")).To(BeEquivalentTo(1))
	})

	It("outlives a connection cut in mid-transaction, and an answer that never comes", func() {
		n := newNode()
		n.foreign()
		between := newCutter(n.server.Endpoint())
		n.endpoint = []string{between.endpoint()}
		n.start()
		n.expectReason(blue, agent.ReasonSynced)
		random := rand.New(rand.NewPCG(1, 1))
		for round := range 8 {
			between.budget.Store(random.Int64N(40000))
			n.ip(routes([]string{"add", "replace"}[min(round, 1)], 400, 2+round)...)
			n.expectOurs()
		}
		cuts := between.cuts.Load()
		Expect(cuts).To(BeNumerically(">=", 3))
		n.expectFigure("northbound_sessions_total", float64(cuts+1))
		n.expectFigure("sync_failures_total", 1)
		n.expectLog("Could not write routes; trying again")

		By("the server doing the work while its answer is lost")
		between.mute.Store(true)
		n.ip(routes("replace", 50, 99)...)
		Eventually(func() int { return n.server.Count(GinkgoTB(), "nexthop", "172.18.0.99") }, patience).Should(BeNumerically(">", 0))
		between.cut()
		between.mute.Store(false)
		n.expectOurs()
		n.expectForeign()
		n.expectFigure("northbound_sessions_total", float64(cuts+2))
		n.expectReason(blue, agent.ReasonSynced)
	})

	It("tries a write again that the server refused, in the same session", func() {
		n := newNode()
		n.foreign()
		var refuse atomic.Bool
		n.endpoint = []string{n.server.Relay(GinkgoTB(), func(message []byte) []byte {
			if bytes.Contains(message, []byte("10.66.0.0/24")) && refuse.CompareAndSwap(true, false) {
				// Nothing would look at the route again by itself: no session
				// ends, no row changes, no event of the kernel comes.
				return bytes.Replace(message, []byte("Logical_Router_Static_Route"), []byte("No_Such_Table"), 1)
			}
			return message
		})}
		n.start()
		n.expectReason(blue, agent.ReasonSynced)
		n.expectReason("default", agent.ReasonSynced)
		refuse.Store(true)
		n.ip("route add 10.66.0.0/24 via 172.18.0.2 proto bgp")
		Eventually(func() []string { return n.inOVN("GR_n1") }, patience).Should(ContainElement("10.66.0.0/24>172.18.0.2"))
		Expect(refuse.Load()).To(BeFalse())
		Expect(n.figure("sync_failures_total")).To(BeEquivalentTo(1))
		Expect(n.figure("northbound_sessions_total")).To(BeEquivalentTo(1))
		n.expectOurs()
		n.expectForeign()
	})

	It("follows the leader of a clustered database", func() {
		servers := nbserver.StartCluster(GinkgoTB(), 3)
		n := newNode()
		n.server.Kill()
		n.endpoint = nil
		leader := func() *nbserver.Server {
			for _, s := range servers {
				if s.Leads(GinkgoTB()) {
					return s
				}
			}
			return nil
		}
		for _, s := range servers {
			n.endpoint = append(n.endpoint, s.Endpoint())
		}
		Eventually(leader, patience).ShouldNot(BeNil())
		n.server = leader()
		n.server.AddRouter(GinkgoTB(), "GR_n1")
		n.server.AddRouter(GinkgoTB(), blueRouter)
		n.foreign()
		n.ip(routes("add", 200, 2)...)
		n.start()
		n.expectOurs()

		By("the leader giving its place away")
		before := n.server
		n.server.Control(GinkgoTB(), "cluster/failure-test", "transfer-leadership")
		n.ip(routes("replace", 100, 3)...)
		Eventually(func() bool { return leader() != nil && leader() != before }, patience).Should(BeTrue())
		n.expectOurs()
		n.expectFigure("northbound_sessions_total", 2)
		n.expectLog("no longer leads its cluster")

		By("the leader being killed")
		sessions := n.figure("northbound_sessions_total")
		leader().Kill()
		n.ip(routes("replace", 50, 4)...)
		Eventually(leader, patience).ShouldNot(BeNil())
		n.server = leader()
		n.expectOurs()
		n.expectForeign()
		n.expectFigure("northbound_sessions_total", sessions+1)
		n.expectReason(blue, agent.ReasonSynced)
	})

	It("writes to a router that was deleted and made again", func() {
		n := newNode()
		n.foreign()
		n.ip(routes("add", 100, 2)...)
		n.ip("route add 10.7.0.0/24 via 172.18.0.2 proto bgp", "route add fd07::/64 via fe80::2 dev gw0 proto bgp table 1005")
		n.start()
		n.expectOurs()
		again := func() {
			GinkgoHelper()
			n.server.AddRouter(GinkgoTB(), blueRouter)
			n.foreignTo(blueRouter)
			n.others = n.everythingElse()
		}
		written := n.figure("rows_written_total")
		for round := range 3 {
			// The rows of others on the router go with it, and come with it.
			n.server.RemoveRouter(GinkgoTB(), blueRouter)
			again()
			n.expectOurs()
			n.expectForeign()
			n.expectFigure("rows_written_total", written+float64(111*(round+1)))
		}
		n.server.RemoveRouter(GinkgoTB(), blueRouter)
		n.others = n.everythingElse()
		n.ip(routes("replace", 10, 3)...)
		n.expectReason(blue, agent.ReasonNoGatewayRouter)
		Expect(n.figure("synced")).To(BeEquivalentTo(1), "of two networks one is synced")
		Expect(n.state(blue).Message).To(ContainSubstring(blueRouter))
		n.expectForeign()
		again()
		n.expectOurs()
		n.expectForeign()
		n.expectReason(blue, agent.ReasonSynced)
	})

	It("sets right what another writer changed, and counts it", func() {
		n := newNode()
		n.ip(routes("add", 20, 2)...)
		n.start()
		n.expectOurs()
		// After ours, so that who writes by prefix writes ours.
		change := func(prefix string, row map[string]any) {
			n.server.Update(GinkgoTB(), prefix, row)
		}
		change("20.0.1.0/24", map[string]any{"nexthop": "172.18.0.66"})
		change("20.0.2.0/24", map[string]any{"ip_prefix": "20.9.9.0/24"})
		change("20.0.3.0/24", map[string]any{"policy": "src-ip"})
		change("20.0.4.0/24", map[string]any{"bfd": []any{"set", []any{}}, "output_port": "elsewhere"})
		n.foreign()
		n.server.Transact(GinkgoTB(), map[string]any{"op": "mutate", "table": "Logical_Router", "where": []any{[]any{"name", "==", blueRouter}},
			"mutations": []any{[]any{"static_routes", "delete", n.server.RowID(GinkgoTB(), "Logical_Router_Static_Route", "ip_prefix", "20.0.5.0/24")}}})
		n.expectOurs()
		Eventually(func() int { return n.server.Count(GinkgoTB(), "policy", "src-ip") }, patience).Should(BeZero())
		n.expectFigure("repairs_total", 5)
		n.expectLog("Set right rows that somebody else had changed")
		n.expectForeign()

		By("a writer that takes a row away from us: it is its own then, we write another, and tell of it")
		n.server.Update(GinkgoTB(), "20.0.6.0/24", map[string]any{"external_ids": []any{"map", []any{}}})
		n.others = n.everythingElse()
		Eventually(func() int { return n.server.Count(GinkgoTB(), "ip_prefix", "20.0.6.0/24") }, patience).Should(Equal(2))
		n.expectOurs()
		n.expectForeign()
		n.expectReason(blue, agent.ReasonUnmarkedRows)
	})
})
