package agent

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/testns"
)

// The agent as it is shipped makes VRF devices: in a kernel that has them,
// against a real API server and a real database.
var _ = Describe("The process with --manage-vrfs", InVM, Ordered, ContinueOnFailure, func() {
	const table = "1000000005"
	// Long enough for an emulated machine.
	const atOnce = 20 * time.Second
	var c *cluster
	BeforeAll(func() {
		testns.RequireVRF(GinkgoTB(), testns.New(GinkgoTB()))
		c = newCluster()
	})

	// newPlace is a node whose kernel has had a VRF before: with the first one
	// ever comes a rule of the kernel's own, which stays.
	newPlace := func() (n *node, before string) {
		n = newNode()
		testns.RequireVRF(GinkgoTB(), n.ns)
		return n, kernelOf(n)
	}
	soon := func(condition func(g Gomega)) {
		GinkgoHelper()
		Eventually(condition, 3*time.Minute, 100*time.Millisecond).Should(Succeed())
	}
	ready := func(g Gomega, network string) {
		g.Expect(meta.IsStatusConditionTrue(c.network(network).Conditions, "VRFReady")).To(BeTrue(), "%+v", c.network(network))
	}

	It("makes what a network needs, keeps it, and removes it with the network", func() {
		n, before := newPlace()
		agent := c.startAgent(n, "--manage-vrfs")
		c.addNetwork("blue", "10.10.0.0/16", "fd10::/48")
		c.changeNetwork("blue", ownVRF)

		By("a device with a steady table, closed, and no way into it")
		soon(func(g Gomega) {
			now := kernelOf(n)
			g.Expect(now).To(ContainSubstring("blue UP vrf table "+table), now)
			g.Expect(now).To(ContainSubstring("\nunreachable default table "+table+" proto 173 metric 4278198272"), now)
			g.Expect(now).To(ContainSubstring("\nunreachable default dev lo table "+table+" proto 173 metric 4278198272"), now)
			ready(g, blue)
		})
		Expect(kernelOf(n)).NotTo(SatisfyAny(ContainSubstring("10.10.0.0/16"), ContainSubstring("fd10::/48")))
		Expect(fmt.Sprint(c.network(blue).Table)).To(Equal(table))
		Expect(c.metrics(n)).To(ContainSubstring(`ovnbgp_agent_vrf_ready{network="cluster_udn_blue",reason="Ready"} 1`))

		By("routes that FRR puts into it come into OVN")
		n.ip("route add 10.9.0.0/24 via 172.18.0.2 table "+table+" proto bgp", "route add fd09::/48 via fd00:18::2 table "+table+" proto bgp")
		soon(func(g Gomega) {
			g.Expect(n.inOVN("GR_cluster_udn_blue_n1")).To(ConsistOf("10.9.0.0/24>172.18.0.2", "fd09::/48>fd00:18::2"))
		})

		By("what somebody deletes is back at once, again and again")
		settled := kernelOf(n)
		stop := " route del unreachable default table " + table + " metric 4278198272"
		for _, harm := range []string{"-4" + stop, "-6" + stop, "-4" + stop, "-6" + stop, "link set blue down"} {
			n.ns.Exec(GinkgoTB(), "ip", strings.Fields(harm)...)
			Eventually(func() string { return kernelOf(n) }, atOnce, 100*time.Millisecond).Should(Equal(settled), harm)
		}

		By("a second tenant with the same subnets")
		c.addNetwork("green", "10.10.0.0/16", "fd10::/48")
		c.changeNetwork("green", ownVRF)
		soon(func(g Gomega) {
			g.Expect(kernelOf(n)).To(ContainSubstring("green UP vrf table 1000000006"))
			ready(g, "cluster_udn_green")
			ready(g, blue)
		})
		Expect(kernelOf(n)).NotTo(ContainSubstring("10.10.0.0/16"))

		By("an agent that is killed and started again changes nothing")
		settled, index := kernelOf(n), deviceIndex(n, "blue")
		agent.kill()
		agent = c.startAgent(n, "--manage-vrfs")
		agent.expectLog("Starting")
		soon(func(g Gomega) {
			ready(g, blue)
			g.Expect(c.metrics(n)).To(ContainSubstring(`ovnbgp_agent_vrf_ready{network="cluster_udn_blue",reason="Ready"} 1`))
		})
		Expect(kernelOf(n)).To(Equal(settled))
		Expect(deviceIndex(n, "blue")).To(Equal(index))
		Expect(c.metrics(n)).NotTo(ContainSubstring("ovnbgp_agent_vrf_changes_total{"), "the agent that was started again changed the kernel")
		Expect(n.inOVN("GR_cluster_udn_blue_n1")).To(HaveLen(2))

		By("it is to be advertised over the default VRF instead, and isn't yet")
		c.changeNetwork("blue", unadvertised)
		soon(func(g Gomega) { g.Expect(kernelOf(n)).NotTo(ContainSubstring("unreachable default table " + table)) })
		Expect(kernelOf(n)).NotTo(ContainSubstring("10.10.0.0/16"))
		c.changeNetwork("blue", defaultVRF)
		soon(func(g Gomega) {
			g.Expect(kernelOf(n)).To(SatisfyAll(ContainSubstring("2000: from all to 10.10.0.0/16 lookup "+table+" proto 173"),
				ContainSubstring("2000: from all to fd10::/48 lookup "+table+" proto 173"), Not(ContainSubstring("unreachable default table "+table))))
		})
		n.ns.Exec(GinkgoTB(), "ip", "rule", "del", "priority", "2000", "to", "10.10.0.0/16")
		Eventually(func() string { return kernelOf(n) }, atOnce, 100*time.Millisecond).Should(ContainSubstring("to 10.10.0.0/16 lookup " + table))

		By("both are: the second one is told that it can't be reached")
		c.changeNetwork("green", defaultVRF)
		soon(func(g Gomega) {
			got := meta.FindStatusCondition(c.network("cluster_udn_green").Conditions, "VRFReady")
			g.Expect(got).To(HaveValue(SatisfyAll(HaveField("Status", metav1.ConditionFalse), HaveField("Reason", "SubnetTaken"))))
			ready(g, blue)
		})

		By("it is not advertised any more")
		c.changeNetwork("blue", nowhere)
		soon(func(g Gomega) { g.Expect(kernelOf(n)).NotTo(ContainSubstring("lookup " + table)) })

		By("the networks go")
		c.removeNetworks("blue", "green")
		n.ip("route flush table " + table)
		soon(func(g Gomega) {
			g.Expect(kernelOf(n)).To(Equal(before))
			g.Expect(c.network(blue).Name + c.network("cluster_udn_green").Name).To(BeEmpty())
			g.Expect(n.inOVN("GR_cluster_udn_blue_n1")).To(BeEmpty())
		})
		Expect(c.metrics(n)).NotTo(ContainSubstring(`ovnbgp_agent_vrf_ready{`))
	})

	It("says what is amiss in the NodeRouteState, in events and in metrics, until it is mended", func() {
		n, _ := newPlace()
		n.ip("link add red type veth peer name red1")
		c.startAgent(n, "--manage-vrfs")
		c.addNetwork("red", "10.30.0.0/16")
		soon(func(g Gomega) {
			got := meta.FindStatusCondition(c.network("cluster_udn_red").Conditions, "VRFReady")
			g.Expect(got).To(HaveValue(SatisfyAll(HaveField("Status", metav1.ConditionFalse), HaveField("Reason", "NameTaken"),
				HaveField("Message", ContainSubstring("no VRF but a veth; rename the device or the network")))))
			g.Expect(meta.IsStatusConditionFalse(c.state().Conditions, "VRFReady")).To(BeTrue())
			g.Expect(c.events("network cluster_udn_red: ")).To(ContainElement(HavePrefix("Warning NameTaken network cluster_udn_red: there is a device red")))
			g.Expect(c.metrics(n)).To(ContainSubstring(`ovnbgp_agent_vrf_ready{network="cluster_udn_red",reason="NameTaken"} 0`))
		})

		By("mending it")
		n.ip("link del red")
		soon(func(g Gomega) {
			ready(g, "cluster_udn_red")
			g.Expect(meta.IsStatusConditionTrue(c.state().Conditions, "VRFReady")).To(BeTrue())
			g.Expect(c.events("network cluster_udn_red: ")).To(ContainElement(HavePrefix("Normal VRFReady network cluster_udn_red: VRF device red (table 1000000007")))
			g.Expect(c.metrics(n)).To(SatisfyAll(ContainSubstring(`ovnbgp_agent_vrf_ready{network="cluster_udn_red",reason="Ready"} 1`), Not(ContainSubstring("NameTaken"))))
		})
		c.removeNetworks("red")
		soon(func(g Gomega) { g.Expect(c.network("cluster_udn_red").Name).To(BeEmpty()) })
	})

	It("waits with --once until all is made, and fails where something could not be", func() {
		n, _ := newPlace()
		c.addNetwork("blue", "10.10.0.0/16")
		out, err := c.command(n, "--manage-vrfs", "--once").CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(out))
		Expect(kernelOf(n)).To(ContainSubstring("blue UP vrf table " + table))
		Expect(string(out)).To(MatchRegexp(`msg=Imported network=cluster_udn_blue .*reason=Synced`))

		n.ip("link add red type veth peer name red1")
		c.addNetwork("red", "10.30.0.0/16")
		out, err = c.command(n, "--manage-vrfs", "--once").CombinedOutput()
		Expect(err).To(HaveOccurred())
		Expect(string(out)).To(ContainSubstring("VRF of network cluster_udn_red: there is a device red"))

		By("without the flag nothing in the kernel changes, whatever is there and missing")
		n.ip("link set blue down")
		c.removeNetworks("red")
		c.addNetwork("green", "10.20.0.0/16")
		c.changeNetwork("blue", ownVRF)
		before := kernelOf(n)
		agent := c.startAgent(n)
		soon(func(g Gomega) {
			g.Expect(meta.IsStatusConditionTrue(c.network(blue).Conditions, "Synced")).To(BeTrue())
			g.Expect(meta.FindStatusCondition(c.network(blue).Conditions, "VRFReady")).To(BeNil())
			g.Expect(meta.FindStatusCondition(c.state().Conditions, "VRFReady")).To(BeNil())
		})
		agent.kill()
		Expect(kernelOf(n)).To(Equal(before))
		c.removeNetworks("blue", "green")
	})
})

