package agent

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/report"
)

var _ = Describe("Layer2 networks that are not on the node", func() {
	const green, greenRouter = "cluster_udn_green", "GR_cluster_udn_green_n1"
	var n *node
	// status is what the API server has; agents come and go.
	var status v1alpha1.NodeRouteStateStatus

	BeforeEach(func() {
		n = newNode()
		n.absentAfter = time.Second
		n.networks = append(n.networks, agent.Network{Name: green, Layer2: true, VRF: "green"})
		status = v1alpha1.NodeRouteStateStatus{}
	})

	absent := func() []string {
		status = report.Status(&report.Seen{States: n.agent.States(), Layer2: n.agent.Layer2()}, &status, time.Now())
		return status.AbsentNetworks
	}

	It("reports one that has neither a VRF device nor a router, across a restart and until it comes", func() {
		n.start()
		Eventually(absent, patience).Should(ConsistOf(green))
		Expect(status.AbsentTime).NotTo(BeNil())

		By("an agent that starts again")
		n.stop()
		n.start()
		Consistently(absent, 3*n.absentAfter).Should(ConsistOf(green))
		Expect(n.agent.Layer2()).To(And(HaveField("Known", true), HaveField("Absent", ConsistOf(green))))

		By("a database that is gone for a while")
		n.server.Kill()
		Eventually(func() bool { return n.agent.Layer2().Known }, patience).Should(BeFalse())
		Expect(absent()).To(ConsistOf(green))
		n.server.Run(GinkgoTB())
		Consistently(absent, 3*n.absentAfter).Should(ConsistOf(green))

		By("the first pod on the node")
		n.server.AddRouter(GinkgoTB(), greenRouter)
		Eventually(absent, patience).Should(BeEmpty())
		Expect(status.AbsentTime).NotTo(BeNil())

		By("a router that is made anew")
		n.server.RemoveRouter(GinkgoTB(), greenRouter)
		Eventually(func() []string { return n.agent.Layer2().Undecided }, patience, 10*time.Millisecond).Should(ConsistOf(green))
		n.server.AddRouter(GinkgoTB(), greenRouter)
		Consistently(absent, 2*n.absentAfter).Should(BeEmpty())

		By("the last pod that leaves")
		n.server.RemoveRouter(GinkgoTB(), greenRouter)
		Eventually(absent, patience).Should(ConsistOf(green))
	})

	It("says nothing where it does not find the default network, which every node is on", func() {
		n.server.RemoveRouter(GinkgoTB(), "GR_n1")
		n.start()
		n.expectReason("default", agent.ReasonNoGatewayRouter)
		Consistently(absent, 2*n.absentAfter).Should(BeEmpty())
		Expect(status.AbsentTime).To(BeNil())
		n.server.AddRouter(GinkgoTB(), "GR_n1")
		Eventually(absent, patience).Should(ConsistOf(green))
	})

	It("has them in the NodeRouteState of the shipped agent, which starts again", func() {
		c := newCluster()
		c.addNetwork("green", "10.30.0.0/16")
		c.changeNetwork("green", func(n *v1alpha1.NodeNetwork) { n.Topology = "Layer2" })
		reported := func() []string { return c.state().AbsentNetworks }
		first := c.startAgent(n)
		Eventually(reported, time.Minute, 200*time.Millisecond).Should(ConsistOf(green))
		before := c.state().AbsentTime
		first.kill()
		again := c.startAgent(n)
		again.expectLog("Connected to the OVN Northbound database")
		Consistently(reported, 15*time.Second, 200*time.Millisecond).Should(ConsistOf(green))
		Expect(c.state().AbsentTime).To(Equal(before), "there was nothing to write")
		n.server.AddRouter(GinkgoTB(), greenRouter)
		Eventually(reported, time.Minute, 200*time.Millisecond).Should(BeEmpty())
		Expect(c.state().AbsentTime).NotTo(BeNil())
	})

	It("goes on to import routes of one that is", func() {
		n.networks[1].Layer2 = true
		n.start()
		n.ip(routes("add", 10, 2)...)
		n.expectOurs()
		n.expectReason(blue, agent.ReasonSynced)
		Eventually(absent, patience).Should(ConsistOf(green))
	})
})
