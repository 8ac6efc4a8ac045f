package agent

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
)

const blueRouter = "GR_cluster_udn_blue_n1"

// routes are commands for count routes in blue's table.
func routes(verb string, count, hop int) []string {
	out := make([]string, count)
	for i := range out {
		out[i] = fmt.Sprintf("route %s 20.%d.%d.0/24 via 172.18.0.%d proto bgp table %d", verb, i>>8, i&255, hop, blueTable)
	}
	return out
}

var _ = Describe("Faults", func() {
	// Somebody else's rows, which must be there after whatever happens.
	foreign := func(n *node) {
		for _, router := range []string{"GR_n1", blueRouter} {
			n.server.AddRoute(GinkgoTB(), router, "0.0.0.0/0", "172.18.0.1", "rtoe-"+router)
			n.server.AddRoute(GinkgoTB(), router, "10.1.0.0/24", "172.18.0.250", "rtoe-"+router, [2]string{"ovnbgp.io/owner", "agent"}, [2]string{"ovnbgp.io/node", "n2"})
		}
	}
	expectForeign := func(n *node) {
		GinkgoHelper()
		for _, router := range []string{"GR_n1", blueRouter} {
			var got []string
			for _, r := range n.server.Routes(GinkgoTB(), router, "ovnbgp.io/node") {
				if r.Owner != "n1" {
					got = append(got, r.Prefix+">"+r.NextHop)
				}
			}
			Expect(got).To(ConsistOf("0.0.0.0/0>172.18.0.1", "10.1.0.0/24>172.18.0.250"))
		}
	}

	It("outlives the database being killed and restarted", func() {
		n := newNode()
		foreign(n)
		n.ip(routes("add", 300, 2)...)
		n.start()
		n.expectOurs()
		n.server.Kill()
		n.expectReason(blue, agent.ReasonDisconnected)
		n.ip(routes("replace", 100, 3)...)
		n.ip("route del 20.0.200.0/24 proto bgp table 1005")
		n.server.Run(GinkgoTB())
		n.expectOurs()
		expectForeign(n)
		Expect(n.figure("northbound_sessions_total")).To(BeEquivalentTo(2))
	})

	It("outlives a connection cut in mid-transaction, and an answer that never comes", func() {
		n := newNode()
		foreign(n)
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
		Expect(between.cuts.Load()).To(BeNumerically(">=", 3))

		By("the server doing the work while its answer is lost")
		between.mute.Store(true)
		n.ip(routes("replace", 50, 99)...)
		Eventually(func() int { return n.server.Count(GinkgoTB(), "nexthop", "172.18.0.99") }, patience).Should(BeNumerically(">", 0))
		between.cut()
		between.mute.Store(false)
		n.expectOurs()
		expectForeign(n)
	})

	It("tries a write again that the server refused, in the same session", func() {
		n := newNode()
		foreign(n)
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
		expectForeign(n)
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
		foreign(n)
		n.ip(routes("add", 200, 2)...)
		n.start()
		n.expectOurs()

		By("the leader giving its place away")
		before := n.server
		n.server.Control(GinkgoTB(), "cluster/failure-test", "transfer-leadership")
		n.ip(routes("replace", 100, 3)...)
		Eventually(func() bool { return leader() != nil && leader() != before }, patience).Should(BeTrue())
		n.expectOurs()
		Eventually(func() float64 { return n.figure("northbound_sessions_total") }, patience).Should(BeNumerically(">=", 2))

		By("the leader being killed")
		leader().Kill()
		n.ip(routes("replace", 50, 4)...)
		Eventually(leader, patience).ShouldNot(BeNil())
		n.server = leader()
		n.expectOurs()
		expectForeign(n)
	})

	It("outlives an overflow of netlink's buffer", func() {
		n := newNode()
		n.buffer = 4096
		foreign(n)
		n.start()
		n.expectReason(blue, agent.ReasonSynced)
		// Several writers at once are faster than one reader.
		for attempt := 0; n.figure("netlink_overflows_total") == 0; attempt++ {
			Expect(attempt).To(BeNumerically("<", 20), "no overflow was reached")
			done := make(chan struct{}, 4)
			for i := range 4 {
				go func() {
					var commands []string
					for j := range 1500 {
						commands = append(commands, fmt.Sprintf("route replace 20.%d.%d.0/24 via 172.18.0.%d proto bgp table 1005", i, j%250, 2+(attempt+j/250)%100))
					}
					_, _ = n.ns.Try(commands...)
					done <- struct{}{}
				}()
			}
			for range 4 {
				<-done
			}
		}
		n.expectOurs()
		expectForeign(n)
	})

	It("writes to a router that was deleted and made again", func() {
		n := newNode()
		n.ip(routes("add", 100, 2)...)
		n.start()
		n.expectOurs()
		for range 3 {
			n.server.RemoveRouter(GinkgoTB(), blueRouter)
			n.server.AddRouter(GinkgoTB(), blueRouter)
			n.expectOurs()
		}
		n.server.RemoveRouter(GinkgoTB(), blueRouter)
		n.ip(routes("replace", 10, 3)...)
		n.expectReason(blue, agent.ReasonNoGatewayRouter)
		n.server.AddRouter(GinkgoTB(), blueRouter)
		n.expectOurs()
	})

	It("sets right what another writer changed, and counts it", func() {
		n := newNode()
		foreign(n)
		n.ip(routes("add", 20, 2)...)
		n.start()
		n.expectOurs()
		n.server.Update(GinkgoTB(), "20.0.1.0/24", map[string]any{"nexthop": "172.18.0.66"})
		n.server.Update(GinkgoTB(), "20.0.2.0/24", map[string]any{"ip_prefix": "20.9.9.0/24"})
		n.server.Update(GinkgoTB(), "20.0.3.0/24", map[string]any{"policy": "src-ip"})
		n.server.Update(GinkgoTB(), "20.0.4.0/24", map[string]any{"bfd": []any{"set", []any{}}, "output_port": "elsewhere"})
		n.server.Transact(GinkgoTB(), map[string]any{"op": "mutate", "table": "Logical_Router", "where": []any{[]any{"name", "==", blueRouter}},
			"mutations": []any{[]any{"static_routes", "delete", n.server.RowID(GinkgoTB(), "Logical_Router_Static_Route", "ip_prefix", "20.0.5.0/24")}}})
		n.expectOurs()
		Eventually(func() int { return n.server.Count(GinkgoTB(), "policy", "src-ip") }, patience).Should(BeZero())
		Expect(n.figure("repairs_total")).To(BeNumerically(">=", 5))

		By("a writer that takes a row away from us: it is its own then, and we write another")
		n.server.Update(GinkgoTB(), "20.0.6.0/24", map[string]any{"external_ids": []any{"map", []any{}}})
		Eventually(func() int { return n.server.Count(GinkgoTB(), "ip_prefix", "20.0.6.0/24") }, patience).Should(Equal(2))
		n.expectOurs()
	})

	It("takes routes away and brings them back as FRR does, in no more time than it needs", func() {
		n := newNode()
		n.ip(routes("add", 500, 2)...)
		n.start()
		n.expectOurs()
		n.ip("route flush table 1005 proto bgp")
		n.expectOurs()
		began := time.Now()
		n.ip(routes("add", 500, 2)...)
		Eventually(func() int { return n.server.Count(GinkgoTB(), "nexthop", "172.18.0.2") }, patience, time.Millisecond).Should(Equal(500))
		Expect(time.Since(began)).To(BeNumerically("<", 3*time.Second))

		By("a restart so quick that nothing is missing after it")
		n.ip(append([]string{"route flush table 1005 proto bgp"}, routes("add", 500, 2)...)...)
		n.expectOurs()
	})

	It("goes on where it was killed, at any point of a sync", func() {
		n := newNode()
		foreign(n)
		n.ip(routes("add", 3000, 2)...)
		random := rand.New(rand.NewPCG(2, 2))
		for round := range 10 {
			n.ip(routes("replace", 200+random.IntN(2500), 2+round)...)
			p := n.startProcess()
			// From before it connects until after it is done.
			<-time.After(time.Duration(random.IntN(250)) * time.Millisecond)
			Expect(p.Process.Kill()).To(Succeed())
			_ = p.Wait()
		}
		n.start()
		n.expectOurs()
		expectForeign(n)
	})

	It("is not disturbed by a clock that jumps", func() {
		if os.Getenv("CLOCK_MAY_JUMP") == "" {
			Skip("NOT TESTED: this sets the machine's clock; set CLOCK_MAY_JUMP=1 in a virtual machine")
		}
		n := newNode()
		n.ip(routes("add", 20, 2)...)
		n.start()
		n.expectOurs()
		for _, jump := range []string{"+1 hour", "-3 hours", "+2 hours"} {
			out, err := exec.Command("date", "-s", jump).CombinedOutput()
			Expect(err).NotTo(HaveOccurred(), string(out))
			n.ip(routes("replace", 20, len(jump))...)
			n.expectOurs()
		}
	})

	for seed := range uint64(4) {
		It(fmt.Sprintf("ends with OVN as the kernel after random changes and faults (seed %d)", seed), func() {
			n := newNode()
			foreign(n)
			n.interval = 2 * time.Second
			if seed%2 == 1 {
				n.buffer = 8192
			}
			between := newCutter(n.server.Endpoint())
			n.endpoint = []string{between.endpoint()}
			n.start()
			random := rand.New(rand.NewPCG(seed, 5))
			for range 12 {
				var commands []string
				for range 1 + random.IntN(80) {
					commands = append(commands, randomChange(random))
				}
				_, _ = n.ns.Try(commands...)
				n.randomFault(random, between)
				if random.IntN(3) == 0 {
					n.expectOurs()
				}
			}
			n.expectOurs()
			expectForeign(n)
		})
	}
})

