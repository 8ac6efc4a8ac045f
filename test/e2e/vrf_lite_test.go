package e2e_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/frrk8s"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/probe"
)

// localGateway is where pods leave through the nodes' kernels, and so through
// the VRF's own link.
func localGateway() lab.Description {
	d := lab.Default()
	d.LocalGateway = true
	return d
}

// tenant is a network with its own VRF, link, router and server.
type tenant struct {
	network
	link   *lab.VRFLink
	server *lab.Server
	vm     *cni.Pod
}

// vrf is what OVN-Kubernetes calls the network's device.
func (n network) vrf() string {
	if len(n.cudn) > 15 {
		return fmt.Sprintf("mp%d-udn-vrf", n.id)
	}
	return n.cudn
}

// startTenant makes a tenant's network, its link to the router, a server behind
// that in the subnets, and a pod on the first node.
func startTenant(ctx context.Context, l *lab.Lab, n network, segment, servers []netip.Prefix) *tenant {
	GinkgoHelper()
	t := &tenant{network: n}
	startNetwork(ctx, l, n)
	var err error
	t.link, err = l.JoinVRF(ctx, l.Router("tor"), n.vrf(), password, within(l, segment)...)
	DeferCleanup(func(ctx context.Context) { Expect(t.link.Close(ctx)).To(Succeed()) })
	Expect(err).NotTo(HaveOccurred())
	t.server, err = t.link.AddServer(ctx, "srv-"+n.vrf(), within(l, servers)...)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(t.server.Close)
	Expect(t.link.Announce(ctx, t.server.Subnets...)).To(Succeed())
	t.vm = startPod(ctx, l, n.podOf("vm", "node1"))
	return t
}

const password = "known-to-both-ends"

// slowBFD outlives the pauses of an emulated machine.
const slowBFD = `
    bfdProfiles:
    - {name: slow, receiveInterval: 1000, transmitInterval: 1000, detectMultiplier: 3}`

// templatesInVRFs peer every node with the tenants' routers, each in its VRF,
// with a password and BFD.
func templatesInVRFs(ctx context.Context, l *lab.Lab, tenants ...*tenant) string {
	GinkgoHelper()
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "tenants", Namespace: frrk8s.Namespace},
		Type:       corev1.SecretTypeBasicAuth, Data: map[string][]byte{"password": []byte(password)},
	}
	Expect(l.Kube.Client.Create(ctx, secret)).To(Succeed())
	DeferCleanup(func(ctx context.Context) {
		Expect(client.IgnoreNotFound(l.Kube.Client.Delete(ctx, secret))).To(Succeed())
	})
	var all strings.Builder
	for _, t := range tenants {
		var neighbors strings.Builder
		for _, ipv4 := range l.Families() {
			fmt.Fprintf(&neighbors, `
      - address: %s
        asn: %d
        connectTime: 1s
        holdTime: 9s
        keepaliveTime: 3s
        bfdProfile: slow
        passwordSecret: {name: tenants}
        toReceive: {allowed: {mode: all}}`, t.link.Address(ipv4), t.link.Router.ASN)
		}
		all.WriteString(template(t.cudn, "{}", slowBFD, "\n      vrf: "+t.vrf(), neighbors.String()))
	}
	return all.String()
}

// overVRF is advertisement with another target.
func overVRF(name, target string, networks ...string) string {
	return strings.Replace(advertisement(name, networks...), "spec:", "spec:\n  targetVRF: "+target, 1)
}

// expectBothWays waits until the tenant's pod and server reach each other in
// all families, by routes of its VRF.
func (t *tenant) expectBothWays(ctx context.Context, l *lab.Lab) {
	GinkgoHelper()
	node := l.Node(t.vm.Node)
	for _, ipv4 := range l.Families() {
		By(fmt.Sprintf("%s to and from %s", familyName(ipv4), t.cudn))
		Eventually(ctx, func(ctx context.Context) (bool, error) {
			return t.link.Router.FRR.Established(ctx, t.vrf(), t.link.NodeAddress(node, ipv4))
		}).Should(BeTrue(), "the session in %s", t.vrf())
		subnet := nodeSubnetOf(l, t.name(), node.Name, ipv4)
		Eventually(ctx, func(ctx context.Context) ([]netip.Addr, error) {
			paths, err := t.link.Router.FRR.Paths(ctx, t.vrf(), subnet)
			var from []netip.Addr
			for _, path := range paths {
				from = append(from, path.From)
			}
			return from, err
		}).Should(ConsistOf(t.link.NodeAddress(node, ipv4)), "%s in %s", subnet, t.vrf())
		expectSeenAs(ctx, t.vm.Machine, t.server.Address(ipv4), t.vm.Address(ipv4))
		expectSeenAs(ctx, t.server.Machine, t.vm.Address(ipv4), t.server.Address(ipv4))
	}
}

// watchedByBFD tells whether BFD watches the tenant's link of a node.
func (t *tenant) watchedByBFD(ctx context.Context, n *lab.Node, ipv4 bool) (bool, error) {
	var peers []struct {
		Peer   netip.Addr
		VRF    string
		Status string
	}
	if err := t.link.Router.FRR.ShowJSON(ctx, "show bfd vrf "+t.vrf()+" peers json", &peers); err != nil {
		return false, err
	}
	for _, peer := range peers {
		if peer.Peer == t.link.NodeAddress(n, ipv4) && peer.Status == "up" {
			return true, nil
		}
	}
	return false, nil
}

