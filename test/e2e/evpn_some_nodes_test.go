package e2e_test

import (
	"context"
	"fmt"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/frr"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/frrk8s"
)

// guest is a network with an IP-VRF, and a pod on each node.
func guest(ctx context.Context, l *lab.Lab, e *lab.EVPN, name string, number int) (*evpnTenant, *lab.IPVRF, []*cni.Pod) {
	GinkgoHelper()
	t := &evpnTenant{network: network{
		cudn: name, id: 20 + number, topology: cni.Layer3, subnets: prefixes(fmt.Sprintf("22.20%d.0.0/16", number), fmt.Sprintf("fd00:22:20%d::/48", number)),
		evpn: &cni.EVPN{VTEP: e.VTEP, IPVRF: &cni.VPN{VNI: uint32(2000 + number), VID: uint16(10 + number)}},
	}}
	startNetwork(ctx, l, t.network)
	var v *lab.IPVRF
	v, t.server = startIPVRF(ctx, l, e, t.network, prefixes(fmt.Sprintf("172.20.20%d.0/24", number), fmt.Sprintf("fd00:172:20:20%d::/64", number)))
	var pods []*cni.Pod
	for _, n := range l.Nodes {
		pods = append(pods, startPod(ctx, l, t.podOf("vm-"+n.Name, n.Name)))
	}
	return t, v, pods
}

// expectPathsTo waits until the router's VRF has this many paths to a node's part.
func (t *evpnTenant) expectPathsTo(ctx context.Context, l *lab.Lab, v *lab.IPVRF, node string, paths int) {
	GinkgoHelper()
	subnet := nodeSubnetOf(l, t.name(), node, true)
	Eventually(ctx, func(ctx context.Context) ([]frr.Path, error) { return l.Router("tor").FRR.Paths(ctx, v.VRF, subnet) }).
		Should(HaveLen(paths), "%s, on %s, in %s", subnet, node, v.VRF)
}

// tellOfSomeNodes is story 20: what one node can't do, others do.
func tellOfSomeNodes() {
	It("works on nodes that have an end of tunnels, and the rest works on one that has none", func(ctx context.Context) {
		l := use(ctx, evpn())
		tor, without := l.Router("tor"), l.Node("node2")
		e := startEVPN(ctx, l, tor, without)
		t, v, pods := guest(ctx, l, e, "guests", 1)
		servers := prefixes("172.20.200.0/24")
		server := startServer(ctx, tor, "web", servers...)
		other := startPod(ctx, l, cni.PodSpec{Namespace: "story20", Name: "web", Node: without.Name})
		apply(ctx, l, peering(l, tor), overVRF("story20", "auto", t.selector()), advertisement("story20-default", defaultNetwork))
		announce(ctx, tor, servers...)

		t.expectPathsTo(ctx, l, v, "node1", 1)
		expectEachOther(ctx, l, pods[0], t.server)
		By("the default network of the node without")
		expectEachOther(ctx, l, other, server)
		By("nothing is told of what the node can't do")
		t.expectPathsTo(ctx, l, v, without.Name, 0)
		Expect(tor.Prefixes(ctx, "", true)).NotTo(ContainElement(netip.PrefixFrom(e.NodeEndpoint(without), 32).String()))
		Expect(unreachable(ctx, pods[1], t.server.Address(true))).To(Succeed())
		Eventually(ctx, rendered(l, "story20")).Should(And(ContainSubstring("blocked: "+without.Name), ContainSubstring("VTEP")))
		expectDistinct(ctx, tor)
	})

	It("leaves an IP-VRF out on a node where somebody else has a neighbor in it, and nothing else", func(ctx context.Context) {
		l := use(ctx, evpn())
		tor, taken := l.Router("tor"), l.Node("node2")
		e := startEVPN(ctx, l, tor)
		t, v, pods := guest(ctx, l, e, "visitors", 2)
		u, w, others := guest(ctx, l, e, "staff", 3)
		foreign := fmt.Sprintf(`
apiVersion: frrk8s.metallb.io/v1beta1
kind: FRRConfiguration
metadata: {name: metallb-%[1]s, namespace: %[2]s}
spec:
  nodeSelector: {matchLabels: {kubernetes.io/hostname: %[1]s}}
  bgp:
    routers:
    - asn: %[3]d
      vrf: %[4]s
      neighbors:
      - {address: 192.168.200.1, asn: %[5]d}
`, taken.Name, frrk8s.Namespace, lab.NodeASN, t.vrf(), tor.ASN)
		apply(ctx, l, foreign, peering(l, tor), overVRF("story20", "auto", networksNamed(t.cudn, u.cudn)))

		expectEachOther(ctx, l, pods[0], t.server)
		By("the other network, also on the node of the neighbor")
		for _, pod := range others {
			expectEachOther(ctx, l, pod, u.server)
		}
		u.expectPathsTo(ctx, l, w, taken.Name, 1)
		By("nothing is told of what is left out")
		t.expectPathsTo(ctx, l, v, taken.Name, 0)
		Expect(unreachable(ctx, pods[1], t.server.Address(true))).To(Succeed())
		Eventually(ctx, rendered(l, "story20")).Should(And(ContainSubstring("incomplete on "+taken.Name), ContainSubstring("has a neighbor in VRF")))

		By("the neighbor gone")
		remove(ctx, l, foreign)
		t.expectPathsTo(ctx, l, v, taken.Name, 1)
		for _, pod := range pods {
			expectEachOther(ctx, l, pod, t.server)
		}
		expectDistinct(ctx, tor)
	})
}
