package agent

import (
	"os/exec"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/testns"
)

// The agent as it is shipped puts addresses that the manager gave to the node on devices:
// in a real kernel, told by a real API server.
var _ = Describe("The process with --manage-vteps", InVM, Ordered, func() {
	var c *cluster
	BeforeAll(func() { c = newCluster() })
	soon := func(condition func(g Gomega)) {
		GinkgoHelper()
		Eventually(condition, 3*time.Minute, 100*time.Millisecond).Should(Succeed())
	}
	ready := func(g Gomega, status, reason string) {
		found := c.state()
		condition := meta.FindStatusCondition(found.Conditions, v1alpha1.ConditionVTEPReady)
		g.Expect(condition).NotTo(BeNil(), "%+v", found)
		g.Expect(string(condition.Status)+" "+condition.Reason).To(Equal(status+" "+reason), condition.Message)
	}
	addresses := func(n *node) string {
		out, _ := exec.Command("ip", "-n", n.ns.Name, "-brief", "address", "show", "type", "dummy").CombinedOutput()
		return string(out)
	}
	give := func(vteps ...v1alpha1.NodeVTEP) {
		c.decide(func(s *v1alpha1.NodeNetworksSpec) { s.VTEPs = vteps })
	}

	It("puts what the manager gives on a device, and takes it away again", func() {
		n := newNode()
		testns.RequireDummy(GinkgoTB(), n.ns)
		give(v1alpha1.NodeVTEP{Name: "fabric", Addresses: []v1alpha1.IP{"100.64.0.1"}, Allocated: []v1alpha1.IP{"100.64.0.1"}})

		By("looking only, without the flag")
		agent := c.startAgent(n)
		soon(func(g Gomega) { ready(g, "False", "NotManaged") })
		Expect(addresses(n)).NotTo(ContainSubstring("vtep-fabric"))
		agent.kill()

		By("with it, and after being killed")
		agent = c.startAgent(n, "--manage-vteps")
		soon(func(g Gomega) {
			g.Expect(addresses(n)).To(MatchRegexp(`vtep-fabric .*100\.64\.0\.1/32`))
			ready(g, "True", "Ready")
		})
		agent.kill()
		Expect(addresses(n)).To(MatchRegexp(`vtep-fabric .*100\.64\.0\.1/32`))
		agent = c.startAgent(n, "--manage-vteps")
		give(v1alpha1.NodeVTEP{Name: "fabric", Addresses: []v1alpha1.IP{"100.64.0.2"}, Allocated: []v1alpha1.IP{"100.64.0.2"}})
		soon(func(g Gomega) {
			g.Expect(addresses(n)).To(SatisfyAll(MatchRegexp(`vtep-fabric .*100\.64\.0\.2/32`), Not(ContainSubstring("100.64.0.1"))))
		})

		By("removing the VTEP, of which nothing is told any more")
		give()
		soon(func(g Gomega) {
			g.Expect(addresses(n)).NotTo(ContainSubstring("vtep-fabric"))
			g.Expect(meta.FindStatusCondition(c.state().Conditions, v1alpha1.ConditionVTEPReady)).To(BeNil())
		})

		By("cleaning up after it")
		give(v1alpha1.NodeVTEP{Name: "fabric", Addresses: []v1alpha1.IP{"100.64.0.2"}, Allocated: []v1alpha1.IP{"100.64.0.2"}})
		soon(func(g Gomega) { g.Expect(addresses(n)).To(ContainSubstring("100.64.0.2/32")) })
		agent.kill()
		Expect(mustCleanup(n, "--dry-run")).To(ContainSubstring("kernel: would delete dummy device vtep-fabric\n"))
		Expect(mustCleanup(n)).To(ContainSubstring("kernel: delete dummy device vtep-fabric\n"))
		Expect(addresses(n)).NotTo(ContainSubstring("vtep-fabric"))
	})
})
