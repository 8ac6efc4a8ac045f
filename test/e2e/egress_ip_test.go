package e2e_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/probe"
)

// Story 5: egress IPs are advertised by the nodes that hold them, and only by
// these, wherever they move. They are none of the fabric's own addresses, so
// that what is sent to one finds back by its route alone.
var _ = Describe("Egress IPs", Label("story5"), func() {
	It("are reached by the node that holds them, also where they move to", func(ctx context.Context) {
		l := use(ctx, lab.Default())
		tor := l.Router("tor")
		subnets := prefixes("172.20.50.0/24", "fd00:172:20:50::/64")
		egress := prefixes("203.0.113.50/32", "fd00:203:0:113::50/128")
		server := startServer(ctx, tor, "bank", subnets...)
		announce(ctx, tor, subnets...)
		Expect(ensureNamespace(ctx, l, "story5", map[string]string{"team": "payments"})).To(Succeed())
		var pods []*cni.Pod
		for _, n := range l.Nodes {
			pods = append(pods, startPod(ctx, l, cni.PodSpec{Namespace: "story5", Name: "pod-" + n.Name, Node: n.Name}))
		}
		apply(ctx, l, peering(l, tor), egressIPs("story5", egress...), egressAdvertisement("story5"))
		// Nobody holds them yet.
		for _, n := range l.Nodes {
			for _, subnet := range subnets {
				expectRowVia(ctx, l, n.Name, subnet, tor, subnet.Addr().Is4())
			}
		}
		expectExactly(ctx, tor, subnets...)

		DeferCleanup(func(ctx context.Context) { Expect(l.CNI.ReleaseEgressIP(ctx, "story5")).To(Succeed()) })
		hold := func(holder *lab.Node) {
			GinkgoHelper()
			By("held by " + holder.Name)
			var held []cni.EgressAddress
			for _, prefix := range egress {
				held = append(held, cni.EgressAddress{Address: prefix.Addr(), Node: holder.Name})
			}
			Expect(l.CNI.AssignEgressIP(ctx, l.Kube.Client, "story5", pods, held...)).To(Succeed())
			for _, prefix := range egress {
				expectPathVia(ctx, tor, prefix, holder.Address(prefix.Addr().Is4()))
			}
			for _, pod := range pods {
				for _, prefix := range egress {
					expectSeenAs(ctx, pod.Machine, server.Address(prefix.Addr().Is4()), prefix.Addr())
				}
			}
			expectExactly(ctx, tor, slices.Concat(subnets, egress)...)
		}
		hold(l.Node("node1"))

		moved := watchFlow(ctx, "pod to server, with the egress IP", pods[0].Machine, server.Address(true))
		hold(l.Node("node2"))
		Eventually(ctx, moved.hasAnswers).Should(BeTrue())
		reportOutage("egress IP moved", moved.name, moved.outage())
		moved.end()

		By("the advertisement deleted")
		remove(ctx, l, egressAdvertisement("story5"))
		expectExactly(ctx, tor, subnets...)
		// The router's kernel loses a route a moment after its BGP has.
		Eventually(ctx, func(ctx context.Context) error {
			_, err := probe.Ask(ctx, pods[0].Machine, server.Address(true))
			return err
		}).Should(HaveOccurred(), "without its route nothing finds back to the egress IP")
	})
})

// egressAdvertisement advertises egress IPs of the default network's pods to
// the neighbors of the template that peering makes.
func egressAdvertisement(name string) string {
	return strings.Replace(advertisement(name, defaultNetwork), "[PodNetwork]", "[EgressIP]", 1)
}

// egressIPs are for the pods of namespaces with the label team=payments.
func egressIPs(name string, prefixes ...netip.Prefix) string {
	text := fmt.Sprintf(`
apiVersion: k8s.ovn.org/v1
kind: EgressIP
metadata: {name: %s}
spec:
  namespaceSelector: {matchLabels: {team: payments}}
  egressIPs:
`, name)
	for _, p := range prefixes {
		text += fmt.Sprintf("  - %q\n", p.Addr())
	}
	return text
}

// ensureNamespace makes a namespace. It stays: without a controller for them
// namespaces can't be deleted.
func ensureNamespace(ctx context.Context, l *lab.Lab, name string, labels map[string]string) error {
	err := l.Kube.Client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
