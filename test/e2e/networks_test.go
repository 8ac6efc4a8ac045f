package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
)

// network is a primary ClusterUserDefinedNetwork of one namespace, which has
// the network's name as well.
type network struct {
	// cudn is the object's name, and its label "network".
	cudn string
	id   int
	// subnets of both families; those of the lab's are used.
	subnets  []netip.Prefix
	topology cni.Topology
	// routing is that of a network without an overlay: Managed or Unmanaged.
	routing string
	// outboundSNAT has its pods leave with their nodes' addresses.
	outboundSNAT bool
	// evpn is set where its transport is EVPN.
	evpn *cni.EVPN
}

// theDefault is the network of all other namespaces.
var theDefault = network{}

// name is OVN-Kubernetes' name of the network.
func (n network) name() string {
	if n.cudn == "" {
		return cni.Default
	}
	return "cluster_udn_" + n.cudn
}

// gatewayRouter is the network's on a node.
func (n network) gatewayRouter(node string) string {
	if n.cudn == "" {
		return "GR_" + node
	}
	return "GR_" + strings.ReplaceAll(n.name(), "-", ".") + "_" + node
}

// nad is the network's definition in its namespace.
func (n network) nad() string { return n.cudn + "/" + n.cudn }

// manifest is the object that a user applies.
func (n network) manifest(l *lab.Lab) string {
	var subnets []string
	for _, subnet := range within(l, n.subnets) {
		if n.topology == cni.Layer2 {
			subnets = append(subnets, subnet.String())
			continue
		}
		hostSubnet := 24
		if !subnet.Addr().Is4() {
			hostSubnet = 64
		}
		subnets = append(subnets, fmt.Sprintf("{cidr: %q, hostSubnet: %d}", subnet, hostSubnet))
	}
	topology, block, rest := "Layer3", "layer3", ""
	if n.topology == cni.Layer2 {
		topology, block = "Layer2", "layer2"
	}
	if n.routing != "" {
		outbound := map[bool]string{true: "Enabled", false: "Disabled"}[n.outboundSNAT]
		rest = fmt.Sprintf("\n    transport: NoOverlay\n    noOverlay: {outboundSNAT: %s, routing: %s}", outbound, n.routing)
	}
	if n.evpn != nil {
		rest = fmt.Sprintf("\n    transport: EVPN\n    evpn: {vtep: %s%s%s}", n.evpn.VTEP, vpnManifest("macVRF", n.evpn.MACVRF), vpnManifest("ipVRF", n.evpn.IPVRF))
	}
	return fmt.Sprintf(`
apiVersion: k8s.ovn.org/v1
kind: ClusterUserDefinedNetwork
metadata:
  name: %[1]s
  labels: {network: %[1]s}
spec:
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %[1]s}}
  network:
    topology: %[2]s
    %[3]s: {role: Primary, subnets: [%[4]s]}%[5]s
`, n.cudn, topology, block, strings.Join(subnets, ", "), rest)
}

func vpnManifest(name string, v *cni.VPN) string {
	switch {
	case v == nil:
		return ""
	case v.RouteTarget == "":
		return fmt.Sprintf(", %s: {vni: %d}", name, v.VNI)
	}
	return fmt.Sprintf(", %s: {vni: %d, routeTarget: %q}", name, v.VNI, v.RouteTarget)
}

// selector selects the network in RouteAdvertisements.
func (n network) selector() string { return networksLabelled("network", n.cudn) }

// startNetwork makes a network, in the API and on the nodes, and removes it
// after the spec.
func startNetwork(ctx context.Context, l *lab.Lab, n network) {
	GinkgoHelper()
	// Namespaces stay: without a controller for them they can't be deleted.
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: n.cudn, Labels: map[string]string{"k8s.ovn.org/primary-user-defined-network": ""},
	}}
	if err := l.Kube.Client.Create(ctx, namespace); !apierrors.IsAlreadyExists(err) {
		Expect(err).NotTo(HaveOccurred())
	}
	DeferCleanup(func(ctx context.Context) {
		Expect(l.CNI.RemoveNetwork(ctx, n.name())).To(Succeed())
		Expect(l.CNI.Publish(ctx, l.Kube.Client, nil)).To(Succeed())
	})
	apply(ctx, l, n.manifest(l))
	Expect(l.CNI.AddNetwork(ctx, cni.Network{
		Name: n.name(), ID: n.id, Topology: n.topology, Subnets: within(l, n.subnets),
		NoOverlay: n.routing != "", OutboundSNAT: n.outboundSNAT, EVPN: n.evpn,
	})).To(Succeed())
	Expect(l.CNI.Publish(ctx, l.Kube.Client, map[string][]string{n.name(): {n.cudn}})).To(Succeed())
}

// podOf is a pod of a network.
func (n network) podOf(name, node string) cni.PodSpec {
	if n.cudn == "" {
		return cni.PodSpec{Namespace: "default", Name: name, Node: node}
	}
	return cni.PodSpec{Namespace: n.cudn, Name: name, Node: node, Network: n.name(), NAD: n.nad()}
}

// expectNetworkRowVia waits until a node's agent has one row of the network to
// a prefix, on the network's own gateway router, by one of the addresses that
// the next hop has.
func expectNetworkRowVia(ctx context.Context, l *lab.Lab, n network, node string, prefix netip.Prefix, via ...netip.Addr) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) ([]row, error) {
		rows, err := rowsTo(ctx, l, node, prefix)
		return slices.DeleteFunc(rows, func(r row) bool { return r.Network != n.name() }), err
	}).Should(ConsistOf(And(
		HaveField("NextHop", BeElementOf(via)),
		HaveField("OutputPort", "rtoe-"+n.gatewayRouter(node)),
	)), "the row of %s to %s on %s", n.name(), prefix, node)
}

// advertisedBy are the RouteAdvertisements that the manager wrote on the
// network's definition.
func (n network) advertisedBy(ctx context.Context, l *lab.Lab) ([]string, error) {
	var definition nadv1.NetworkAttachmentDefinition
	if err := l.Kube.Client.Get(ctx, client.ObjectKey{Namespace: n.cudn, Name: n.cudn}, &definition); err != nil {
		return nil, err
	}
	var names []string
	value := definition.Annotations["k8s.ovn.org/route-advertisements"]
	if value == "" {
		return nil, nil
	}
	err := json.Unmarshal([]byte(value), &names)
	return names, err
}
