package e2e_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/frrk8s"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// oneASBehind is TwoToRs with all routers in one AS, in which they tell each other of MEDs.
func oneASBehind() lab.Description {
	d := lab.TwoToRs()
	for i := range d.Routers {
		d.Routers[i].ASN = d.Routers[0].ASN
	}
	d.ManagerArgs = []string{"--frr-raw"}
	return d
}

// Story 32: of two ways to a node, policies choose the one.
var _ = Describe("MED and prepending", Label("story32"), func() {
	It("move the path to a node to one router and to the other, and leave nothing behind", func(ctx context.Context) {
		l := use(ctx, oneASBehind())
		core, tor1, tor2 := l.Router("core"), l.Router("tor1"), l.Router("tor2")
		subnets := within(l, prefixes("172.20.32.0/24", "fd00:172:20:32::/64"))
		server := startServer(ctx, core, "web", subnets...)
		pod := startPod(ctx, l, cni.PodSpec{Namespace: "story32", Name: "pod", Node: "node1"})
		apply(ctx, l, peering(l, tor1, tor2), advertisement("story32", defaultNetwork))
		announce(ctx, core, subnets...)
		chosen, other := subnetsOf(l, l.Nodes[0]), subnetsOf(l, l.Nodes[1])
		expectThrough(ctx, core, chosen, tor1.Name, tor2.Name)
		expectFRRConfigured(ctx, l, "story32")
		// Where there may be raw text, nodes have some without any policy, too: see
		// config/SESSIONS.md.
		Eventually(func() []string { return sortedConfig(ctx, l.Nodes[0]) }).Should(ContainElement("bgp route-map delay-timer 1"))
		before := sortedConfig(ctx, l.Nodes[0])

		By("a higher MED by the first router")
		apply(ctx, l, pathPolicy("story32", rule("node1", tor1.Addresses, "med: 200, communities: ['64512:32']")))
		expectThrough(ctx, core, chosen, tor2.Name)
		expectThrough(ctx, core, other, tor1.Name, tor2.Name)
		expectRenderedPolicy(ctx, l, "story32", metav1.ConditionTrue, "rendered on the one node with a matching route")
		expectFRRConfigured(ctx, l, "story32")
		expectIdempotent(ctx, l.Nodes[0])
		expectArrivesBy(ctx, l, server, pod, tor2)

		By("a longer AS path by the second one, which counts before MED")
		apply(ctx, l, pathPolicy("story32",
			rule("node1", tor1.Addresses, "med: 200, communities: ['64512:32']"), rule("node1", tor2.Addresses, "prepend: 2")))
		expectThrough(ctx, core, chosen, tor1.Name)
		expectThrough(ctx, core, other, tor1.Name, tor2.Name)
		for _, prefix := range chosen {
			paths, err := tor2.Paths(ctx, "", prefix)
			Expect(err).NotTo(HaveOccurred())
			Expect(paths).To(ContainElement(HaveField("ASPath", "64512 64512 64512")), "%s at tor2", prefix)
		}
		expectFRRConfigured(ctx, l, "story32")
		expectIdempotent(ctx, l.Nodes[0])
		expectArrivesBy(ctx, l, server, pod, tor1)

		By("the flag taken away: what frr-k8s has fields for goes on")
		restartManager := func(ctx context.Context, args ...string) {
			l.ManagerArgs = args
			Expect(l.Manager.Restart(ctx)).To(Succeed())
		}
		restartManager(ctx)
		back := false
		DeferCleanup(func(ctx context.Context) {
			if !back {
				restartManager(ctx, "--frr-raw")
			}
		})
		expectThrough(ctx, core, chosen, tor1.Name, tor2.Name)
		expectRenderedPolicy(ctx, l, "story32", metav1.ConditionFalse, "start the manager with --frr-raw")
		for _, prefix := range chosen {
			Eventually(ctx, func(ctx context.Context) (string, error) {
				return tor1.FRR.Show(ctx, fmt.Sprintf("show bgp %s unicast %s", afiName(prefix.Addr().Is4()), prefix))
			}).Should(And(ContainSubstring("64512:32"), Not(ContainSubstring("metric 200"))), "%s at tor1", prefix)
		}

		By("the policy gone: FRR has what it had before")
		restartManager(ctx, "--frr-raw")
		back = true
		expectThrough(ctx, core, chosen, tor1.Name)
		remove(ctx, l, pathPolicy("story32"))
		expectThrough(ctx, core, chosen, tor1.Name, tor2.Name)
		Eventually(func() []string { return sortedConfig(ctx, l.Nodes[0]) }).Should(Equal(before))
	})
})

