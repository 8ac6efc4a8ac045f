package agent

import (
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/report"
)

var _ = Describe("Rows of OVN-Kubernetes' route import", func() {
	var n *node

	// follow does what route import does when the kernel's routes of the network
	// blue change: rows of its own are as the kernel has them.
	follow := func() {
		GinkgoHelper()
		var have []string
		for _, r := range n.server.Routes(GinkgoTB(), blueRouter, "k8s.ovn.org/owner-controller") {
			if r.Owner == "RouteImport" {
				have = append(have, r.Prefix+">"+r.NextHop)
			}
		}
		want := n.inKernel(blueTable)
		for _, route := range want {
			if !slices.Contains(have, route) {
				prefix, hop, _ := strings.Cut(route, ">")
				n.server.AddRoute(GinkgoTB(), blueRouter, prefix, hop, "rtoe-"+blueRouter, [2]string{"k8s.ovn.org/owner-controller", "RouteImport"})
			}
		}
		for _, route := range have {
			if !slices.Contains(want, route) {
				prefix, _, _ := strings.Cut(route, ">")
				n.server.Transact(GinkgoTB(), map[string]any{"op": "mutate", "table": "Logical_Router", "where": []any{[]any{"name", "==", blueRouter}},
					"mutations": []any{[]any{"static_routes", "delete", n.server.RowID(GinkgoTB(), "Logical_Router_Static_Route", "ip_prefix", prefix)}}})
			}
		}
	}
	reason := func() string { return n.state(blue).Reason }

	BeforeEach(func() {
		n = newNode()
		n.leftAfter = 3 * time.Second
		n.ip(routes("add", 10, 2)...)
	})

	It("are left ones where nobody brings them in line with the kernel, and told with what to do", func() {
		follow()
		n.foreignTo("GR_n1")
		n.start()
		n.expectReason(blue, agent.ReasonRouteImport)

		By("a writer at work, in quiet times and in others")
		Consistently(reason, 3*n.leftAfter/2, 50*time.Millisecond).Should(Equal(agent.ReasonRouteImport))
		for hop := range 8 {
			n.ip(routes("replace", 20, 3+hop)...)
			n.ip(routes("del", 20, 3+hop)[hop])
			follow()
			Consistently(reason, n.leftAfter/4, 50*time.Millisecond).Should(Equal(agent.ReasonRouteImport))
		}

		By("one that was switched off")
		follow()
		n.ip("route del 20.0.9.0/24 table 1005", "route add 10.7.0.0/24 via 172.18.0.2 proto bgp table 1005")
		Expect(reason()).To(Equal(agent.ReasonRouteImport))
		n.expectReason(blue, agent.ReasonRouteImportLeft)
		Expect(n.state(blue).Message).To(And(ContainSubstring("only the router has 20.0.9.0/24"), ContainSubstring("only the kernel has 10.7.0.0/24"),
			ContainSubstring("agent cleanup --route-import")))
		status := report.Status(&report.Seen{States: n.agent.States()}, &v1alpha1.NodeRouteStateStatus{}, time.Now())
		Expect(meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionSynced)).To(And(
			HaveField("Status", metav1.ConditionFalse), HaveField("Reason", agent.ReasonRouteImportLeft)))
		Expect(n.inOVN(blueRouter)).To(BeEmpty(), "the agent stands aside all the same")

		By("one that was only restarted")
		follow()
		n.expectReason(blue, agent.ReasonRouteImport)

		By("the clean-up")
		n.ip("route add 10.8.0.0/24 via 172.18.0.2 proto bgp table 1005")
		n.expectReason(blue, agent.ReasonRouteImportLeft)
		Expect(mustCleanup(n, "--route-import")).To(ContainSubstring("static routes of route import on router " + blueRouter))
		n.expectReason(blue, agent.ReasonSynced)
		Expect(n.inOVN(blueRouter)).To(Equal(n.inKernel(blueTable)))
	})

	It("are told after a restart of the agent, too, and across a lost connection", func() {
		follow()
		n.ip("route del 20.0.3.0/24 table 1005")
		n.start()
		n.expectReason(blue, agent.ReasonRouteImport)
		n.expectReason(blue, agent.ReasonRouteImportLeft)
		Expect(n.state(blue).Message).To(ContainSubstring("only the router has 20.0.3.0/24. "))
		n.server.Kill()
		n.expectReason(blue, agent.ReasonDisconnected)
		n.server.Run(GinkgoTB())
		n.expectReason(blue, agent.ReasonRouteImportLeft)
	})
})