// unreachable tells that nobody answers there.
func unreachable(ctx context.Context, from *cni.Pod, to netip.Addr) error {
	if seen, err := probe.Ask(ctx, from.Machine, to); err == nil {
		return fmt.Errorf("%s is reached, as %s", to, seen)
	}
	return nil
}

// Together, so that they share a lab.
var _ = Describe("VRF-Lite", NeedsVRF, func() {
	Describe("Networks with BGP sessions in their own VRFs", Label("story3"), tellOfTenants)
	Describe("targetVRF auto", Label("story4"), tellOfAuto)
})

// tellOfTenants is story 3: sessions in VRFs of their own.
func tellOfTenants() {
	// Both tenants have the same subnets, of pods, links and servers.
	var (
		pods    = prefixes("22.130.0.0/16", "fd00:22:130::/48")
		segment = prefixes("192.168.130.0/24", "fd00:130::/64")
		servers = prefixes("172.20.30.0/24", "fd00:172:20:30::/64")
	)

	It("carry packets of two tenants with the same subnets, and none of them by the default VRF", func(ctx context.Context) {
		l := use(ctx, localGateway())
		// What passes the fabric and has to do with the tenants, under whatever
		// address.
		var nets []string
		for _, p := range append(within(l, pods), within(l, servers)...) {
			nets = append(nets, "net "+p.String())
		}
		sniffer, err := l.Sniff(ctx, strings.Join(nets, " or "))
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(sniffer.Close)

		red := startTenant(ctx, l, network{cudn: "red", id: 3, topology: cni.Layer3, subnets: pods}, segment, servers)
		blue := startTenant(ctx, l, network{cudn: "blue", id: 4, topology: cni.Layer3, subnets: pods}, segment, servers)

		By("the default VRF would carry what is not advertised: the sniffer sees it")
		Eventually(ctx, func(ctx context.Context) ([]string, error) {
			_, _ = probe.Ask(ctx, red.vm.Machine, red.server.Address(true))
			return sniffer.Packets()
		}).ShouldNot(BeEmpty())

		apply(ctx, l, templatesInVRFs(ctx, l, red, blue), overVRF("story3-red", "red", red.selector()), overVRF("story3-blue", "blue", blue.selector()))
		red.expectBothWays(ctx, l)
		blue.expectBothWays(ctx, l)
		for _, t := range []*tenant{red, blue} {
			Eventually(ctx, func(ctx context.Context) (bool, error) { return t.watchedByBFD(ctx, l.Node("node1"), true) }).
				Should(BeTrue(), "BFD in %s", t.vrf())
		}

		By("each tenant has its own server: without blue's only red's answers")
		Expect(blue.server.Close()).To(Succeed())
		Eventually(ctx, func(ctx context.Context) error { return unreachable(ctx, blue.vm, blue.server.Address(true)) }).Should(Succeed())
		expectSeenAs(ctx, red.vm.Machine, red.server.Address(true), red.vm.Address(true))

		By("nothing of the tenants passes the fabric")
		before, err := sniffer.Packets()
		Expect(err).NotTo(HaveOccurred())
		expectSeenAs(ctx, red.vm.Machine, red.server.Address(true), red.vm.Address(true))
		Expect(sniffer.Packets()).To(Equal(before))

		By("nor while red's sessions are down")
		Expect(red.link.SetSessions(ctx, false)).To(Succeed())
		for _, ipv4 := range l.Families() {
			Eventually(ctx, func(ctx context.Context) error { return unreachable(ctx, red.vm, red.server.Address(ipv4)) }).Should(Succeed())
		}
		Expect(sniffer.Packets()).To(Equal(before))
		Expect(red.link.SetSessions(ctx, true)).To(Succeed())
		red.expectBothWays(ctx, l)
		Expect(sniffer.Packets()).To(Equal(before))
	})
}

// tellOfAuto is story 4: one RouteAdvertisements for all networks with routers
// of their own.
func tellOfAuto() {
	It("advertises each network over its own VRF, whatever that is called", func(ctx context.Context) {
		l := use(ctx, localGateway())
		short := startTenant(ctx, l, network{
			cudn: "partner", id: 5, topology: cni.Layer3, subnets: prefixes("22.140.0.0/16", "fd00:22:140::/48"),
		}, prefixes("192.168.140.0/24", "fd00:140::/64"), prefixes("172.20.40.0/24", "fd00:172:20:40::/64"))
		long := startTenant(ctx, l, network{
			cudn: "a-partner-with-a-long-name", id: 6, topology: cni.Layer3, subnets: prefixes("22.141.0.0/16", "fd00:22:141::/48"),
		}, prefixes("192.168.141.0/24", "fd00:141::/64"), prefixes("172.20.41.0/24", "fd00:172:20:41::/64"))
		Expect(long.vrf()).To(Equal("mp6-udn-vrf"))

		apply(ctx, l, templatesInVRFs(ctx, l, short, long), overVRF("story4", "auto", networksNamed(short.cudn, long.cudn)))
		for _, t := range []*tenant{short, long} {
			t.expectBothWays(ctx, l)
		}
		By("neither knows of the other's networks")
		for _, ipv4 := range l.Families() {
			Expect(short.link.Router.FRR.Prefixes(ctx, short.vrf(), ipv4)).NotTo(ContainElement(nodeSubnetOf(l, long.name(), "node1", ipv4).String()))
			Expect(long.link.Router.FRR.Prefixes(ctx, long.vrf(), ipv4)).NotTo(ContainElement(nodeSubnetOf(l, short.name(), "node1", ipv4).String()))
			Expect(l.Router("tor").Prefixes(ctx, "", ipv4)).To(BeEmpty())
		}
	})
}