// expectArrivesBy sends a flow of each family to a pod, and sees a router forward it to the
// fabric.
func expectArrivesBy(ctx context.Context, l *lab.Lab, server *lab.Server, pod *cni.Pod, r *lab.Router) {
	GinkgoHelper()
	for _, ipv4 := range l.Families() {
		expectSeenAs(ctx, server.Machine, pod.Address(ipv4), server.Address(ipv4))
		var flow streams
		flow.add(ctx, familyName(ipv4)+", client to pod", server.Machine, pod.Address(ipv4))
		expectSending(ctx, r, lab.Uplink)
		flow.end()
	}
}

// pathPolicy is a RoutePolicy for the advertisement of the same name.
func pathPolicy(name string, rules ...string) string {
	return fmt.Sprintf(`
apiVersion: ovnbgp.io/v1alpha1
kind: RoutePolicy
metadata: {name: %s}
spec:
  targetRefs: [{group: k8s.ovn.org, kind: RouteAdvertisements, name: %[1]s}]
  rules: [%s]
`, name, strings.Join(rules, ", "))
}

// rule sets attributes of a node's routes to neighbors.
func rule(node string, neighbors []netip.Prefix, set string) string {
	var texts []string
	for _, n := range neighbors {
		texts = append(texts, "'"+n.Addr().String()+"'")
	}
	return fmt.Sprintf("{match: {nodeSelector: {matchLabels: {kubernetes.io/hostname: %s}}, neighbors: [%s]}, set: {%s}}", node, strings.Join(texts, ", "), set)
}

// expectThrough waits until the router behind two sends what is for the prefixes through
// just these.
func expectThrough(ctx context.Context, core *lab.Router, to []netip.Prefix, through ...string) {
	GinkgoHelper()
	for _, prefix := range to {
		Eventually(ctx, func() ([]string, error) { return waysTo(core.Machine, prefix) }).Should(ConsistOf(through), "ways of %s to %s", core.Name, prefix)
	}
}

// waysTo are the devices of a machine's BGP route to exactly a prefix.
func waysTo(m *machine.Machine, prefix netip.Prefix) ([]string, error) {
	filter := &netlink.Route{Protocol: unix.RTPROT_BGP}
	routes, err := m.Netlink().RouteListFiltered(netlink.FAMILY_ALL, filter, netlink.RT_FILTER_PROTOCOL)
	var out []string
	for _, r := range routes {
		if r.Dst == nil || r.Dst.String() != prefix.String() {
			continue
		}
		hops := r.MultiPath
		if len(hops) == 0 {
			hops = []*netlink.NexthopInfo{{LinkIndex: r.LinkIndex}}
		}
		for _, hop := range hops {
			link, linkErr := m.Netlink().LinkByIndex(hop.LinkIndex)
			if linkErr != nil {
				return nil, linkErr
			}
			out = append(out, link.Attrs().Name)
		}
	}
	return out, err
}

// expectFRRConfigured waits until all nodes' FRR has what the advertisement asks for, the
// entries of raw text among it.
func expectFRRConfigured(ctx context.Context, l *lab.Lab, name string) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) ([]metav1.Condition, error) {
		var object ovnv1.RouteAdvertisements
		err := l.Kube.Client.Get(ctx, client.ObjectKey{Name: name}, &object)
		return object.Status.Conditions, err
	}).Should(ContainElement(And(HaveField("Type", status.FRRConfigured), HaveField("Status", metav1.ConditionTrue))))
}

// expectRenderedPolicy waits until the condition Rendered of a RoutePolicy says this.
func expectRenderedPolicy(ctx context.Context, l *lab.Lab, name string, is metav1.ConditionStatus, message string) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) (*metav1.Condition, error) {
		var policy v1alpha1.RoutePolicy
		if err := l.Kube.Client.Get(ctx, client.ObjectKey{Name: name}, &policy); err != nil || len(policy.Status.Ancestors) == 0 {
			return nil, err
		}
		return meta.FindStatusCondition(policy.Status.Ancestors[0].Conditions, v1alpha1.RoutePolicyRendered), nil
	}).Should(HaveValue(And(HaveField("Status", is), HaveField("Message", ContainSubstring(message)))))
}

// expectIdempotent sees that another reload of what frr-k8s wrote would change nothing:
// raw text is written as FRR prints it.
func expectIdempotent(ctx context.Context, n *lab.Node) {
	GinkgoHelper()
	text, err := n.Machine.Run(ctx, "python3", "/usr/lib/frr/frr-reload.py", "--test", "--stdout", frrk8s.ConfigFile)
	Expect(err).NotTo(HaveOccurred(), text)
	Expect(text).NotTo(Or(ContainSubstring("60000"), ContainSubstring("ovnbgp-")), "what a reload would change on %s", n.Name)
}

// sortedConfig are the lines of a node's FRR, whose order depends on its past.
func sortedConfig(ctx context.Context, n *lab.Node) []string {
	GinkgoHelper()
	text, err := n.FRR.RunningConfig(ctx)
	Expect(err).NotTo(HaveOccurred())
	return slices.Sorted(strings.SplitSeq(text, "\n"))
}
