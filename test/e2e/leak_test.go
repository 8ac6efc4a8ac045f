package e2e_test

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/probe"
)

// Story 2: routes that the default VRF learned are leaked into the network of
// virtual machines, whose one subnet every node exports over the default VRF.
var _ = Describe("A Layer2 network over the default VRF", Label("story2"), NeedsVRF, func() {
	It("reaches and is reached from outside, also where a virtual machine has moved to", func(ctx context.Context) {
		leak(ctx, use(ctx, lab.Default()))
	})

	It("works where the agent makes the VRFs and limits SNAT, and OVN-Kubernetes does not", func(ctx context.Context) {
		d := lab.Default()
		d.LeaveVRFs, d.LeaveSNAT, d.AgentArgs = true, true, []string{"--manage-vrfs", "--manage-snat"}
		leak(ctx, use(ctx, d))
	})
})

func leak(ctx context.Context, l *lab.Lab) {
	tor := l.Router("tor")
	tlv := network{cudn: "tlv", id: 2, topology: cni.Layer2, subnets: prefixes("22.100.0.0/16", "fd00:22:100::/64")}
	subnets := within(l, prefixes("172.20.20.0/24", "fd00:172:20:20::/64"))
	server := startServer(ctx, tor, "provider", subnets...)
	announce(ctx, tor, subnets...)
	startNetwork(ctx, l, tlv)
	vm := startPod(ctx, l, tlv.podOf("vm", "node1"))
	addresses := vm.Addresses

	apply(ctx, l, peering(l, tor), advertisement("story2", tlv.selector()))
	Eventually(ctx, func(ctx context.Context) ([]string, error) { return tlv.advertisedBy(ctx, l) }).Should(Equal([]string{"story2"}))

	By("every node exports the whole subnet")
	for _, ipv4 := range l.Families() {
		subnet := ofFamily(tlv.subnets, ipv4)
		Eventually(ctx, func(ctx context.Context) ([]netip.Addr, error) {
			paths, err := tor.Paths(ctx, "", subnet)
			var from []netip.Addr
			for _, path := range paths {
				from = append(from, path.From)
			}
			return from, err
		}).Should(ConsistOf(l.Node("node1").Address(ipv4), l.Node("node2").Address(ipv4)))
	}
	By("what the default VRF learned is in the network's gateway routers")
	for _, n := range l.Nodes {
		for _, subnet := range subnets {
			expectNetworkRowVia(ctx, l, tlv, n.Name, subnet, tor.Address(subnet.Addr().Is4()), linkLocal(tor.Machine, lab.Uplink))
		}
	}
	for _, node := range []string{"node1", "node2"} {
		if vm.Node != node {
			began := time.Now()
			Expect(l.CNI.MovePod(ctx, vm, node)).To(Succeed())
			answers, err := probe.Serve(vm.Machine)
			Expect(err).NotTo(HaveOccurred())
			DeferCleanup(answers.Close)
			Expect(vm.Addresses).To(Equal(addresses))
			expectSeenAs(ctx, vm.Machine, server.Address(true), vm.Address(true))
			AddReportEntry("move", fmt.Sprintf("the virtual machine was away for at most %s", time.Since(began).Round(time.Millisecond)))
		}
		for _, ipv4 := range l.Families() {
			By(fmt.Sprintf("%s to and from the virtual machine on %s", familyName(ipv4), node))
			expectSeenAs(ctx, vm.Machine, server.Address(ipv4), vm.Address(ipv4))
			expectSeenAs(ctx, server.Machine, vm.Address(ipv4), server.Address(ipv4))
		}
	}
}