func randomChange(random *rand.Rand) string {
	table := []int{254, blueTable}[random.IntN(2)]
	verb := []string{"replace", "replace", "del"}[random.IntN(3)]
	v4 := fmt.Sprintf("%s 10.%d.%d.0/24 table %d proto bgp", verb, random.IntN(3), random.IntN(10), table)
	v6 := fmt.Sprintf("%s fd01:%d::/64 table %d proto bgp", verb, random.IntN(10), table)
	hop := func() int { return 2 + random.IntN(6) }
	switch random.IntN(9) {
	case 0, 1, 2:
		return fmt.Sprintf("route %s via 172.18.0.%d", v4, hop())
	case 3:
		return fmt.Sprintf("route %s nexthop via 172.18.0.%d nexthop via 172.19.0.%d nexthop via 172.18.0.%d", v4, hop(), hop(), hop())
	case 4:
		return strings.Replace("route "+v4, verb+" ", verb+" blackhole ", 1)
	case 5, 6:
		return fmt.Sprintf("route %s via fe80::%d dev gw0", v6, hop())
	case 7:
		return fmt.Sprintf("route %s nexthop via fe80::%d dev gw0 nexthop via fe80::%d dev other0", v6, hop(), hop())
	default:
		return fmt.Sprintf("route %s via 172.18.0.%d", fmt.Sprintf("%s 10.244.%d.0/24 table %d proto bgp", verb, random.IntN(10), table), hop())
	}
}

// randomFault does something that happens.
func (n *node) randomFault(random *rand.Rand, between *cutter) {
	switch random.IntN(8) {
	case 0:
		n.server.Kill()
		n.server.Run(GinkgoTB())
	case 1:
		between.cut()
	case 2:
		between.budget.Store(random.Int64N(5000))
	case 3:
		n.ip("link set gw0 down", "link set gw0 up")
	case 4:
		n.server.Transact(GinkgoTB(), map[string]any{"op": "update", "table": "Logical_Router_Static_Route",
			"where": []any{[]any{"external_ids", "includes", []any{"map", [][]string{{"ovnbgp.io/node", "n1"}}}}},
			"row":   map[string]any{"nexthop": "172.18.0.66"}})
	case 5:
		n.stop()
		n.start()
	case 6:
		n.ip("route flush table 1005 proto bgp")
	}
}
