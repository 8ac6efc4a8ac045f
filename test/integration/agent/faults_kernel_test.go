package agent

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
)

// flush removes blue's BGP routes, as FRR does when it stops.
func (n *node) flush() {
	GinkgoHelper()
	// To flush a table that has never had a route is an error.
	n.ip(fmt.Sprintf("route replace unreachable 2001:db8:ffff::/48 table %d proto static", blueTable))
	for _, family := range []string{"-4", "-6"} {
		n.ns.Exec(GinkgoTB(), "ip", family, "route", "flush", "table", fmt.Sprint(blueTable), "proto", "bgp")
	}
}

// As for the database's: OVN is as the kernel, nothing of anybody else was
// touched, a metric counted the fault, and a state or the log told it.
var _ = Describe("Faults of the kernel and of the node", func() {
	It("outlives an overflow of netlink's buffer", func() {
		n := newNode()
		n.buffer = 4096
		n.foreign()
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
		n.expectForeign()
		n.expectLog("Events of the kernel were lost; listing everything again")
		n.expectReason(blue, agent.ReasonSynced)
	})

	It("outlives listings that the kernel interrupts", func() {
		n := newNode()
		n.foreign()
		// Nexthop objects are listed in portions, between which others change.
		var commands, change []string
		for i := range 4000 {
			commands = append(commands, fmt.Sprintf("nexthop add id %d via 172.18.%d.%d dev gw0", 1000+i, 1+i/250, 1+i%250))
		}
		for i := range 200 {
			change = append(change, fmt.Sprintf("nexthop del id %d", 2000+i))
		}
		change = append(change, commands[1000:1200]...)
		n.ip(commands...)
		for i := range 100 {
			n.ip(fmt.Sprintf("route add 20.0.%d.0/24 nhid %d proto bgp table 1005", i, 1000+i))
		}
		n.start()
		n.expectOurs()
		written := n.figure("rows_written_total")
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			for {
				select {
				case <-stop:
					return
				default:
					_, _ = n.ns.Try(change...)
				}
			}
		}()
		// Each new agent lists everything.
		Eventually(func() float64 {
			n.stop()
			n.start()
			n.expectReason(blue, agent.ReasonSynced)
			return n.figure("netlink_interrupted_dumps_total")
		}, 2*patience, time.Millisecond).Should(BeNumerically(">", 0))
		close(stop)
		<-stopped
		Expect(written).To(BeEquivalentTo(100))
		Expect(n.figure("rows_written_total")).To(BeZero(), "what an interrupted listing lacks was taken as gone")
		n.expectLog("A listing was interrupted; nothing is taken as gone")
		n.ip("route del 20.0.7.0/24 proto bgp table 1005")
		n.expectOurs()
		n.expectForeign()
	})

	It("takes routes away and brings them back as they come and go, in no more time than that takes", func() {
		n := newNode()
		n.foreign()
		n.ip(routes("add", 500, 2)...)
		n.start()
		n.expectOurs()
		n.flush()
		n.expectOurs()
		n.expectForeign()
		Eventually(func() int { return n.state(blue).Imported }, patience).Should(BeZero())
		began := time.Now()
		n.ip(routes("add", 500, 2)...)
		Eventually(func() int { return n.server.Count(GinkgoTB(), "nexthop", "172.18.0.2") }, patience, time.Millisecond).Should(Equal(500))
		Expect(time.Since(began)).To(BeNumerically("<", 3*time.Second))
		Eventually(func() int { return n.state(blue).Imported }, patience).Should(Equal(550))
		n.expectFigure("rows_written_total", 1650)
		Expect(n.figure("repairs_total")).To(BeZero())

		By("a restart so quick that nothing is missing after it")
		n.flush()
		n.ip(routes("add", 500, 2)...)
		n.expectOurs()
		n.expectForeign()
	})

	It("goes on where it was killed, at any time of its life", func() {
		n := newNode()
		n.foreign()
		n.ip(routes("add", 3000, 2)...)
		random := rand.New(rand.NewPCG(2, 2))
		for round := range 10 {
			n.ip(routes("replace", 200+random.IntN(2500), 2+round)...)
			p := n.startProcess()
			// From before it connects until after it is done.
			<-time.After(time.Duration(random.IntN(250)) * time.Millisecond)
			Expect(p.Process.Kill()).To(Succeed())
			_ = p.Wait()
			n.expectForeign()
		}
		n.start()
		n.expectOurs()
		n.expectForeign()
		n.expectReason(blue, agent.ReasonSynced)
	})

	It("goes on where it was killed, at every point of a sync", func() {
		const count, points = 3000 + 300, 12
		n := newNode()
		n.foreign()
		between := newCutter(n.server.Endpoint())
		n.endpoint = []string{between.endpoint()}
		right := func(hop int) int {
			return n.server.Count(GinkgoTB(), "nexthop", fmt.Sprintf("172.18.0.%d", hop)) + n.server.Count(GinkgoTB(), "nexthop", fmt.Sprintf("fe80::%d", hop))
		}

		By("syncs that are left alone, to know how much one sends")
		var whole int64
		for hop := range 2 {
			before := between.sent.Load()
			n.ip(routes("replace", 3000, 2+hop)...)
			p := n.startProcess()
			Eventually(func() int { return right(2 + hop) }, patience).Should(Equal(count))
			Expect(p.Process.Kill()).To(Succeed())
			_ = p.Wait()
			whole = between.sent.Load() - before
		}

		outcomes := map[string]int{}
		for point := range points {
			hop := 4 + point
			n.ip(routes("replace", 3000, hop)...)
			p := n.startProcessArmed(func(kill func()) {
				between.atCut = kill
				between.budget.Store(whole * int64(point+1) / (points + 1))
			})
			_ = p.Wait()
			n.expectForeign()
			switch done := right(hop); done {
			case 0:
				outcomes["nothing"]++
			case count:
				outcomes["all"]++
			default:
				outcomes["a part"]++
			}
		}
		between.atCut = nil
		GinkgoWriter.Println("Written by who was killed:", outcomes)
		Expect(outcomes).To(And(HaveKey("nothing"), HaveKey("a part")))

		// The last one's last words may reach the database after it was asked.
		By("another that finds what was left, and writes at most what is missing")
		missing := count - right(3+points)
		n.start()
		n.expectOurs()
		n.expectForeign()
		n.expectReason(blue, agent.ReasonSynced)
		Expect(n.figure("rows_written_total")).To(BeNumerically("<=", missing))
	})

	It("is not disturbed by a clock that jumps", InVM, func() {
		if os.Getenv("CLOCK_MAY_JUMP") == "" {
			Skip("NOT TESTED: this sets the machine's clock; `make test-vm` does it in a virtual machine, or set CLOCK_MAY_JUMP=1")
		}
		n := newNode()
		n.foreign()
		n.ip(routes("add", 20, 2)...)
		n.start()
		n.expectOurs()
		for i, jump := range []string{"+1 hour", "-3 hours", "+2 hours"} {
			out, err := exec.Command("date", "-s", jump).CombinedOutput()
			Expect(err).NotTo(HaveOccurred(), string(out))
			n.ip(routes("replace", 20, 3+i)...)
			n.expectOurs()
			n.expectForeign()
			By("telling the time of the clock as it is now")
			Eventually(func() time.Duration { return time.Now().Round(0).Sub(n.state(blue).Changed.Round(0)).Abs() }, patience).Should(BeNumerically("<", time.Minute))
		}
		Expect(n.figure("northbound_sessions_total")).To(BeEquivalentTo(1), "a jump is no silence")
		Expect(n.figure("sync_failures_total")).To(BeZero())
		Expect(n.sum("event_to_commit_seconds")).To(BeNumerically("<", 60), "a jump is no latency")
	})
})
