package e2e_test

import (
	"context"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/probe"
)

// both is a Layer2 network with both VRFs, at the router as well: a server in the
// IP-VRF, and a host in the network's own subnet.
type both struct {
	network
	evpn   *lab.EVPN
	ipVRF  *lab.IPVRF
	server *lab.Server
	host   *lab.Server
	pod    *cni.Pod
}

// startBoth makes one with VNIs from vni on, and a pod on the first node, and waits
// until all reach each other.
func startBoth(ctx context.Context, l *lab.Lab, e *lab.EVPN, name string, id int, vni uint32, pods, servers []netip.Prefix) *both {
	GinkgoHelper()
	vid := uint16(vni % 1000)
	b := &both{evpn: e, network: network{
		cudn: name, id: id, topology: cni.Layer2, subnets: pods,
		evpn: &cni.EVPN{VTEP: e.VTEP, MACVRF: &cni.VPN{VNI: vni, VID: vid}, IPVRF: &cni.VPN{VNI: vni + 1, VID: vid + 1}},
	}}
	startNetwork(ctx, l, b.network)
	b.ipVRF, b.server = startIPVRF(ctx, l, e, b.network, servers)
	v, err := e.AddMACVRF(vni)
	DeferCleanup(v.Close)
	Expect(err).NotTo(HaveOccurred())
	b.host, err = v.AddHost(ctx, "lan-"+name, within(l, pods)...)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(b.host.Close)
	b.pod = startPod(ctx, l, b.podOf("vm", "node1"))
	return b
}

// expectAll waits until the pod, the server and the host reach each other.
func (b *both) expectAll(ctx context.Context, l *lab.Lab) {
	GinkgoHelper()
	expectEachOther(ctx, l, b.pod, b.server)
	expectEachOther(ctx, l, b.pod, b.host)
}

// waysTo are the ends of tunnels by which the router routes into the network, to
// exactly a prefix.
func (b *both) waysTo(r *lab.Router, to netip.Prefix) ([]netip.Addr, error) {
	routes, err := kernelRoutes(r.Machine)
	for _, route := range routes {
		if route.Destination == to && route.Table == b.ipVRF.Table {
			return route.NextHops, err
		}
	}
	return nil, err
}

// hostRoute is the prefix that leads to a pod alone.
func hostRoute(pod *cni.Pod, ipv4 bool) netip.Prefix {
	address := pod.Address(ipv4)
	return netip.PrefixFrom(address, address.BitLen())
}

// sharedBoth is the network of several stories, which are told one after the other:
// emulated, a network takes minutes to come and to go.
type sharedBoth struct {
	// description is the lab's.
	description func() lab.Description
	*both
	l     *lab.Lab
	tor   *lab.Router
	flows map[string]*streams
	// entries are what is known of the pod on node1.
	entries []string
}

// setUp makes the network, and has packets go to the pod of it all the time.
func (s *sharedBoth) setUp(ctx context.Context) {
	GinkgoHelper()
	s.l = use(ctx, s.description())
	s.tor = s.l.Router("tor")
	e := startEVPN(ctx, s.l, s.tor)
	s.both = startBoth(ctx, s.l, e, "duplex", 17, 1600, prefixes("22.160.0.0/20", "fd00:22:160::/64"), prefixes("172.20.160.0/24", "fd00:172:20:160::/64"))
	apply(ctx, s.l, peering(s.l, s.tor), overVRF("story16", "auto", s.selector()))
	s.expectAll(ctx, s.l)
	expectFollowed(ctx, s.l, s.both)
	// A node that still lacks the IP-VRF would tell of no way to a pod that moves there.
	Eventually(ctx, s.waysTo).WithArguments(s.tor, within(s.l, s.subnets)[0]).Should(ConsistOf(s.endpoints()), "the router's ways to the subnet")
	s.entries = s.knownOfPod(ctx, s.l)
}

