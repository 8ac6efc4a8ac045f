package agent

import (
	"net/netip"
	"os/exec"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vrfs"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/testns"
)

// The binary as it is shipped, after the agent is gone.
var _ = Describe("agent cleanup", func() {
	It("removes what the agent wrote into OVN, and nothing of anybody else's", func() {
		n := newNode()
		n.foreign()
		n.server.Transact(GinkgoTB(), map[string]any{"op": "insert", "table": "Address_Set", "row": map[string]any{"name": "a1", "addresses": "172.18.0.1",
			"external_ids": []any{"map", [][]string{{"k8s.ovn.org/name", "node-ips"}}}}})
		n.others = n.everythingElse()
		n.manageSNAT = true
		n.networks[0].Advertised, n.networks[0].Subnets = true, []netip.Prefix{netip.MustParsePrefix("10.244.0.0/16")}
		n.ip("route add 10.1.0.0/24 via 172.18.0.2 proto bgp", "route add blackhole 10.3.0.0/24 proto bgp",
			"route add 10.9.0.0/24 via 172.18.0.2 table 1005 proto bgp")
		n.start()
		n.expectOurs()
		limited := func() int {
			rows := 0
			for _, limited := range n.server.LimitedSNAT(GinkgoTB()) {
				if limited {
					rows++
				}
			}
			return rows
		}
		Eventually(limited, patience).Should(Equal(1))
		// A row whose port somebody changed, so that it does not tell its router.
		n.stop()
		n.server.Update(GinkgoTB(), "10.3.0.0/24", map[string]any{"output_port": []any{"set", []any{}}})
		before := n.server.AllRoutes(GinkgoTB())

		Expect(mustCleanup(n, "--dry-run")).To(Equal(`OVN: would remove 1 static routes on router (unknown)
OVN: would remove 1 static routes on router GR_cluster_udn_blue_n1
OVN: would remove 1 static routes on router GR_n1
OVN: would restore 1 SNAT rows on router GR_n1
`))
		Expect(n.server.AllRoutes(GinkgoTB())).To(Equal(before))
		Expect(limited()).To(Equal(1))

		Expect(mustCleanup(n)).To(Equal(`OVN: removed 1 static routes on router (unknown)
OVN: removed 1 static routes on router GR_cluster_udn_blue_n1
OVN: removed 1 static routes on router GR_n1
OVN: restored 1 SNAT rows on router GR_n1
`))
		for _, router := range []string{"GR_n1", blueRouter} {
			Expect(n.server.Routes(GinkgoTB(), router, "ovnbgp.io/node")).NotTo(ContainElement(HaveField("Owner", "n1")))
		}
		n.expectForeign()
		Expect(mustCleanup(n)).To(Equal("nothing of the agents is left on node n1\n"))
	})

	It("removes what OVN-Kubernetes' route import left on this node, and the agent takes over", func() {
		n := newNode()
		n.server.AddRouter(GinkgoTB(), "GR_n2")
		left := [2]string{"k8s.ovn.org/owner-controller", "RouteImport"}
		n.foreign()
		n.server.AddRoute(GinkgoTB(), "GR_n2", "10.1.0.0/24", "172.18.0.2", "rtoe-GR_n2", left)
		n.others = n.everythingElse()
		n.server.AddRoute(GinkgoTB(), "GR_n1", "10.1.0.0/24", "172.18.0.2", "rtoe-GR_n1", left)
		n.server.AddRoute(GinkgoTB(), "GR_n1", "10.5.0.0/24", "172.18.0.2", "rtoe-GR_n1", left)
		n.server.AddRoute(GinkgoTB(), blueRouter, "10.9.0.0/24", "172.18.0.2", "rtoe-"+blueRouter, left)
		n.ip("route add 10.1.0.0/24 via 172.18.0.3 proto bgp", "route add 10.9.0.0/24 via 172.18.0.2 table 1005 proto bgp")
		n.start()
		n.expectReason("default", agent.ReasonRouteImport)
		Expect(n.state("default").Message).To(ContainSubstring("agent cleanup --route-import"))
		before := n.server.AllRoutes(GinkgoTB())
		Expect(mustCleanup(n, "--route-import", "--dry-run")).To(Equal("OVN: would remove 1 static routes of route import on router GR_cluster_udn_blue_n1\n" +
			"OVN: would remove 2 static routes of route import on router GR_n1\n"))
		Expect(n.server.AllRoutes(GinkgoTB())).To(Equal(before))

		Expect(mustCleanup(n, "--route-import")).To(Equal("OVN: removed 1 static routes of route import on router GR_cluster_udn_blue_n1\n" +
			"OVN: removed 2 static routes of route import on router GR_n1\n"))
		n.expectReason("default", agent.ReasonSynced)
		n.expectOurs()
		n.expectForeign()
		Expect(mustCleanup(n, "--route-import")).To(Equal("no route of route import is left on node n1\n"))
		n.expectOurs()
	})

	It("says that it could not reach the database", func() {
		n := newNode()
		n.server.Kill()
		out, err := cleanup(n, "--timeout=1s")
		Expect(err).To(HaveOccurred(), out)
	})

	It("removes what --manage-vrfs made", InVM, func() {
		n := newNode()
		testns.RequireVRF(GinkgoTB(), n.ns)
		before := kernelOf(n)
		keeper := &vrfs.Keeper{Namespace: n.ns.Handle, Log: GinkgoLogr}
		_, err := keeper.Sync([]vrfs.Network{
			{Name: blue, VRF: "blue", ID: 5, Subnets: []netip.Prefix{netip.MustParsePrefix("10.10.0.0/16")}, Exposed: true},
			{Name: "cluster_udn_red", VRF: "red", ID: 7, Subnets: []netip.Prefix{netip.MustParsePrefix("10.11.0.0/16")}, Isolated: true},
		})
		Expect(err).NotTo(HaveOccurred())
		made := kernelOf(n)
		Expect(made).To(SatisfyAll(ContainSubstring("blue UP vrf"), ContainSubstring("red UP vrf"), ContainSubstring("10.10.0.0/16 lookup")))
		Expect(mustCleanup(n, "--dry-run")).To(SatisfyAll(ContainSubstring("kernel: would delete VRF device blue\n"), ContainSubstring("kernel: would delete rule to 10.10.0.0/16")))
		Expect(kernelOf(n)).To(Equal(made))
		Expect(mustCleanup(n)).To(SatisfyAll(ContainSubstring("kernel: delete VRF device blue\n"), ContainSubstring("kernel: delete VRF device red\n")))
		Expect(kernelOf(n)).To(Equal(before))
	})
})

// cleanup runs the shipped agent's command on the node.
func cleanup(n *node, flags ...string) (string, error) {
	GinkgoHelper()
	arguments := append([]string{"netns", "exec", n.ns.Name, shippedAgent(), "cleanup", "--node=n1",
		"--ovn-nb=" + n.server.Endpoint(), "--log-format=text", "--timeout=20s"}, flags...)
	command := exec.Command("ip", arguments...)
	command.Stderr = GinkgoWriter
	out, err := command.Output()
	return string(out), err
}

func mustCleanup(n *node, flags ...string) string {
	GinkgoHelper()
	out, err := cleanup(n, flags...)
	Expect(err).NotTo(HaveOccurred(), out)
	return out
}
