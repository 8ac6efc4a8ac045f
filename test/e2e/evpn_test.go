package e2e_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/frr"
)

// evpn is a lab for EVPN: of IPv4, as the tunnels are, because frr-k8s' reload takes
// FRR's configuration line by line.
func evpn() lab.Description {
	d := localGateway()
	d.IPv6 = false
	return d
}

// startEVPN gives nodes, but some, and a router an end of VXLAN tunnels each until the
// end of the spec.
func startEVPN(ctx context.Context, l *lab.Lab, r *lab.Router, without ...*lab.Node) *lab.EVPN {
	GinkgoHelper()
	e := startTunnels(ctx, l, r, without...)
	apply(ctx, l, vtepManifest(e, "Unmanaged", lab.Endpoints))
	Expect(l.CNI.Publish(ctx, l.Kube.Client, nil)).To(Succeed())
	return e
}

// startTunnels is startEVPN without the VTEP's object.
func startTunnels(ctx context.Context, l *lab.Lab, r *lab.Router, without ...*lab.Node) *lab.EVPN {
	GinkgoHelper()
	e, err := l.StartEVPN(ctx, r, "fabric", without...)
	DeferCleanup(func(ctx context.Context) {
		Expect(e.Close(ctx)).To(Succeed())
		Expect(l.CNI.Publish(ctx, l.Kube.Client, nil)).To(Succeed())
	})
	Expect(err).NotTo(HaveOccurred())
	return e
}

func vtepManifest(e *lab.EVPN, mode string, endpoints netip.Prefix) string {
	return fmt.Sprintf(`
apiVersion: k8s.ovn.org/v1
kind: VTEP
metadata: {name: %s}
spec: {cidrs: [%s], mode: %s}
`, e.VTEP, endpoints, mode)
}

// startIPVRF makes the router's end of a network's IP-VRF, with a host behind it.
func startIPVRF(ctx context.Context, l *lab.Lab, e *lab.EVPN, n network, servers []netip.Prefix) (*lab.IPVRF, *lab.Server) {
	GinkgoHelper()
	v, err := e.AddIPVRF(ctx, n.cudn, n.evpn.IPVRF.VNI)
	DeferCleanup(func(ctx context.Context) { Expect(v.Close(ctx)).To(Succeed()) })
	Expect(err).NotTo(HaveOccurred())
	server, err := v.AddServer(ctx, "srv-"+n.cudn, within(l, servers)...)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(server.Close)
	return v, server
}

// expectEachOther waits until both ends reach each other, each by its own address.
func expectEachOther(ctx context.Context, l *lab.Lab, pod *cni.Pod, server *lab.Server) {
	GinkgoHelper()
	for _, ipv4 := range l.Families() {
		By(fmt.Sprintf("%s between %s and %s", familyName(ipv4), pod.Machine.Name, server.Name))
		expectSeenAs(ctx, pod.Machine, server.Address(ipv4), pod.Address(ipv4))
		expectSeenAs(ctx, server.Machine, pod.Address(ipv4), server.Address(ipv4))
	}
}

// sniffFor looks for packets of these prefixes outside of tunnels.
func sniffFor(ctx context.Context, l *lab.Lab, prefixes ...netip.Prefix) *lab.Sniffer {
	GinkgoHelper()
	var nets []string
	for _, p := range prefixes {
		nets = append(nets, "net "+p.String())
	}
	sniffer, err := l.Sniff(ctx, strings.Join(nets, " or "))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(sniffer.Close)
	return sniffer
}

