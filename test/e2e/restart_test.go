package e2e_test

import (
	"context"
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
)

// Story 11: whatever is restarted, everything finds together again by itself,
// and what happened meanwhile is made up for.
var _ = Describe("Restarts", Label("story11"), func() {
	var (
		l        *lab.Lab
		tor      *lab.Router
		node     *lab.Node
		server   *lab.Server
		pod      *cni.Pod
		subnets  []netip.Prefix
		late     []netip.Prefix
		in, out  *flow
		inNode2  *flow
		otherPod *cni.Pod
	)
	BeforeEach(func(ctx context.Context) {
		l = use(ctx, lab.Default())
		tor, node = l.Router("tor"), l.Node("node1")
		subnets = within(l, prefixes("172.20.110.0/24", "fd00:172:20:110::/64"))
		late = within(l, prefixes("172.20.111.0/24", "fd00:172:20:111::/64"))
		server = startServer(ctx, tor, "web", subnets...)
		pod = startPod(ctx, l, cni.PodSpec{Namespace: "story11", Name: "pod", Node: node.Name})
		otherPod = startPod(ctx, l, cni.PodSpec{Namespace: "story11", Name: "other", Node: "node2"})
		apply(ctx, l, peering(l, tor), advertisement("story11", defaultNetwork))
		announce(ctx, tor, subnets...)
		expectSeenAs(ctx, pod.Machine, server.Address(true), pod.Address(true))
		expectSeenAs(ctx, server.Machine, pod.Address(true), server.Address(true))
		expectSeenAs(ctx, server.Machine, otherPod.Address(true), server.Address(true))
		in = watchFlow(ctx, "client to pod", server.Machine, pod.Address(true))
		out = watchFlow(ctx, "pod to server", pod.Machine, server.Address(true))
		inNode2 = watchFlow(ctx, "client to a pod of another node", server.Machine, otherPod.Address(true))
	})

	// settled waits until flows work, and tells for how long they did not.
	settled := func(ctx context.Context, cause string) {
		GinkgoHelper()
		for _, f := range []*flow{in, out} {
			Eventually(ctx, f.hasAnswers).Should(BeTrue(), "%s after: %s", f.name, cause)
			reportOutage(cause, f.name, f.outage())
		}
		Expect(inNode2.outage()).To(BeNumerically("<", notAnOutage), "what runs on another node is interrupted")
	}
	uninterrupted := func() {
		GinkgoHelper()
		for _, f := range []*flow{in, out} {
			Expect(f.outage()).To(BeNumerically("<", notAnOutage), f.name)
		}
	}
	// learned waits until the node has what was announced meanwhile.
	learned := func(ctx context.Context) {
		GinkgoHelper()
		for _, prefix := range late {
			expectRowVia(ctx, l, node.Name, prefix, tor, prefix.Addr().Is4())
		}
	}

	It("of the agent interrupt nothing, and it learns and forgets what it missed", func(ctx context.Context) {
		node.Agent.Kill()
		announce(ctx, tor, late...)
		Eventually(ctx, func() (bool, error) { return kernelHas(node.Machine, late[0]) }).Should(BeTrue())
		Expect(rowsTo(ctx, l, node.Name, late[0])).To(BeEmpty(), "nobody else imports routes")
		Expect(node.StartAgent(ctx)).To(Succeed())
		learned(ctx)
		uninterrupted()
		settled(ctx, "agent killed and started")

		node.Agent.Kill()
		Expect(tor.Withdraw(ctx, late...)).To(Succeed())
		for _, prefix := range late {
			Eventually(ctx, func() (bool, error) { return kernelHas(node.Machine, prefix) }).Should(BeFalse())
			Expect(rowsTo(ctx, l, node.Name, prefix)).NotTo(BeEmpty(), "nobody else removes rows")
		}
		Expect(node.StartAgent(ctx)).To(Succeed())
		for _, prefix := range late {
			Eventually(ctx, func(ctx context.Context) ([]row, error) { return rowsTo(ctx, l, node.Name, prefix) }).Should(BeEmpty())
		}
		uninterrupted()
	})

	It("of the manager interrupt nothing, and it does what it missed", func(ctx context.Context) {
		first := nodeSubnet(l, node.Name, true)
		l.Manager.Kill()
		DeferCleanup(func(ctx context.Context) {
			if !l.Manager.Running() {
				Expect(l.Manager.Restart(ctx)).To(Succeed())
			}
		})
		uninterrupted()
		in.end()
		remove(ctx, l, advertisement("story11", defaultNetwork))
		Consistently(ctx, pathIs(tor.FRR, first, true)).Should(BeTrue(), "nobody else withdraws it")
		Expect(l.Manager.Restart(ctx)).To(Succeed())
		Eventually(ctx, pathIs(tor.FRR, first, false)).Should(BeTrue())
	})

	It("of frr-k8s interrupt nothing, and it applies what it missed", func(ctx context.Context) {
		node.FRRK8s.Kill()
		uninterrupted()
		Expect(node.FRRK8s.Restart(ctx)).To(Succeed())
		announce(ctx, tor, late...)
		learned(ctx)
		uninterrupted()
		settled(ctx, "frr-k8s killed and started")
	})

	It("of FRR converge", func(ctx context.Context) {
		node.FRR.Kill()
		announce(ctx, tor, late...)
		Expect(node.FRR.Restart(ctx)).To(Succeed())
		learned(ctx)
		settled(ctx, "FRR killed and started")
	})

	It("of OVN's Northbound database interrupt nothing, and the agent goes on", func(ctx context.Context) {
		database := l.CNI.Central(node.Name).Northbound
		database.Kill()
		DeferCleanup(func(ctx context.Context) { Expect(database.Start(ctx)).To(Succeed()) })
		announce(ctx, tor, late...)
		Eventually(ctx, func() (bool, error) { return kernelHas(node.Machine, late[0]) }).Should(BeTrue())
		Expect(database.Start(ctx)).To(Succeed())
		learned(ctx)
		uninterrupted()
		settled(ctx, "OVN's Northbound database killed and started")
	})

	It("of a node converge", func(ctx context.Context) {
		in.end()
		out.end()
		off := time.Now()
		Expect(node.PowerOff()).To(Succeed())
		first := nodeSubnet(l, node.Name, true)
		Eventually(ctx, pathIs(tor.FRR, first, false)).Should(BeTrue(), "the far end notices")
		announce(ctx, tor, late...)
		Expect(node.PowerOn(ctx)).To(Succeed())
		again := startPod(ctx, l, cni.PodSpec{Namespace: "story11", Name: "again", Node: node.Name})
		expectSeenAs(ctx, server.Machine, again.Address(true), server.Address(true))
		reportOutage("node off and on", "client to a pod there", time.Since(off))
		expectSeenAs(ctx, again.Machine, server.Address(true), again.Address(true))
		reportOutage("node off and on", "a pod there to server", time.Since(off))
		learned(ctx)
		Expect(inNode2.outage()).To(BeNumerically("<", notAnOutage), "what runs on another node is interrupted")
	})
})
