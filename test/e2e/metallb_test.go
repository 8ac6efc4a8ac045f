package e2e_test

import (
	"context"
	"fmt"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/metallb"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/probe"
)

// serviceAddress is what MetalLB gives to the service.
var serviceAddress = netip.MustParsePrefix("172.20.95.10/32")

// Story 9: MetalLB announces a service over the same sessions.
var _ = Describe("Beside MetalLB", Label("story9"), func() {
	It("shares sessions: either side can be removed and added without the other noticing", func(ctx context.Context) {
		l := use(ctx, lab.Default())
		tor := l.Router("tor")
		subnets := prefixes("172.20.90.0/24", "fd00:172:20:90::/64")
		server := startServer(ctx, tor, "client", subnets...)
		pod := startPod(ctx, l, cni.PodSpec{Namespace: "story9", Name: "web", Node: "node1"})
		apply(ctx, l, peering(l, tor))
		balancer := startMetalLB(ctx, l)
		serveAt(ctx, l, serviceAddress)
		announce(ctx, tor, subnets...)
		pods, service := advertisement("story9", defaultNetwork), serviceAnnouncement

		By("announcing both")
		apply(ctx, l, pods, bgpPeer(l, tor), addressPool, service, loadBalancer)
		expectService(ctx, l, tor)
		expectPods(ctx, l, tor)
		reach := func(to ...netip.Addr) {
			GinkgoHelper()
			for _, address := range to {
				Eventually(ctx, func(ctx context.Context) (netip.Addr, error) { return probe.Ask(ctx, server.Machine, address) }).
					Should(Equal(server.Address(address.Is4())), "from the client to %s", address)
			}
		}
		reach(serviceAddress.Addr(), pod.Address(true), pod.Address(false))
		established := sessions(ctx, tor)
		Expect(established).To(HaveLen(len(l.Nodes) * len(l.Families())))

		By("removing the operator's side")
		remove(ctx, l, pods)
		expectNoPods(ctx, l, tor)
		expectService(ctx, l, tor)
		reach(serviceAddress.Addr())

		By("adding it again, and removing MetalLB's announcement")
		apply(ctx, l, pods)
		expectPods(ctx, l, tor)
		remove(ctx, l, service)
		expectNoPaths(ctx, tor, serviceAddress)
		expectPods(ctx, l, tor)
		reach(pod.Address(true), pod.Address(false))

		By("announcing the service again, and uninstalling MetalLB")
		apply(ctx, l, service)
		expectService(ctx, l, tor)
		reach(serviceAddress.Addr())
		Expect(balancer.Stop(ctx)).To(Succeed())
		expectNoPaths(ctx, tor, serviceAddress)
		expectPods(ctx, l, tor)
		reach(pod.Address(true), pod.Address(false))

		Expect(sessions(ctx, tor)).To(Equal(established), "how often each session was established")
	})
})

func startMetalLB(ctx context.Context, l *lab.Lab) *metallb.MetalLB {
	GinkgoHelper()
	options := metallb.Options{Kube: l.Kube, Binaries: binaries, Controller: l.Manager.Machine}
	for _, n := range l.Nodes {
		options.Nodes = append(options.Nodes, n.Machine)
	}
	balancer, err := metallb.Start(ctx, options)
	DeferCleanup(func(ctx context.Context) { Expect(balancer.Stop(ctx)).To(Succeed()) })
	Expect(err).NotTo(HaveOccurred())
	return balancer
}

// serveAt has all nodes answer at a service's address, as kube-proxy does.
func serveAt(ctx context.Context, l *lab.Lab, service netip.Prefix) {
	GinkgoHelper()
	for _, n := range l.Nodes {
		_, err := n.Machine.Run(ctx, "ip", "address", "add", service.String(), "dev", "lo")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func(ctx context.Context) {
			_, err := n.Machine.Run(ctx, "ip", "address", "delete", service.String(), "dev", "lo")
			Expect(err).NotTo(HaveOccurred())
		})
		answers, err := probe.Serve(n.Machine)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(answers.Close)
	}
}