// tellOfIPVRF is story 13: the default VRF carries tunnels, and nothing of the
// network but its ends.
func tellOfIPVRF() {
	It("routes between pods of a Layer3 network and a host in the router's VRF, and the default VRF knows nothing of it", func(ctx context.Context) {
		var (
			pods    = prefixes("22.150.0.0/16", "fd00:22:150::/48")
			servers = prefixes("172.20.130.0/24", "fd00:172:20:130::/64")
		)
		l := use(ctx, evpn())
		tor := l.Router("tor")
		sniffer := sniffFor(ctx, l, append(within(l, pods), within(l, servers)...)...)
		e := startEVPN(ctx, l, tor)
		n := network{
			cudn: "extranet", id: 13, topology: cni.Layer3, subnets: pods,
			evpn: &cni.EVPN{VTEP: e.VTEP, IPVRF: &cni.VPN{VNI: 1300, VID: 2}},
		}
		startNetwork(ctx, l, n)
		v, server := startIPVRF(ctx, l, e, n, servers)
		one := startPod(ctx, l, n.podOf("one", "node1"))
		two := startPod(ctx, l, n.podOf("two", "node2"))
		apply(ctx, l, peering(l, tor), overVRF("story13", "auto", n.selector()))

		By("each node's part is at the router by the node's end of the tunnels")
		for _, node := range l.Nodes {
			for _, ipv4 := range l.Families() {
				subnet := nodeSubnetOf(l, n.name(), node.Name, ipv4)
				Eventually(ctx, func(ctx context.Context) ([]frr.EVPNRoute, error) { return tor.FRR.TypeFives(ctx) }).
					Should(ContainElement(And(
						HaveField("Prefix", subnet),
						HaveField("NextHops", ConsistOf(e.NodeEndpoint(node))),
						HaveField("RD", HavePrefix(e.NodeEndpoint(node).String()+":")),
					)), "%s as type 5", subnet)
				Eventually(ctx, func(ctx context.Context) ([]frr.Path, error) { return tor.FRR.Paths(ctx, v.VRF, subnet) }).
					Should(HaveLen(1), "%s in %s", subnet, v.VRF)
			}
		}

		expectEachOther(ctx, l, one, server)
		expectEachOther(ctx, l, two, server)
		By("pods of two nodes, whose routes the router passes on to others of their own AS")
		for _, ipv4 := range l.Families() {
			expectSeenAs(ctx, one.Machine, two.Address(ipv4), one.Address(ipv4))
			expectSeenAs(ctx, two.Machine, one.Address(ipv4), two.Address(ipv4))
		}

		By("nothing of it is in the default VRF")
		ends := []string{netip.PrefixFrom(e.Endpoint(), 32).String()}
		for _, node := range l.Nodes {
			ends = append(ends, netip.PrefixFrom(e.NodeEndpoint(node), 32).String())
		}
		Expect(tor.Prefixes(ctx, "", true)).To(ConsistOf(ends))
		Expect(sniffer.Packets()).To(BeEmpty())
	})
}

// evpnTenant is a network with an IP-VRF that others have, too, and a host in it.
type evpnTenant struct {
	network
	pod    *cni.Pod
	server *lab.Server
}

// tellOfEVPNTenants is story 14: what has the same name in two IP-VRFs is not the
// same.
func tellOfEVPNTenants() {
	It("keeps two tenants with the same subnets apart", func(ctx context.Context) {
		var (
			pods    = prefixes("22.151.0.0/16", "fd00:22:151::/48")
			servers = prefixes("172.20.140.0/24", "fd00:172:20:140::/64")
		)
		l := use(ctx, evpn())
		tor := l.Router("tor")
		e := startEVPN(ctx, l, tor)
		var tenants []*evpnTenant
		for i, name := range []string{"ruby", "jade"} {
			t := &evpnTenant{network: network{
				cudn: name, id: 14 + i, topology: cni.Layer3, subnets: pods,
				evpn: &cni.EVPN{VTEP: e.VTEP, IPVRF: &cni.VPN{VNI: uint32(1400 + i), VID: uint16(3 + i)}},
			}}
			startNetwork(ctx, l, t.network)
			_, t.server = startIPVRF(ctx, l, e, t.network, servers)
			t.pod = startPod(ctx, l, t.podOf("vm", "node1"))
			tenants = append(tenants, t)
		}
		ruby, jade := tenants[0], tenants[1]
		apply(ctx, l, peering(l, tor), overVRF("story14", "auto", networksNamed(ruby.cudn, jade.cudn)))
		for _, t := range tenants {
			expectEachOther(ctx, l, t.pod, t.server)
		}

		By("one prefix has a route distinguisher for each tenant and node")
		Eventually(ctx, func(ctx context.Context) (map[string]bool, error) {
			distinct := map[string]bool{}
			routes, err := tor.FRR.TypeFives(ctx)
			for _, route := range routes {
				for _, node := range l.Nodes {
					if route.Prefix == nodeSubnetOf(l, ruby.name(), node.Name, true) {
						distinct[route.RD] = true
					}
				}
			}
			return distinct, err
		}).Should(HaveLen(len(tenants) * len(l.Nodes)))

		By("each has its own server: without jade's only ruby's answers")
		Expect(jade.server.Close()).To(Succeed())
		Eventually(ctx, func(ctx context.Context) error { return unreachable(ctx, jade.pod, jade.server.Address(true)) }).Should(Succeed())
		expectEachOther(ctx, l, ruby.pod, ruby.server)
	})
}

