package e2e_test

import (
	"context"
	"fmt"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
)

// Story 6: without tunnels, pods on two nodes reach each other by routes that
// the nodes tell each other, through the fabric or directly.
var _ = Describe("A network without an overlay", Label("story6"), NeedsVRF, func() {
	reflected := lab.Default()
	reflected.Routers = []lab.RouterDescription{{Name: "reflector", ASN: lab.NodeASN}}

	It("has pods reach each other by routes of the fabric: Unmanaged", Slow, func(ctx context.Context) {
		l := use(ctx, reflected)
		bare := network{
			cudn: "bare", id: 6, topology: cni.Layer3, routing: "Unmanaged",
			subnets: prefixes("22.160.0.0/16", "fd00:22:160::/48"),
		}
		startNetwork(ctx, l, bare)
		apply(ctx, l, peering(l, l.Router("reflector")), advertisement("story6", bare.selector()))
		expectPodsReachEachOther(ctx, l, bare)
	})

	// The default VRF looks for AS loops when it receives a route, the network's VRF
	// again when it imports it (https://github.com/FRRouting/frr/issues/17607).
	It("has pods reach each other where the fabric is another AS: Unmanaged", func(ctx context.Context) {
		l := use(ctx, lab.Default())
		tor := l.Router("tor")
		bare := network{
			cudn: "sameas", id: 8, topology: cni.Layer3, routing: "Unmanaged",
			subnets: prefixes("22.162.0.0/16", "fd00:22:162::/48"),
		}
		startNetwork(ctx, l, bare)
		apply(ctx, l, peering(l, tor), advertisement("story6", bare.selector()))
		expectPodsReachEachOther(ctx, l, bare, tor)
	})

	// Without routers, which are not needed. It is not the other spec's lab for
	// another reason: a bgpd that has lost its default instance while another
	// VRF imported from it does not listen any more when it gets a new one
	// (https://github.com/FRRouting/frr/issues/19973), and these nodes call
	// each other.
	alone := lab.Default()
	alone.Routers = nil

	It("has pods reach each other by routes between the nodes: Managed", func(ctx context.Context) {
		l := use(ctx, alone)
		meshed := network{
			cudn: "meshed", id: 7, topology: cni.Layer3, routing: "Managed",
			subnets: prefixes("22.161.0.0/16", "fd00:22:161::/48"),
		}
		// Nothing but the network: sessions between nodes are the operator's.
		startNetwork(ctx, l, meshed)
		expectPodsReachEachOther(ctx, l, meshed)
		one, two := l.Nodes[0], l.Nodes[1]
		for _, ipv4 := range l.Families() {
			Expect(one.FRR.Established(ctx, "", two.Address(ipv4))).To(BeTrue())
		}
	})
})

// The default network can do without tunnels, too, and needs no VRF then. Its
// nodes are one AS and the fabric is another, so that what one node announces
// carries the AS number of all of them when it arrives at the others, who take
// that for a loop unless they are told not to (RFC 4271, 9.1.2).
var _ = Describe("A default network without an overlay", Label("story6"), func() {
	It("has pods reach each other through a fabric of another AS", func(ctx context.Context) {
		d := lab.Default()
		d.NoOverlay = true
		l := use(ctx, d)
		tor := l.Router("tor")
		apply(ctx, l, peering(l, tor), advertisement("story6", defaultNetwork))
		for _, n := range l.Nodes {
			for _, ipv4 := range l.Families() {
				expectPathVia(ctx, tor, nodeSubnet(l, n.Name, ipv4), n.Address(ipv4))
			}
		}
		expectPodsReachEachOther(ctx, l, theDefault, tor)
	})
})

// expectPodsReachEachOther looks at both directions and families, at the rows
// that carry them, by the other node or by a router between them, and that
// there is no other way: no tunnel.
func expectPodsReachEachOther(ctx context.Context, l *lab.Lab, n network, between ...*lab.Router) {
	GinkgoHelper()
	one := startPod(ctx, l, n.podOf("one", "node1"))
	two := startPod(ctx, l, n.podOf("two", "node2"))
	for _, ipv4 := range l.Families() {
		for _, ends := range [][2]*lab.Node{{l.Node("node1"), l.Node("node2")}, {l.Node("node2"), l.Node("node1")}} {
			via := []netip.Addr{ends[1].Address(ipv4), linkLocal(ends[1].Machine, cni.Bridge)}
			for _, r := range between {
				via = append(via, r.Address(ipv4), linkLocal(r.Machine, lab.Uplink))
			}
			expectNetworkRowVia(ctx, l, n, ends[0].Name, nodeSubnetOf(l, n.name(), ends[1].Name, ipv4), via...)
		}
		By(fmt.Sprintf("%s between the pods", familyName(ipv4)))
		expectSeenAs(ctx, one.Machine, two.Address(ipv4), one.Address(ipv4))
		expectSeenAs(ctx, two.Machine, one.Address(ipv4), two.Address(ipv4))
	}
	switches, err := l.CNI.Central("node1").NB(ctx, "ls-list")
	Expect(err).NotTo(HaveOccurred())
	transit := n.name() + "_transit_switch"
	if n.cudn == "" {
		transit = "(transit_switch)"
	}
	Expect(switches).NotTo(ContainSubstring(transit), "a tunnel would have carried the packets as well")
}
