package agent

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// floodVariable in the environment is how many routes the flood has.
const floodVariable = "FLOOD_ROUTES"

var _ = Describe("A flood of routes", func() {
	It("costs no memory beyond the limit, and leaves what was imported before", func() {
		const limit = 20000
		routes := 300000
		if text := os.Getenv(floodVariable); text != "" {
			var err error
			routes, err = strconv.Atoi(text)
			Expect(err).NotTo(HaveOccurred())
		} else if os.Getenv("OVNBGP_VM") != "" {
			Skip("NOT TESTED: so many routes take too long in an emulated machine; `make test` does it natively")
		}
		GinkgoT().Setenv(limitVariable, fmt.Sprint(limit))
		n := newNode()
		wait := time.Minute + time.Duration(routes)*100*time.Microsecond
		imported := func() int { return n.server.Count(GinkgoTB(), "nexthop", "172.18.0.2") }
		// flood changes routes in the default network's table, from one on.
		flood := func(verb string, from, to int) {
			var commands strings.Builder
			for i := from; i < to; i++ {
				fmt.Fprintf(&commands, "route %s %d.%d.%d.%d/32 via 172.18.0.2 proto bgp\n", verb, 20+i>>24, i>>16&255, i>>8&255, i&255)
			}
			n.ip(commands.String())
		}
		report := func(step string, pid int) {
			peak := peakMemory(pid)
			AddReportEntry(fmt.Sprintf("%d routes, %s: peak memory of the process", routes, step), fmt.Sprintf("%.1f MiB", peak))
			GinkgoWriter.Printf("%d routes, %s: peak %.1f MiB\n", routes, step, peak)
			Expect(peak).To(BeNumerically("<", 150), step)
		}

		By("being there before the agent")
		flood("add", 0, routes/2)
		run := n.startProcess()
		Eventually(imported, wait, 200*time.Millisecond).Should(Equal(limit))
		report("half there before it starts", run.Process.Pid)

		By("coming while it runs")
		flood("add", routes/2, routes)
		flood("del", 0, 1000)
		Eventually(imported, wait, 200*time.Millisecond).Should(Equal(limit), "what is free is filled")
		report("half coming while it runs", run.Process.Pid)
		before := n.inOVN("GR_n1")

		By("being there when the agent is restarted, with less at its beginning")
		Expect(run.Process.Kill()).To(Succeed())
		_ = run.Wait()
		flood("add", 0, 1000)
		run = n.startProcess()
		gone, stay := before[0], before[1:]
		n.ip("route del " + strings.Split(gone, ">")[0] + " proto bgp")
		Eventually(func() []string { return n.inOVN("GR_n1") }, wait, time.Second).Should(And(HaveLen(limit), Not(ContainElement(gone))))
		after := n.inOVN("GR_n1")
		Expect(slices.DeleteFunc(slices.Clone(stay), func(row string) bool {
			_, found := slices.BinarySearch(after, row)
			return found
		})).To(BeEmpty(), "what was imported stays")
		report("restarted", run.Process.Pid)

		By("being withdrawn")
		_, _ = n.ns.Try("route flush table main proto bgp")
		Eventually(imported, wait, 200*time.Millisecond).Should(BeZero())
		report("withdrawn", run.Process.Pid)
	})
})
