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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
)

// Story 8: whatever is deleted, the far end loses exactly what followed from
// it.
var _ = Describe("Withdrawal", Label("story8"), func() {
	It("of a RouteAdvertisements takes back its prefixes, from its neighbors only", func(ctx context.Context) {
		l := use(ctx, lab.TwoRouters())
		tor, tor2 := l.Router("tor"), l.Router("tor2")
		apply(ctx, l, named(peering(l, tor), "first"), named(peering(l, tor2), "second"),
			selecting(advertisement("story8-first", defaultNetwork), "first"),
			selecting(advertisement("story8-second", defaultNetwork), "second"))
		expectExactly(ctx, tor, defaultPrefixes(l)...)
		expectExactly(ctx, tor2, defaultPrefixes(l)...)

		remove(ctx, l, selecting(advertisement("story8-first", defaultNetwork), "first"))
		expectExactly(ctx, tor)
		expectExactly(ctx, tor2, defaultPrefixes(l)...)
	})

	It("of a template takes back what went to its neighbors", func(ctx context.Context) {
		l := use(ctx, lab.TwoRouters())
		tor, tor2 := l.Router("tor"), l.Router("tor2")
		// One RouteAdvertisements selects both.
		apply(ctx, l, asTemplate(peering(l, tor), "first"), asTemplate(peering(l, tor2), "second"),
			advertisement("story8-template", defaultNetwork))
		expectExactly(ctx, tor, defaultPrefixes(l)...)
		expectExactly(ctx, tor2, defaultPrefixes(l)...)

		remove(ctx, l, asTemplate(peering(l, tor2), "second"))
		expectExactly(ctx, tor2)
		expectExactly(ctx, tor, defaultPrefixes(l)...)
	})

	It("of a node takes back its subnets and no other's, until it is there again", func(ctx context.Context) {
		l := use(ctx, lab.Default())
		tor, leaving, staying := l.Router("tor"), l.Node("node2"), l.Node("node1")
		apply(ctx, l, peering(l, tor), advertisement("story8-node", defaultNetwork))
		expectExactly(ctx, tor, defaultPrefixes(l)...)

		Expect(l.Kube.Client.Delete(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: leaving.Name}})).To(Succeed())
		DeferCleanup(func(ctx context.Context) {
			if !current.broken {
				Expect(rejoin(ctx, l, leaving)).To(Succeed())
			}
		})
		leaving.Drain()
		expectExactly(ctx, tor, subnetsOf(l, staying)...)
		Eventually(ctx, generatedHas(l, leaving, nodeSubnet(l, leaving.Name, l.Families()[0]), false)).
			Should(BeTrue(), "the FRRConfiguration of a node that is gone is gone")

		Expect(rejoin(ctx, l, leaving)).To(Succeed())
		expectExactly(ctx, tor, defaultPrefixes(l)...)
	})

	It("of a ClusterUserDefinedNetwork takes back its prefixes, and leaves those of others", NeedsVRF, func(ctx context.Context) {
		l := use(ctx, lab.Default())
		tor := l.Router("tor")
		blue := network{cudn: "story8-blue", id: 81, topology: cni.Layer3, subnets: prefixes("10.81.0.0/16", "fd00:10:81::/48")}
		red := network{cudn: "story8-red", id: 82, topology: cni.Layer3, subnets: prefixes("10.82.0.0/16", "fd00:10:82::/48")}
		startNetwork(ctx, l, blue)
		startNetwork(ctx, l, red)
		apply(ctx, l, peering(l, tor), advertisement("story8-pods", defaultNetwork),
			advertisement("story8-networks", fmt.Sprintf("{networkSelectionType: ClusterUserDefinedNetworks, clusterUserDefinedNetworkSelector: "+
				"{networkSelector: {matchExpressions: [{key: network, operator: In, values: [%s, %s]}]}}}", blue.cudn, red.cudn)))
		all := slices.Concat(defaultPrefixes(l), prefixesOf(l, blue), prefixesOf(l, red))
		expectExactly(ctx, tor, all...)

		remove(ctx, l, blue.manifest(l))
		expectExactly(ctx, tor, slices.Concat(defaultPrefixes(l), prefixesOf(l, red))...)
		remove(ctx, l, advertisement("story8-pods", defaultNetwork))
		expectExactly(ctx, tor, prefixesOf(l, red)...)
	})
})

// named gives a template another name and another label to be selected by.
func named(template, name string) string {
	return strings.NewReplacer("name: fabric", "name: "+name, "use-for-advertisements: fabric", "use-for-advertisements: "+name).Replace(template)
}

// asTemplate gives a template another name, and leaves its label.
func asTemplate(template, name string) string {
	return strings.ReplaceAll(template, "name: fabric", "name: "+name)
}

// selecting has an advertisement select the templates with another label.
func selecting(advertisement, label string) string {
	return strings.Replace(advertisement, "use-for-advertisements: fabric", "use-for-advertisements: "+label, 1)
}

// rejoin has a node that was drained and deleted come back; one that is there
// is left alone.
func rejoin(ctx context.Context, l *lab.Lab, n *lab.Node) error {
	if n.FRRK8s.Controller.Running() {
		return nil
	}
	if err := l.CreateNode(ctx, n); err != nil {
		return err
	}
	if err := l.CNI.Publish(ctx, l.Kube.Client, nil); err != nil {
		return err
	}
	return n.Undrain(ctx)
}

// expectExactly waits until a router has these prefixes and no others.
func expectExactly(ctx context.Context, r *lab.Router, want ...netip.Prefix) {
	GinkgoHelper()
	texts := []any{}
	for _, p := range want {
		texts = append(texts, p.String())
	}
	Eventually(ctx, func(ctx context.Context) ([]string, error) {
		ipv4, err := r.Prefixes(ctx, "", true)
		if err != nil {
			return nil, err
		}
		ipv6, err := r.Prefixes(ctx, "", false)
		return append(ipv4, ipv6...), err
	}).Should(ConsistOf(texts...), "on %s", r.Name)
}

// defaultPrefixes are all nodes' subnets of the default network.
func defaultPrefixes(l *lab.Lab) []netip.Prefix {
	GinkgoHelper()
	return subnetsOf(l, l.Nodes...)
}

func subnetsOf(l *lab.Lab, nodes ...*lab.Node) []netip.Prefix {
	GinkgoHelper()
	var out []netip.Prefix
	for _, n := range nodes {
		for _, ipv4 := range l.Families() {
			out = append(out, nodeSubnet(l, n.Name, ipv4))
		}
	}
	return out
}

// prefixesOf are all nodes' subnets of a Layer3 network.
func prefixesOf(l *lab.Lab, n network) []netip.Prefix {
	GinkgoHelper()
	var out []netip.Prefix
	for _, node := range l.Nodes {
		for _, ipv4 := range l.Families() {
			out = append(out, nodeSubnetOf(l, n.name(), node.Name, ipv4))
		}
	}
	return out
}
