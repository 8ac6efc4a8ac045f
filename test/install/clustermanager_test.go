package install

import (
	"errors"
	"fmt"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// clusterManager stands in for OVN-Kubernetes' cluster manager and its flags, as of
// August 2026 (go-controller/pkg/config and pkg/clustermanager): what it does not
// start with, what it says of networks, and with its controller of
// RouteAdvertisements all that ovnKubernetes does.
type clusterManager struct {
	c *cluster
	// routeAdvertisements is --enable-route-advertisements, evpn --enable-evpn, and
	// transport what its configuration file says of the default network.
	routeAdvertisements, evpn bool
	transport                 string
}

var (
	errEVPNNeedsIt      = errors.New("--enable-evpn needs --enable-route-advertisements")
	errNoOverlayNeedsIt = errors.New("transport no-overlay needs --enable-route-advertisements")
)

// start checks the flags, and does what it does after a start. As a process that
// does not start, it leaves all as it is where it refuses the flags.
func (m clusterManager) start() error {
	m.c.t.Helper()
	switch {
	case m.evpn && !m.routeAdvertisements:
		return errEVPNNeedsIt
	case m.transport == ovnk.TransportNoOverlay && !m.routeAdvertisements:
		return errNoOverlayNeedsIt
	}
	if m.routeAdvertisements {
		for _, o := range m.c.atWork() {
			if len(m.c.generatedFor(o.ra)) == 0 {
				o.generate("node-1", m.c.subnet(o, 1))
				o.generate("node-2", m.c.subnet(o, 2))
			}
			o.annotate()
		}
	}
	var networks ovnv1.ClusterUserDefinedNetworkList
	m.c.Expect(m.c.admin.List(m.c.t.Context(), &networks)).To(Succeed())
	for i := range networks.Items {
		m.judge(&networks.Items[i])
	}
	return nil
}

// judge sets the conditions of a network, whose definitions stay whatever they are.
func (m clusterManager) judge(network *ovnv1.ClusterUserDefinedNetwork) {
	m.c.t.Helper()
	set := func(kind, reason string, ok bool) {
		status := metav1.ConditionFalse
		if ok {
			status = metav1.ConditionTrue
		}
		meta.SetStatusCondition(&network.Status.Conditions, metav1.Condition{Type: kind, Status: status, Reason: reason, Message: reason})
	}
	set(ovnv1.ConditionNetworkCreated, "NetworkAttachmentDefinitionCreated", true)
	switch network.Spec.Network.Transport {
	case ovnv1.TransportEVPN:
		if m.evpn {
			set(ovnv1.ConditionTransportAccepted, "EVPNTransportAccepted", true)
		} else {
			set(ovnv1.ConditionNetworkCreated, "EVPNConfigError", false)
			set(ovnv1.ConditionTransportAccepted, "EVPNConfigError", false)
		}
	case ovnv1.TransportNoOverlay:
		if m.routeAdvertisements {
			set(ovnv1.ConditionTransportAccepted, "NoOverlayTransportAccepted", true)
		} else {
			set(ovnv1.ConditionTransportAccepted, "RouteAdvertisementsNotEnabled", false)
		}
	}
	m.c.Expect(m.c.admin.Status().Update(m.c.t.Context(), network, client.FieldOwner("clustermanager"))).To(Succeed())
}

// fourTransports is twoNodes with a default network that has no overlay, and a
// network each with overlay, without, and with EVPN. Each has a RouteAdvertisements
// object of its own.
func (c *cluster) fourTransports() {
	c.t.Helper()
	c.twoNodes()
	ctx := c.t.Context()
	var nad nadv1.NetworkAttachmentDefinition
	c.Expect(c.admin.Get(ctx, client.ObjectKey{Namespace: "ovn-kubernetes", Name: "default"}, &nad)).To(Succeed())
	nad.Spec.Config = `{"cniVersion":"1.1.0","name":"ovn-kubernetes","type":"ovn-k8s-cni-overlay","transport":"no-overlay"}`
	c.Expect(c.admin.Update(ctx, &nad)).To(Succeed())
	for n := range 2 {
		var node corev1.Node
		c.Expect(c.admin.Get(ctx, client.ObjectKey{Name: fmt.Sprintf("node-%d", n+1)}, &node)).To(Succeed())
		node.Annotations[ovnk.AnnotationNodeSubnets] = fmt.Sprintf(`{"default":["10.244.%[1]d.0/24"],"cluster_udn_plain":["10.10.%[1]d.0/24"],`+
			`"cluster_udn_evpn":["10.20.%[1]d.0/24"],"cluster_udn_bare":["10.30.%[1]d.0/24"]}`, n+1)
		node.Annotations[ovnk.AnnotationVTEPs] = fmt.Sprintf(`{"fabric":{"ips":[%q]}}`, endpointOf(node.Name))
		c.Expect(c.admin.Update(ctx, &node)).To(Succeed())
	}
	c.create(&ovnv1.VTEP{ObjectMeta: metav1.ObjectMeta{Name: "fabric"}, Spec: ovnv1.VTEPSpec{Mode: ovnv1.VTEPModeUnmanaged, CIDRs: ovnv1.VTEPCIDRs{"100.64.0.0/24"}}})
	c.network("plain", "10.10.0.0/16", func(*ovnv1.NetworkSpec) {})
	c.network("evpn", "10.20.0.0/16", func(s *ovnv1.NetworkSpec) {
		s.Transport, s.EVPN = ovnv1.TransportEVPN, &ovnv1.EVPNConfig{VTEP: "fabric", IPVRF: &ovnv1.VRFConfig{VNI: 101}}
	})
	c.network("bare", "10.30.0.0/16", func(s *ovnv1.NetworkSpec) {
		s.Transport, s.NoOverlay = ovnv1.TransportNoOverlay, &ovnv1.NoOverlayConfig{OutboundSNAT: ovnv1.SNATEnabled, Routing: ovnv1.RoutingUnmanaged}
	})
}

// network makes a network with its definition in the one namespace that it is for,
// and what advertises it. All of them have the network's name.
func (c *cluster) network(name string, cidr ovnv1.CIDR, adjust func(*ovnv1.NetworkSpec)) {
	c.t.Helper()
	labels := map[string]string{"network": name}
	network := &ovnv1.ClusterUserDefinedNetwork{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}, Spec: ovnv1.ClusterUserDefinedNetworkSpec{
		NamespaceSelector: metav1.LabelSelector{MatchLabels: labels},
		Network: ovnv1.NetworkSpec{Topology: ovnv1.NetworkTopologyLayer3,
			Layer3: &ovnv1.Layer3Config{Role: ovnv1.NetworkRolePrimary, Subnets: []ovnv1.Layer3Subnet{{CIDR: cidr, HostSubnet: 24}}}},
	}}
	adjust(&network.Spec.Network)
	targetVRF := ""
	if network.Spec.Network.Transport == ovnv1.TransportEVPN {
		targetVRF = ovnv1.TargetVRFAuto
	}
	c.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}, network)
	owns := true
	c.Expect(c.upstream.Create(c.t.Context(),
		&nadv1.NetworkAttachmentDefinition{ObjectMeta: metav1.ObjectMeta{
			Namespace: name, Name: name, Labels: map[string]string{ovnk.LabelUserDefinedNetwork: ""},
			Annotations:     map[string]string{ovnk.AnnotationNetworkName: ovnk.NetworkName(name)},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "k8s.ovn.org/v1", Kind: ovnk.CUDNKind, Name: name, UID: network.UID, Controller: &owns}},
		}})).To(Succeed())
	c.create(
		&ovnv1.RouteAdvertisements{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: ovnv1.RouteAdvertisementsSpec{
			NetworkSelectors: ovnv1.NetworkSelectors{{NetworkSelectionType: ovnv1.ClusterUserDefinedNetworks,
				ClusterUserDefinedNetworkSelector: &ovnv1.ClusterUserDefinedNetworkSelector{NetworkSelector: metav1.LabelSelector{MatchLabels: labels}}}},
			FRRConfigurationSelector: metav1.LabelSelector{MatchLabels: map[string]string{"use": "fabric"}},
			Advertisements:           []ovnv1.AdvertisementType{ovnv1.AdvertisePodNetwork},
			TargetVRF:                targetVRF,
		}})
}