// watch has packets go to the pod until the end of the spec.
func (s *sharedBoth) watch(ctx context.Context) {
	GinkgoHelper()
	routed, bridged := &streams{}, &streams{}
	routed.add(ctx, "routed", s.server.Machine, s.pod.Address(true))
	bridged.add(ctx, "bridged", s.host.Machine, s.pod.Address(true))
	s.flows = map[string]*streams{"routed": routed, "bridged": bridged}
}

// expectSettled waits until packets arrive, and tells for how long they did not.
func (s *sharedBoth) expectSettled(ctx context.Context, cause string) {
	GinkgoHelper()
	for name, f := range s.flows {
		Eventually(ctx, f.hasAnswers).Should(BeTrue(), "%s after: %s", name, cause)
		reportOutage(cause, name, f.outage())
	}
}

// expectUninterrupted checks that packets have arrived all the time.
func (s *sharedBoth) expectUninterrupted() {
	GinkgoHelper()
	for name, f := range s.flows {
		Expect(f.outage()).To(BeNumerically("<", notAnOutage), name)
	}
}

// expectAsBefore waits until all is known of the pod that was, and nothing more.
func (s *sharedBoth) expectAsBefore(ctx context.Context) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) []string { return s.knownOfPod(ctx, s.l) }).Should(Equal(s.entries), "what was known of the pod before")
}

// endpoints are all nodes' ends of tunnels.
func (s *sharedBoth) endpoints() []netip.Addr {
	var all []netip.Addr
	for _, n := range s.l.Nodes {
		all = append(all, s.evpn.NodeEndpoint(n))
	}
	return all
}

// tellOfBoth is story 16: who has both VRFs is routed to, straight to its node.
func (s *sharedBoth) tellOfBoth() {
	It("routes to a pod's own node, which knows it, and not to any node of the subnet, and follows when it moves", func(ctx context.Context) {
		subnet := within(s.l, s.subnets)[0]
		pod := startPod(ctx, s.l, s.podOf("mover", "node1"))
		host := hostRoute(pod, true)

		By("any node leads to the subnet, and the pod's own to the pod")
		all := s.endpoints()
		ways := func(to netip.Prefix) func() ([]netip.Addr, error) {
			return func() ([]netip.Addr, error) { return s.waysTo(s.tor, to) }
		}
		Eventually(ctx, ways(subnet)).Should(ConsistOf(all), "the router's ways to %s", subnet)
		Eventually(ctx, ways(host)).Should(ConsistOf(s.evpn.NodeEndpoint(s.l.Node("node1"))), "the router's ways to %s", host)
		expectEachOther(ctx, s.l, pod, s.server)
		expectDistinct(ctx, s.tor)
		macs := routerMACs(ctx, s.tor)

		By("the pod moves")
		Expect(s.l.CNI.MovePod(ctx, pod, "node2")).To(Succeed())
		Eventually(ctx, ways(host)).Should(ConsistOf(s.evpn.NodeEndpoint(s.l.Node("node2"))), "the router's ways to %s", host)
		Expect(ways(subnet)()).To(ConsistOf(all))
		Eventually(ctx, func(ctx context.Context) ([]netip.Addr, error) { return endsOf(ctx, s.tor, pod) }).
			Should(HaveEach(s.evpn.NodeEndpoint(s.l.Node("node2"))), "nobody else tells of the pod")
		// What answers in a pod doesn't move with it.
		again, err := probe.Serve(pod.Machine)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(again.Close)
		expectEachOther(ctx, s.l, pod, s.server)
		expectEachOther(ctx, s.l, pod, s.host)

		By("the pod goes")
		Expect(s.l.CNI.DeletePod(ctx, pod)).To(Succeed())
		Eventually(ctx, ways(host)).Should(BeEmpty())
		Expect(ways(subnet)()).To(ConsistOf(all))
		Expect(routerMACs(ctx, s.tor)).To(Equal(macs), "ports have come and gone")
	})
}