// kernelOf is what iproute2 tells of VRF devices, rules, and unreachable
// routes: somebody else's view.
func kernelOf(n *node) string {
	GinkgoHelper()
	var out strings.Builder
	run := func(arguments string) string {
		lines, err := exec.Command("ip", append([]string{"-n", n.ns.Name}, strings.Fields(arguments)...)...).CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), "ip %s: %s", arguments, lines)
		return string(lines)
	}
	for line := range strings.Lines(run("-d -o link show type vrf")) {
		// "7: blue: <NOARP,MASTER,UP,LOWER_UP> mtu ... vrf table 1000000005 ..."
		fields := strings.Fields(line)
		state := "DOWN"
		if strings.Contains(fields[2], "UP,") {
			state = "UP"
		}
		_, rest, _ := strings.Cut(line, " vrf table ")
		_, _ = fmt.Fprintf(&out, "%s %s vrf table %s\n", strings.TrimSuffix(fields[1], ":"), state, strings.Fields(rest)[0])
	}
	for _, listing := range []string{"-4 rule", "-6 rule", "-4 route show table all type unreachable", "-6 route show table all type unreachable"} {
		for line := range strings.Lines(run(listing)) {
			_, _ = fmt.Fprintln(&out, strings.Join(strings.Fields(line), " "))
		}
	}
	return out.String()
}

func deviceIndex(n *node, device string) string {
	GinkgoHelper()
	index, _, _ := strings.Cut(n.ns.Exec(GinkgoTB(), "ip", "-o", "link", "show", device), ":")
	return index
}

// shippedAgent is the binary: built for this run where tests run that can't
// build any.
func shippedAgent() string {
	GinkgoHelper()
	if folder := os.Getenv("OVNBGP_LAB_BINARIES"); folder != "" {
		return filepath.Join(folder, "agent")
	}
	if _, err := exec.LookPath("go"); err != nil {
		Skip("NOT TESTED: the agent's binary can't be built here; `make test-vm PKG=./test/integration/agent` brings it along")
	}
	binary, err := buildAgent()
	Expect(err).NotTo(HaveOccurred())
	return binary
}