// atWork is what OVN-Kubernetes does for each object of fourTransports.
func (c *cluster) atWork() []ovnKubernetes {
	out := []ovnKubernetes{c.forPods()}
	for _, name := range []string{"plain", "evpn", "bare"} {
		out = append(out, ovnKubernetes{c: c, ra: name, vrf: name, evpn: name == "evpn",
			network: client.ObjectKey{Namespace: name, Name: name}, annotation: fmt.Sprintf("[%q]", name)})
	}
	return out
}

func (c *cluster) subnet(o ovnKubernetes, node int) string {
	second := map[string]int{"pods": 244, "plain": 10, "evpn": 20, "bare": 30}[o.ra]
	return fmt.Sprintf("10.%d.%d.0/24", second, node)
}

// generatedFor are OVN-Kubernetes' own objects for one.
func (c *cluster) generatedFor(ra string) []frrk8sv1beta1.FRRConfiguration {
	c.t.Helper()
	var list frrk8sv1beta1.FRRConfigurationList
	c.Expect(c.admin.List(c.t.Context(), &list, client.MatchingLabels{ovnk.LabelRouteAdvertisements: ra})).To(Succeed())
	return list.Items
}

// theirs is all that OVN-Kubernetes' controller and nodes go by for an object, but
// for what a new copy of the same would have of its own: to be compared.
func (c *cluster) theirs(o ovnKubernetes) map[string]any {
	c.t.Helper()
	out := map[string]any{}
	for _, f := range c.generatedFor(o.ra) {
		out["node "+f.Spec.NodeSelector.MatchLabels[model.LabelHostname]] = f.Spec
	}
	var ra ovnv1.RouteAdvertisements
	c.Expect(c.admin.Get(c.t.Context(), client.ObjectKey{Name: o.ra}, &ra)).To(Succeed())
	out["spec"], out["status"] = ra.Spec, ra.Status.Status
	for _, condition := range ra.Status.Conditions {
		out["condition "+condition.Type] = fmt.Sprint(condition.Status, condition.Reason, condition.Message)
	}
	var nad nadv1.NetworkAttachmentDefinition
	c.Expect(c.admin.Get(c.t.Context(), o.network, &nad)).To(Succeed())
	out["annotations"] = nad.Annotations
	var network ovnv1.ClusterUserDefinedNetwork
	if o.vrf != "" {
		c.Expect(c.admin.Get(c.t.Context(), client.ObjectKey{Name: o.vrf}, &network)).To(Succeed())
	}
	for _, condition := range network.Status.Conditions {
		out["network's "+condition.Type] = fmt.Sprint(condition.Status, condition.Reason)
	}
	return out
}
