package e2e_test

import (
	"context"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/ovn"
)

// tellOfFaultsOfDevices is story 26: what an agent made is taken away, or what it needs
// for that, or the agent itself.
func (s *sharedBoth) tellOfFaultsOfDevices() {
	var node *lab.Node
	BeforeEach(func(ctx context.Context) {
		node = s.l.Node("node1")
		s.watch(ctx)
	})
	ways := func(pod *cni.Pod) func() ([]netip.Addr, error) {
		return func() ([]netip.Addr, error) { return s.waysTo(s.tor, hostRoute(pod, true)) }
	}
	// expectRestored waits until all is there again, without anybody's help.
	expectRestored := func(ctx context.Context, cause string) {
		GinkgoHelper()
		s.expectAsBefore(ctx)
		Eventually(ctx, ways(s.pod)).Should(ConsistOf(s.evpn.NodeEndpoint(node)))
		s.expectAll(ctx, s.l)
		s.expectSettled(ctx, cause)
	}

	It("of the bridge, deleted by hand, end with another one, and the fabric sends to the same router MAC", func(ctx context.Context) {
		bridge, macs := "evbr-"+s.evpn.VTEP, routerMACs(ctx, s.tor)
		Expect(macs).To(HaveKey(s.evpn.NodeEndpoint(node)))
		deleted, err := node.Machine.Netlink().LinkByName(bridge)
		Expect(err).NotTo(HaveOccurred())
		Expect(node.Machine.DeleteLink(bridge)).To(Succeed())
		Eventually(ctx, func() (int, error) {
			link, err := node.Machine.Netlink().LinkByName(bridge)
			if err != nil {
				return deleted.Attrs().Index, err
			}
			return link.Attrs().Index, nil
		}).ShouldNot(Equal(deleted.Attrs().Index), "the agent makes a bridge")
		expectRestored(ctx, "EVPN, the bridge deleted")
		Eventually(ctx, func(ctx context.Context) map[netip.Addr]string { return routerMACs(ctx, s.tor) }).Should(Equal(macs))
	})

	It("of the MAC-VRF's interface, set down, end with it up and all entries on it", func(ctx context.Context) {
		Expect(node.Machine.SetLink("svl2-"+s.cudn, false)).To(Succeed())
		expectRestored(ctx, "EVPN, svl2 down, with an agent")
	})

	It("of Open vSwitch end with what ran before, and the agent still makes its port", func(ctx context.Context) {
		vswitch := s.l.CNI.Switch(node.Name)
		Expect(vswitch.Vswitchd.Stop()).To(Succeed())
		Expect(vswitch.Database.Restart(ctx)).To(Succeed())
		Expect(vswitch.Vswitchd.Start(ctx)).To(Succeed())
		Expect(s.l.CNI.Resync(ctx, node.Name)).To(Succeed())
		expectRestored(ctx, "EVPN, Open vSwitch restarted")

		By("the port deleted by hand")
		_, err := vswitch.VS(ctx, "del-port", ovn.IntegrationBridge, "ovl2-"+s.cudn)
		Expect(err).NotTo(HaveOccurred())
		expectRestored(ctx, "EVPN, OVN's port deleted")
	})

	It("of the agent interrupt nothing, and it tells of what came meanwhile", func(ctx context.Context) {
		DeferCleanup(func(ctx context.Context) {
			if !node.Agent.Running() {
				Expect(node.StartAgent(ctx)).To(Succeed())
			}
		})
		node.Agent.Kill()
		late := startPod(ctx, s.l, s.podOf("late", node.Name))
		s.expectAll(ctx, s.l)
		Expect(ways(late)()).To(BeEmpty(), "nobody else tells of the pod")
		Expect(node.StartAgent(ctx)).To(Succeed())
		Eventually(ctx, ways(late)).Should(ConsistOf(s.evpn.NodeEndpoint(node)))
		expectEachOther(ctx, s.l, late, s.server)
		s.expectSettled(ctx, "EVPN, the agent killed and started")
		s.expectUninterrupted()
		s.expectAsBefore(ctx)
	})
}
