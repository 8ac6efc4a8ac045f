package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/frrk8s"
)

const (
	manyNetworks = 60
	fewNetworks  = 5
	// perObject is how many VNIs with route targets frr-k8s takes in one object.
	perObject = 10
)

// numberedNetwork is one of many that have a MAC-VRF with a route target of its own.
func numberedNetwork(e *lab.EVPN, i int) network {
	vni := uint32(2100 + i)
	return network{
		cudn: fmt.Sprintf("many-%02d", i), id: 2100 + i, topology: cni.Layer2,
		subnets: []netip.Prefix{netip.MustParsePrefix(fmt.Sprintf("22.210.%d.0/24", i))},
		evpn:    &cni.EVPN{VTEP: e.VTEP, MACVRF: &cni.VPN{VNI: vni, VID: uint16(100 + i), RouteTarget: fmt.Sprintf("64999:%d", vni)}},
	}
}

// declare makes networks in the API, and on a node no more of them than says that they
// are there: with all of each, an emulated node would take an hour.
func declare(ctx context.Context, l *lab.Lab, node *lab.Node, networks []network) {
	GinkgoHelper()
	byNamespace := map[string]cni.Network{}
	for _, n := range networks {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
			Name: n.cudn, Labels: map[string]string{"k8s.ovn.org/primary-user-defined-network": ""},
		}}
		if err := l.Kube.Client.Create(ctx, namespace); !apierrors.IsAlreadyExists(err) {
			Expect(err).NotTo(HaveOccurred())
		}
		apply(ctx, l, strings.Replace(n.manifest(l), "labels: {", "labels: {crowd: many, ", 1))
		byNamespace[n.cudn] = cni.Network{Name: n.name(), ID: n.id, Topology: n.topology, Subnets: n.subnets, EVPN: n.evpn}
	}
	Expect(l.CNI.Declare(ctx, l.Kube.Client, node.Name, byNamespace)).To(Succeed())
	DeferCleanup(func(ctx context.Context) {
		Expect(l.CNI.Retract(ctx, l.Kube.Client, node.Name, byNamespace)).To(Succeed())
	})
}

// retract is what OVN-Kubernetes does when networks are deleted.
func retract(ctx context.Context, l *lab.Lab, node *lab.Node, networks []network) {
	GinkgoHelper()
	byNamespace := map[string]cni.Network{}
	for _, n := range networks {
		remove(ctx, l, n.manifest(l))
		byNamespace[n.cudn] = cni.Network{Name: n.name(), Topology: n.topology}
	}
	Expect(l.CNI.Retract(ctx, l.Kube.Client, node.Name, byNamespace)).To(Succeed())
}

// tellOfMany is story 21: more networks on a node than one object of frr-k8s takes.
func tellOfMany() {
	It("on one node have all their VNIs, in as many objects as it takes, and leave nothing behind", func(ctx context.Context) {
		l := use(ctx, evpn())
		tor, node := l.Router("tor"), l.Node("node1")
		e := startEVPN(ctx, l, tor)
		tunnels := l.CNI.Tunnels(node.Name, e.VTEP)
		var all []network
		for i := range manyNetworks {
			n := numberedNetwork(e, i)
			Expect(tunnels.Carry(n.evpn.MACVRF.VID, n.evpn.MACVRF.VNI)).To(Succeed())
			all = append(all, n)
		}
		declare(ctx, l, node, all)
		apply(ctx, l, peering(l, tor), overVRF("story21", "auto", networksLabelled("crowd", "many")))

		By("all of them")
		expectVNIs(ctx, l, e, node, all)
		expectObjects(ctx, l, node, manyNetworks/perObject)

		By("five are left")
		for _, n := range all[fewNetworks:] {
			Expect(tunnels.Drop(n.evpn.MACVRF.VID, n.evpn.MACVRF.VNI)).To(Succeed())
		}
		retract(ctx, l, node, all[fewNetworks:])
		awaitNothing(ctx, Default, func(ctx context.Context) ([]string, int, error) { return residue(ctx, node, all[fewNetworks:]) })
		expectVNIs(ctx, l, e, node, all[:fewNetworks])
		expectObjects(ctx, l, node, 1)
	})
}

