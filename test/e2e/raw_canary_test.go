package e2e_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/frrk8s"
)

func withRawText() lab.Description {
	d := lab.Default()
	d.ManagerArgs = []string{"--frr-raw"}
	return d
}

// Story 35: a reload that the first node's FRR refuses stays on that node.
var _ = Describe("Raw text that FRR refuses", Label("story35"), func() {
	It("stays on the first node, which goes on without it, and reaches all once the cause is gone", func(ctx context.Context) {
		l := use(ctx, withRawText())
		tor, first, other := l.Router("tor"), l.Nodes[0], l.Nodes[1]
		subnets := within(l, prefixes("172.20.35.0/24", "fd00:172:20:35::/64"))
		server := startServer(ctx, tor, "web", subnets...)
		pods := map[string]*cni.Pod{}
		for _, n := range l.Nodes {
			pods[n.Name] = startPod(ctx, l, cni.PodSpec{Namespace: "story35", Name: "pod-" + n.Name, Node: n.Name})
		}
		apply(ctx, l, peering(l, tor), advertisement("story35", defaultNetwork))
		announce(ctx, tor, subnets...)
		all := append(defaultPrefixes(l), subnets...)
		expectExactly(ctx, tor, all...)
		expectFRRConfigured(ctx, l, "story35")
		// Nodes have raw text without any policy, too, one after the other.
		for _, n := range l.Nodes {
			Eventually(ctx, n.FRR.RunningConfig).Should(ContainSubstring("ovnbgp-text-"), n.Name)
		}

		By("a MED, and somebody's line for the first node, which its frr-k8s comes to see together")
		var flows streams
		for _, ipv4 := range l.Families() {
			for _, n := range l.Nodes {
				expectSeenAs(ctx, server.Machine, pods[n.Name].Address(ipv4), server.Address(ipv4))
				flows.add(ctx, familyName(ipv4)+", client to pod on "+n.Name, server.Machine, pods[n.Name].Address(ipv4))
			}
		}
		Eventually(ctx, flows.sent).Should(BeNumerically(">", 500))
		flows.skipIfLossy(ctx)
		before := heardByRouter(ctx, tor)

		first.FRRK8s.Controller.Kill()
		apply(ctx, l, pathPolicy("story35", "{match: {}, set: {med: 50}}"))
		expectRenderedPolicy(ctx, l, "story35", metav1.ConditionFalse, "the FRR of node "+first.Name+" has to take it first")
		mistake := somebodysLine(first)
		apply(ctx, l, mistake)
		Expect(first.FRRK8s.StartController(ctx)).To(Succeed())
		expectRenderedPolicy(ctx, l, "story35", metav1.ConditionFalse, "because the node's FRR did not take it")
		expectRenderedPolicy(ctx, l, "story35", metav1.ConditionFalse, "the FRR of node "+first.Name+" did not take it")
		Eventually(ctx, func(ctx context.Context) (string, error) { return first.Machine.ReadFile(frrk8s.ConfigFile) }).
			Should(And(ContainSubstring("somebody"), Not(ContainSubstring("ovnbgp-"))), "raw text is off the node again")
		Expect(other.FRR.RunningConfig(ctx)).NotTo(ContainSubstring("set metric"), "no other node was tried")
		expectExactly(ctx, tor, all...)
		expectMED(ctx, tor, subnetsOf(l, l.Nodes...), 0)
		sent := flows.sent()
		Eventually(ctx, flows.sent).Should(BeNumerically(">", sent+500))
		flows.pause(true)
		Eventually(ctx, flows.lost).Should(BeZero(), "packets lost")
		for peer, now := range heardByRouter(ctx, tor) {
			Expect(now.Dropped).To(Equal(before[peer].Dropped), "sessions with %s", peer)
		}

		By("the cause gone, and another MED")
		remove(ctx, l, mistake)
		expectFRRConfigured(ctx, l, "story35")
		apply(ctx, l, pathPolicy("story35", "{match: {}, set: {med: 60}}"))
		expectMED(ctx, tor, subnetsOf(l, l.Nodes...), 60)
		expectRenderedPolicy(ctx, l, "story35", metav1.ConditionTrue, "rendered on all 2 nodes")
		expectFRRConfigured(ctx, l, "story35")
		expectExactly(ctx, tor, all...)

		By("the flag taken away")
		DeferCleanup(func(ctx context.Context) {
			l.ManagerArgs = []string{"--frr-raw"}
			Expect(l.Manager.Restart(ctx)).To(Succeed())
		})
		l.ManagerArgs = nil
		Expect(l.Manager.Restart(ctx)).To(Succeed())
		expectMED(ctx, tor, subnetsOf(l, l.Nodes...), 0)
		for _, n := range l.Nodes {
			Eventually(ctx, n.FRR.RunningConfig).ShouldNot(ContainSubstring("ovnbgp-"), n.Name)
		}
	})
})

// somebodysLine is somebody's FRRConfiguration for a node, with a line that FRR refuses.
func somebodysLine(n *lab.Node) string {
	return fmt.Sprintf(`
apiVersion: frrk8s.metallb.io/v1beta1
kind: FRRConfiguration
metadata: {name: somebody, namespace: %s}
spec:
  nodeSelector: {matchLabels: {kubernetes.io/hostname: %s}}
  raw:
    rawConfig: |
      ip prefix-list somebody seq 5 permit everything
`, frrk8s.Namespace, n.Name)
}

// expectMED waits until the router has the prefixes with a MED, 0 for none.
func expectMED(ctx context.Context, r *lab.Router, of []netip.Prefix, med int) {
	GinkgoHelper()
	for _, prefix := range of {
		has := ContainSubstring(fmt.Sprintf("metric %d,", med))
		if med == 0 {
			has = Or(ContainSubstring("metric 0,"), Not(ContainSubstring("metric ")))
		}
		Eventually(ctx, func(ctx context.Context) (string, error) {
			return r.FRR.Show(ctx, strings.Join([]string{"show bgp", afiName(prefix.Addr().Is4()), "unicast", prefix.String()}, " "))
		}).Should(And(ContainSubstring("valid"), has), "%s at %s", prefix, r.Name)
	}
}
