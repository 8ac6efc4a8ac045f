package e2e_test

import (
	"context"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// tellOfFaults is story 22: what fails, and how it is afterwards.
func (s *sharedBoth) tellOfFaults() {
	var (
		l    *lab.Lab
		node *lab.Node
	)
	BeforeEach(func(ctx context.Context) {
		l, node = s.l, s.l.Node("node1")
		s.watch(ctx)
	})
	ways := func() ([]netip.Addr, error) { return s.waysTo(s.tor, hostRoute(s.pod, true)) }

	It("of FRR end with all that it knew", func(ctx context.Context) {
		node.FRR.Kill()
		Eventually(ctx, ways).Should(BeEmpty(), "the router has noticed")
		Expect(node.FRR.Restart(ctx)).To(Succeed())
		Eventually(ctx, ways).Should(ConsistOf(s.evpn.NodeEndpoint(node)))
		s.expectAll(ctx, l)
		s.expectSettled(ctx, "EVPN, FRR killed and started")
		s.expectAsBefore(ctx)
		expectDistinct(ctx, s.tor)
	})

	It("of the MAC-VRF's interface cost the node what it knows of its pods, until it tells again", func(ctx context.Context) {
		svl2 := "svl2-" + s.cudn
		Expect(node.Machine.SetLink(svl2, false)).To(Succeed())
		Expect(node.Machine.SetLink(svl2, true)).To(Succeed())
		// The router keeps its way: for four minutes FRR 10.3 was seen not to withdraw it.
		Expect(s.knownOfPod(ctx, l)).NotTo(Equal(s.entries))
		Expect(l.CNI.TellOfPods(node.Name)).To(Succeed())
		s.expectAsBefore(ctx)
		Eventually(ctx, ways).Should(ConsistOf(s.evpn.NodeEndpoint(node)))
		s.expectAll(ctx, l)
		s.expectSettled(ctx, "EVPN, svl2 down and up")
	})

	It("of the API server interrupt nothing, and what moves meanwhile is found", func(ctx context.Context) {
		machines := []*machine.Machine{l.Manager.Machine}
		for _, n := range l.Nodes {
			machines = append(machines, n.Machine)
		}
		opened := false
		open := func(ctx context.Context) {
			GinkgoHelper()
			for _, m := range machines {
				Expect(l.Kube.Open(ctx, m)).To(Succeed())
			}
			opened = true
		}
		for _, m := range machines {
			l.Kube.Shut(m)
		}
		DeferCleanup(func(ctx context.Context) {
			if !opened {
				open(ctx)
			}
		})
		s.expectAll(ctx, l)
		s.expectSettled(ctx, "EVPN, API server away")
		s.expectUninterrupted()
		for _, f := range s.flows {
			f.end()
		}

		By("pods move")
		for _, to := range []string{"node2", "node1"} {
			migration, err := l.CNI.StartMigration(ctx, s.pod, to)
			Expect(err).NotTo(HaveOccurred())
			Expect(migration.Switch(ctx)).To(Succeed())
			expectFollowed(ctx, l, s.both)
			Expect(migration.Finish(ctx)).To(Succeed())
		}
		s.expectAll(ctx, l)
		s.expectAsBefore(ctx)
		Expect(l.Manager.Running()).To(BeTrue())
		for _, n := range l.Nodes {
			Expect(n.Agent.Running()).To(BeTrue(), "the agent of %s", n.Name)
			Expect(n.FRRK8s.Controller.Running()).To(BeTrue(), "frr-k8s of %s", n.Name)
		}

		By("back: what was not possible meanwhile is")
		open(ctx)
		remove(ctx, l, overVRF("story16", "auto", s.selector()))
		Eventually(ctx, ways).Should(BeEmpty())
	})
}
