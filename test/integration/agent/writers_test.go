package agent

import (
	"fmt"
	"regexp"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
)

// Rows of the features that OVN-Kubernetes programs beside routes stand with
// imported ones in a real OVN, as it writes them, and ovn-trace tells where each
// pod's packets go. config/TROUBLESHOOTING.md has the answers for people.
var _ = Describe("Beside what OVN-Kubernetes writes for single pods", Ordered, func() {
	// Each of the pods is served by one feature, the first by none.
	const plain, egressIP, gateways, firewalled, marked, service = 5, 6, 7, 8, 9, 10
	// The next hops: of the default route, of imported routes, and of a pod's own
	// external gateway.
	const standard, imported, importedHost, own = "172.18.0.254", "172.18.0.2", "172.18.0.3", "172.18.0.77"

	var northd *nbserver.Northd
	var n *node

	address := func(pod int) string { return fmt.Sprintf("10.244.1.%d", pod) }
	mac := func(pod int) string { return fmt.Sprintf("0a:58:0a:f4:01:%02x", pod) }

	BeforeAll(func() {
		n = newNode()
		joined := func(router, lrp, mac, networks, lsp, to string) []string {
			return []string{
				"lrp-add " + router + " " + lrp + " " + mac + " " + networks,
				"lsp-add " + to + " " + lsp, "lsp-set-type " + lsp + " router", "lsp-set-addresses " + lsp + " router",
				"lsp-set-options " + lsp + " router-port=" + lrp,
			}
		}
		commands := []string{"set Logical_Router GR_n1 options:chassis=n1", "lr-add ovn_cluster_router", "ls-add n1", "ls-add join", "ls-add ext_n1"}
		commands = append(commands, joined("ovn_cluster_router", "rtos-n1", mac(1), "10.244.1.1/24", "stor-n1", "n1")...)
		commands = append(commands, joined("ovn_cluster_router", "rtoj-ovn_cluster_router", "0a:58:64:40:00:01", "100.64.0.1/16", "jtor-ovn_cluster_router", "join")...)
		commands = append(commands, joined("GR_n1", "rtoj-GR_n1", "0a:58:64:40:00:02", "100.64.0.2/16", "jtor-GR_n1", "join")...)
		commands = append(commands, joined("GR_n1", "rtoe-GR_n1", "02:00:00:00:00:01", "172.18.0.1/16", "etor-GR_n1", "ext_n1")...)
		for pod := plain; pod <= service; pod++ {
			port := fmt.Sprintf("pod%d", pod)
			commands = append(commands, "lsp-add n1 "+port, fmt.Sprintf(`lsp-set-addresses %s "%s %s"`, port, mac(pod), address(pod)))
		}
		commands = append(commands,
			"lsp-add n1 k8s-n1", `lsp-set-addresses k8s-n1 "0a:58:0a:f4:01:02 10.244.1.2"`,
			"--policy=src-ip lr-route-add ovn_cluster_router 10.244.1.0/24 100.64.0.2",
			"lr-route-add GR_n1 10.244.0.0/16 100.64.0.1",
			"lr-route-add GR_n1 0.0.0.0/0 "+standard+" rtoe-GR_n1",
			// EgressIP
			`lr-policy-add ovn_cluster_router 100 "ip4.src == `+address(egressIP)+`" reroute 100.64.0.2`,
			"lr-nat-add GR_n1 snat 172.18.0.50 "+address(egressIP),
			// AdminPolicyBasedExternalRoute
			"--policy=src-ip --ecmp-symmetric-reply lr-route-add GR_n1 "+address(gateways)+"/32 "+own+" rtoe-GR_n1",
			`lr-policy-add ovn_cluster_router 501 "inport == ""rtos-n1"" && ip4.src == `+address(gateways)+` && ip4.dst != 10.244.0.0/16" reroute 100.64.0.2`,
			// EgressFirewall, EgressQoS, EgressService
			`acl-add n1 from-lport 2000 "inport == ""pod8"" && ip4.dst == 10.1.0.0/16" drop`,
			`qos-add n1 from-lport 1000 "ip4.src == `+address(marked)+`" dscp=40`,
			`lr-policy-add ovn_cluster_router 101 "ip4.src == `+address(service)+`" reroute 10.244.1.2`,
		)
		for i, hop := range []string{standard, imported, importedHost, own} {
			commands = append(commands, fmt.Sprintf("static-mac-binding-add rtoe-GR_n1 %s 02:00:00:00:01:%02x", hop, i))
		}
		n.server.Configure(GinkgoTB(), commands...)
		northd = nbserver.StartNorthd(GinkgoTB(), n.server)
		n.ip("route add 10.1.0.0/24 via "+imported+" proto bgp", "route add 10.1.0.8/31 via "+imported+" proto bgp",
			"route add 10.9.9.9/32 via "+importedHost+" proto bgp")
		n.start()
		Eventually(func() int { return n.state("default").Skipped[model.SkipExternalGateway] }, patience).Should(Equal(1))
		Eventually(func() []string { return n.inOVN("GR_n1") }, patience).Should(ConsistOf("10.1.0.0/24>"+imported, "10.1.0.8/31>"+imported))
	})

	AfterAll(func() { n.stop() })

	// goes is where a packet leaves the gateway router to, "" where it doesn't.
	goes := func(pod int, destination string) (hop, trace string) {
		northd.Sync(GinkgoTB())
		trace = northd.Trace(GinkgoTB(), "n1", fmt.Sprintf(
			`inport == "pod%d" && eth.src == %s && eth.dst == %s && ip4.src == %s && ip4.dst == %s && ip.ttl == 64 && icmp4.type == 8`,
			pod, mac(pod), mac(1), address(pod), destination))
		hops := regexp.MustCompile(`reg0 = (172\.18\.[0-9.]+);`).FindAllStringSubmatch(trace, -1)
		if len(hops) > 0 {
			hop = hops[len(hops)-1][1]
		}
		return hop, trace
	}

	DescribeTable("a packet of a pod goes", func(pod int, destination, want, action string) {
		hop, trace := goes(pod, destination)
		Expect(hop).To(Equal(want), trace)
		Expect(trace).To(ContainSubstring(action))
	},
		Entry("that nothing else is for, along the imported route", plain, "10.1.0.7", imported, ""),
		Entry("that nothing else is for, along the default route", plain, "10.2.0.7", standard, ""),
		Entry("with an EgressIP, along the imported route with that address", egressIP, "10.1.0.7", imported, ""),
		Entry("with external gateways, to these", gateways, "10.1.0.7", own, ""),
		Entry("with external gateways, to these, and not along a /31", gateways, "10.1.0.9", own, ""),
		Entry("with external gateways, to these, as the route to a single host is held back", gateways, "10.9.9.9", own, ""),
		Entry("that an EgressFirewall stops, nowhere", firewalled, "10.1.0.7", "", "drop"),
		Entry("that an EgressQoS marks, along the imported route with the mark", marked, "10.1.0.7", imported, "ip.dscp = 40"),
		Entry("of an EgressService, to the host", service, "10.1.0.7", "", `output to "k8s-n1"`),
	)

	It("leaves an EgressIP its address", func() {
		// ovn-trace of OVN 23.03 does not enter the table of SNAT on a gateway router.
		Expect(northd.Flows(GinkgoTB(), "ip4.src == "+address(egressIP))).To(ContainElement("ct_snat(172.18.0.50);"))
	})

	It("imports single hosts again when no pod has external gateways", func() {
		n.server.Configure(GinkgoTB(), "lr-route-del GR_n1 "+address(gateways)+"/32")
		Eventually(func() []string { return n.inOVN("GR_n1") }, patience).Should(ContainElement("10.9.9.9/32>" + importedHost))
		Expect(n.state("default").Skipped[model.SkipExternalGateway]).To(BeZero())
		n.server.Configure(GinkgoTB(), "--policy=src-ip --ecmp-symmetric-reply lr-route-add GR_n1 "+address(gateways)+"/32 "+own+" rtoe-GR_n1")
		hop, trace := goes(gateways, "10.9.9.9")
		Eventually(func() string { hop, trace = goes(gateways, "10.9.9.9"); return hop }, patience).Should(Equal(own), trace)
	})
})
