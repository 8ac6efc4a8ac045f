package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/frrk8s"
)

var _ = Describe("Beside OVN-Kubernetes' own controller", Label("story23"), Slow, func() {
	It("renders EVPN into the same FRR configuration, and leaves the other's whole when it goes", tellOfBothRenderings)
})

// tellOfBothRenderings is about configurations alone, which no VXLAN device takes part
// in: OVN-Kubernetes has FRR text for EVPN, and this operator frr-k8s' typed fields.
func tellOfBothRenderings(ctx context.Context) {
	d := lab.Default()
	d.IPv6, d.ManagerArgs = false, []string{"--take-over"}
	l := use(ctx, d)
	tor := l.Router("tor")
	// They would say that OVN has no such network.
	for _, n := range l.Nodes {
		n.Agent.Kill()
		DeferCleanup(func(ctx context.Context) { Expect(n.StartAgent(ctx)).To(Succeed()) })
	}
	apply(ctx, l, peering(l, tor), fmt.Sprintf(`
apiVersion: k8s.ovn.org/v1
kind: VTEP
metadata: {name: fabric}
spec: {cidrs: [%s], mode: Unmanaged}
---
apiVersion: k8s.ovn.org/v1
kind: ClusterUserDefinedNetwork
metadata: {name: blue, labels: {story: beside}}
spec:
  namespaceSelector: {matchLabels: {story: beside}}
  network:
    topology: Layer2
    layer2: {role: Primary, subnets: [22.160.0.0/16]}
    transport: EVPN
    evpn: {vtep: fabric, macVRF: {vni: 110, routeTarget: "65000:110"}, ipVRF: {vni: 210, routeTarget: "65000:210"}}
`, lab.Endpoints))
	var theirs []string
	for i, n := range l.Nodes {
		endpoint := netip.AddrFrom4([4]byte{192, 168, 102, byte(11 + i)})
		setEndpoint(ctx, l, n.Name, endpoint)
		theirs = append(theirs, renderedByOVNKubernetes(n.Name, tor, endpoint))
	}
	apply(ctx, l, theirs...)

	By("alone, theirs configures FRR")
	alone := map[string]string{}
	for _, n := range l.Nodes {
		// A reload adds what comes last in the text after all else, and the VRF's VNI by
		// a second attempt at times.
		Eventually(ctx, func(ctx context.Context) (text string, err error) {
			text, err = n.FRR.RunningConfig(ctx)
			alone[n.Name] = text
			return text, err
		}).Should(And(ContainSubstring("vrf blue\n vni 210\n"), ContainSubstring("  route-target export 65000:210\n")))
	}

	By("with ours, only the router's identifier comes, and type 5 of the other family, of which there is none")
	ra := overVRF("beside", "auto", networksLabelled("story", "beside"))
	apply(ctx, l, ra)
	Eventually(ctx, func(ctx context.Context) ([]metav1.Condition, error) {
		var object ovnv1.RouteAdvertisements
		err := l.Kube.Client.Get(ctx, client.ObjectKey{Name: "beside"}, &object)
		return object.Status.Conditions, err
	}).Should(And(
		ContainElement(And(HaveField("Type", status.FRRConfigured), HaveField("Status", metav1.ConditionTrue))),
		Not(ContainElement(HaveField("Type", status.Accepted))),
	), "it is configured, and for the other controller to accept")
	for i, n := range l.Nodes {
		id, family := fmt.Sprintf(" bgp router-id 192.168.102.%d\n", 11+i), "  advertise ipv6 unicast\n"
		both := ""
		Eventually(ctx, func(ctx context.Context) (_ string, err error) {
			both, err = n.FRR.RunningConfig(ctx)
			return both, err
		}).Should(And(ContainSubstring(id), ContainSubstring(family)), "%s", n.Name)
		Expect(strings.NewReplacer(id, "", family, "").Replace(both)).To(Equal(alone[n.Name]), "%s", n.Name)
	}

	By("theirs goes on when ours goes")
	remove(ctx, l, ra)
	for _, n := range l.Nodes {
		Eventually(ctx, n.FRR.RunningConfig).Should(Equal(alone[n.Name]), "%s", n.Name)
	}
}

// setEndpoint writes a node's address of the VTEP where OVN-Kubernetes does.
func setEndpoint(ctx context.Context, l *lab.Lab, node string, endpoint netip.Addr) {
	GinkgoHelper()
	patch := func(ctx context.Context, value any) {
		text, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]any{ovnk.AnnotationVTEPs: value}}})
		Expect(err).NotTo(HaveOccurred())
		object := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: node}}
		Expect(l.Kube.Client.Patch(ctx, object, client.RawPatch(types.MergePatchType, text))).To(Succeed())
	}
	patch(ctx, fmt.Sprintf(`{"fabric":{"ips":[%q]}}`, endpoint))
	DeferCleanup(func(ctx context.Context) { patch(ctx, nil) })
}

// renderedByOVNKubernetes is what its controller of August 2026 makes for a node: EVPN as
// text, all else typed.
func renderedByOVNKubernetes(node string, tor *lab.Router, endpoint netip.Addr) string {
	return fmt.Sprintf(`
apiVersion: frrk8s.metallb.io/v1beta1
kind: FRRConfiguration
metadata:
  name: ovnk-generated-%[1]s
  namespace: %[2]s
  labels: {k8s.ovn.org/route-advertisements: beside}
  annotations: {k8s.ovn.org/route-advertisements: beside/fabric/%[1]s}
spec:
  nodeSelector: {matchLabels: {kubernetes.io/hostname: %[1]s}}
  bgp:
    routers:
    - asn: %[3]d
      neighbors:
      - address: %[4]s
        asn: %[5]d
        connectTime: 1s
        holdTime: 9s
        keepaliveTime: 3s
        toAdvertise: {allowed: {mode: filtered, prefixes: [%[6]s/32]}}
        toReceive: {allowed: {mode: filtered, prefixes: [{prefix: %[7]s, ge: 32, le: 32}]}}
      prefixes: [%[6]s/32]
    - asn: %[3]d
      vrf: blue
      prefixes: [22.160.0.0/16]
  raw:
    priority: 10
    rawConfig: |
      router bgp %[3]d
       address-family ipv4 unicast
        neighbor %[4]s allowas-in origin
       exit-address-family
       address-family l2vpn evpn
        neighbor %[4]s activate
        neighbor %[4]s allowas-in origin
        advertise-all-vni
        vni 110
         route-target import 65000:110
         route-target export 65000:110
        exit-vni
       exit-address-family
      exit
      !
      vrf blue
       vni 210
      exit-vrf
      !
      router bgp %[3]d vrf blue
       address-family l2vpn evpn
        advertise ipv4 unicast
        route-target import 65000:210
        route-target export 65000:210
       exit-address-family
      exit
      !
`, node, frrk8s.Namespace, lab.NodeASN, tor.Address(true), tor.ASN, endpoint, lab.Endpoints)
}