// evpnByAgent is evpn, where the agents make what it takes on nodes.
func evpnByAgent() lab.Description {
	d := evpn()
	d.LeaveEVPN, d.AgentArgs = true, []string{"--manage-evpn"}
	return d
}

// tellOfMACVRF is story 15, and 24 with the agents' devices: one subnet over nodes and a
// router's VLAN.
func tellOfMACVRF(d lab.Description) {
	It("joins pods of a Layer2 network and a host on the router's VLAN in one subnet, without OVN's tunnels", func(ctx context.Context) {
		pods := prefixes("22.152.0.0/24", "fd00:22:152::/64")
		l := use(ctx, d)
		tor := l.Router("tor")
		sniffer := sniffFor(ctx, l, within(l, pods)...)
		geneve, err := l.Sniff(ctx, "udp port 6081")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(geneve.Close)
		e := startEVPN(ctx, l, tor)
		n := network{
			cudn: "campus", id: 16, topology: cni.Layer2, subnets: pods,
			evpn: &cni.EVPN{VTEP: e.VTEP, MACVRF: &cni.VPN{VNI: 1500, VID: 5, RouteTarget: "64999:1500"}},
		}
		startNetwork(ctx, l, n)
		v, err := e.AddMACVRF(n.evpn.MACVRF.VNI)
		DeferCleanup(v.Close)
		Expect(err).NotTo(HaveOccurred())
		host, err := v.AddHost(ctx, "srv-"+n.cudn, within(l, pods)...)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(host.Close)
		one := startPod(ctx, l, n.podOf("one", "node1"))
		two := startPod(ctx, l, n.podOf("two", "node2"))
		apply(ctx, l, peering(l, tor), overVRF("story15", "auto", n.selector()))

		for _, pod := range []*cni.Pod{one, two} {
			expectEachOther(ctx, l, pod, host)
		}
		By("pods of two nodes")
		for _, ipv4 := range l.Families() {
			expectSeenAs(ctx, one.Machine, two.Address(ipv4), one.Address(ipv4))
			expectSeenAs(ctx, two.Machine, one.Address(ipv4), two.Address(ipv4))
		}
		By("the router knows the pods by their nodes' ends of the tunnels, and their addresses")
		for _, pod := range []*cni.Pod{one, two} {
			Expect(tor.FRR.TypeTwos(ctx)).To(ContainElement(And(
				HaveField("MAC", pod.MAC), HaveField("IP", pod.Address(true)),
				HaveField("NextHops", ConsistOf(e.NodeEndpoint(l.Node(pod.Node)))),
			)))
		}
		By("all of it went through tunnels of VXLAN")
		Expect(sniffer.Packets()).To(BeEmpty())
		Expect(geneve.Packets()).To(BeEmpty())
	})
}

// Together, so that they share a lab.
var _ = Describe("EVPN", NeedsVRF, func() {
	Describe("An IP-VRF", Label("story13"), tellOfIPVRF)
	Describe("Tenants with the same subnets", Label("story14"), Slow, tellOfEVPNTenants)
	Describe("A MAC-VRF", Label("story15"), Slow, func() { tellOfMACVRF(evpn()) })
	Describe("Some nodes only", Label("story20"), Slow, tellOfSomeNodes)
	Describe("A network with both", Slow, Ordered, ContinueOnFailure, func() {
		s := &sharedBoth{description: evpn}
		BeforeAll(s.setUp)
		Describe("The way to its pods", Label("story16"), s.tellOfBoth)
		Describe("Flooding", Label("story18"), s.tellOfFlooding)
		Describe("Live migration", Label("story17"), s.tellOfMigration)
		Describe("Faults", Label("story22"), s.tellOfFaults)
	})
	Describe("Many networks", Label("story21"), Slow, tellOfMany)
	Describe("A MAC-VRF whose devices the agents make", Label("story24"), Slow, func() { tellOfMACVRF(evpnByAgent()) })
	// Here the agents find in OVN's database where the machine is.
	Describe("A network with both whose devices the agents make", Slow, Ordered, ContinueOnFailure, func() {
		s := &sharedBoth{description: evpnByAgent}
		BeforeAll(s.setUp)
		Describe("Live migration", Label("story25"), s.tellOfMigration)
		Describe("A thousand hosts", Label("story28"), s.tellOfManyHosts)
		Describe("Faults", Label("story26"), s.tellOfFaultsOfDevices)
	})
	Describe("Nodes whose ends of tunnels the operator gives out", Label("story31"), Slow, tellOfManagedVTEP)
})