// expectVNIs waits until FRR of a node has the networks' VNIs and no other, each with
// its route target, and the router knows of all of them.
func expectVNIs(ctx context.Context, l *lab.Lab, e *lab.EVPN, node *lab.Node, networks []network) {
	GinkgoHelper()
	var vnis []string
	targets := map[string][]string{}
	for _, n := range networks {
		vni := fmt.Sprint(n.evpn.MACVRF.VNI)
		vnis, targets[vni] = append(vnis, vni), []string{n.evpn.MACVRF.RouteTarget}
	}
	Eventually(ctx, func(ctx context.Context) ([]string, error) {
		var known map[string]struct{ Type string }
		err := node.FRR.ShowJSON(ctx, "show evpn vni json", &known)
		var out []string
		for vni := range known {
			out = append(out, vni)
		}
		return out, err
	}).Should(ConsistOf(vnis), "VNIs of zebra on %s", node.Name)
	Eventually(ctx, func(ctx context.Context) (map[string][]string, error) {
		// By VNI, beside counters and settings.
		var known map[string]json.RawMessage
		if err := node.FRR.ShowJSON(ctx, "show bgp l2vpn evpn vni json", &known); err != nil {
			return nil, err
		}
		out := map[string][]string{}
		for vni, text := range known {
			var v struct {
				InKernel             string
				ImportRTs, ExportRTs []string
			}
			if json.Unmarshal(text, &v) == nil && v.InKernel == "True" && slices.Equal(v.ImportRTs, v.ExportRTs) {
				out[vni] = v.ImportRTs
			}
		}
		return out, nil
	}).Should(Equal(targets), "VNIs of bgpd on %s", node.Name)
	Eventually(ctx, func(ctx context.Context) (map[string]bool, error) {
		routes, err := l.Router("tor").FRR.TypeThrees(ctx)
		told := map[string]bool{}
		for _, route := range routes {
			if slices.Contains(route.NextHops, e.NodeEndpoint(node)) {
				told[strings.Join(route.RouteTargets, " ")] = true
			}
		}
		return told, err
	}).Should(HaveLen(len(networks)), "route targets of what the router floods to %s", node.Name)
}

// expectObjects waits until a node has this many generated FRRConfigurations,
// each with no more VNIs than frr-k8s takes.
func expectObjects(ctx context.Context, l *lab.Lab, node *lab.Node, objects int) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) ([]int, error) {
		var all frrk8sv1beta1.FRRConfigurationList
		err := l.Kube.Client.List(ctx, &all, client.InNamespace(frrk8s.Namespace), client.HasLabels{"ovnbgp.io/generated"})
		var vnis []int
		for _, c := range all.Items {
			if c.Annotations["ovnbgp.io/node"] != node.Name {
				continue
			}
			count := 0
			for _, r := range c.Spec.BGP.Routers {
				if r.EVPN != nil {
					count += len(r.EVPN.L2VNIs)
				}
			}
			vnis = append(vnis, count)
		}
		return vnis, err
	}).Should(And(HaveLen(objects), HaveEach(BeNumerically("<=", perObject))), "VNIs of the FRRConfigurations of %s", node.Name)
}

// residue is what FRR of a node still has of networks, and how long its configuration
// is.
func residue(ctx context.Context, node *lab.Node, networks []network) ([]string, int, error) {
	config, err := node.FRR.BGPConfig(ctx)
	if err != nil {
		return nil, 0, err
	}
	var left []string
	for line := range strings.Lines(config) {
		for _, n := range networks {
			if slices.Contains(strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == ':' || r == '\n' }), fmt.Sprint(n.evpn.MACVRF.VNI)) {
				left = append(left, strings.TrimSpace(line))
			}
		}
	}
	return left, strings.Count(config, "\n"), nil
}