// expectService waits until a router has the service by all nodes.
func expectService(ctx context.Context, l *lab.Lab, r *lab.Router) {
	GinkgoHelper()
	var nodes []netip.Addr
	for _, n := range l.Nodes {
		nodes = append(nodes, n.Address(true))
	}
	Eventually(ctx, func(ctx context.Context) ([]netip.Addr, error) { return learnedFrom(ctx, r, serviceAddress) }).
		Should(ConsistOf(nodes), "%s on %s", serviceAddress, r.Name)
}

func expectPods(ctx context.Context, l *lab.Lab, r *lab.Router) {
	GinkgoHelper()
	for _, n := range l.Nodes {
		for _, ipv4 := range l.Families() {
			expectPathVia(ctx, r, nodeSubnet(l, n.Name, ipv4), n.Address(ipv4))
		}
	}
}

func expectNoPods(ctx context.Context, l *lab.Lab, r *lab.Router) {
	GinkgoHelper()
	for _, n := range l.Nodes {
		for _, ipv4 := range l.Families() {
			expectNoPaths(ctx, r, nodeSubnet(l, n.Name, ipv4))
		}
	}
}

func expectNoPaths(ctx context.Context, r *lab.Router, prefix netip.Prefix) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) ([]netip.Addr, error) { return learnedFrom(ctx, r, prefix) }).
		Should(BeEmpty(), "%s on %s", prefix, r.Name)
}

// learnedFrom are the neighbors that announce a prefix.
func learnedFrom(ctx context.Context, r *lab.Router, prefix netip.Prefix) ([]netip.Addr, error) {
	paths, err := r.Paths(ctx, "", prefix)
	var from []netip.Addr
	for _, path := range paths {
		from = append(from, path.From)
	}
	return from, err
}

// sessions counts how often the session with each neighbor was established.
func sessions(ctx context.Context, r *lab.Router) map[string]int {
	GinkgoHelper()
	var neighbors map[string]struct{ ConnectionsEstablished int }
	Expect(r.FRR.ShowJSON(ctx, "show bgp neighbors json", &neighbors)).To(Succeed())
	counts := map[string]int{}
	for address, neighbor := range neighbors {
		counts[address] = neighbor.ConnectionsEstablished
	}
	return counts
}

// bgpPeer has the session of the template that peering makes: frr-k8s takes two
// descriptions of a neighbor only if they agree.
func bgpPeer(l *lab.Lab, r *lab.Router) string {
	return fmt.Sprintf(`
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: tor, namespace: %s}
spec: {myASN: %d, peerASN: %d, peerAddress: %s, connectTime: 1s, holdTime: 9s, keepaliveTime: 3s}
`, metallb.Namespace, lab.NodeASN, r.ASN, r.Address(l.IPv4))
}

var addressPool = fmt.Sprintf(`
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: services, namespace: %s}
spec: {addresses: [%s]}
`, metallb.Namespace, serviceAddress)

var serviceAnnouncement = fmt.Sprintf(`
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: services, namespace: %s}
spec: {ipAddressPools: [services]}
`, metallb.Namespace)

// loadBalancer is a service with an endpoint, which Kubernetes' controllers
// would find by a selector.
var loadBalancer = `
apiVersion: v1
kind: Service
metadata: {name: story9, namespace: default}
spec:
  type: LoadBalancer
  allocateLoadBalancerNodePorts: false
  ports: [{port: 7007, protocol: TCP}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: story9, namespace: default, labels: {kubernetes.io/service-name: story9}}
addressType: IPv4
ports: [{port: 7007, protocol: TCP}]
endpoints:
- {addresses: [10.244.0.200], nodeName: node1, conditions: {ready: true, serving: true}}
`
