package rbac_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

func node(n int) *corev1.Node {
	name := fmt.Sprintf("node-%d", n)
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{
		Name: name, Labels: map[string]string{model.LabelHostname: name},
		Annotations: map[string]string{
			ovnk.AnnotationNodeSubnets:    fmt.Sprintf(`{"default":["10.244.%d.0/24"]}`, n),
			ovnk.AnnotationPrimaryAddress: fmt.Sprintf(`{"ipv4":"172.18.0.%d/16"}`, n),
			"k8s.ovn.org/l3-gateway-config": fmt.Sprintf(
				`{"default":{"mode":"shared","bridge-id":"br-ex","ip-addresses":["172.18.0.%d/16"]}}`, n),
		},
	}}
}

func template() *frrk8sv1beta1.FRRConfiguration {
	return &frrk8sv1beta1.FRRConfiguration{
		ObjectMeta: metav1.ObjectMeta{Namespace: frrNamespace, Name: "fabric", Labels: map[string]string{"use": "fabric"}},
		Spec: frrk8sv1beta1.FRRConfigurationSpec{BGP: frrk8sv1beta1.BGPConfig{Routers: []frrk8sv1beta1.Router{{
			ASN: 64512, Neighbors: []frrk8sv1beta1.Neighbor{{Address: "192.0.2.1", ASN: 64513}},
		}}}},
	}
}

func advertisement() *ovnv1.RouteAdvertisements {
	return &ovnv1.RouteAdvertisements{
		ObjectMeta: metav1.ObjectMeta{Name: "pods"},
		Spec: ovnv1.RouteAdvertisementsSpec{
			NetworkSelectors:         ovnv1.NetworkSelectors{{NetworkSelectionType: ovnv1.DefaultNetwork}},
			FRRConfigurationSelector: metav1.LabelSelector{MatchLabels: map[string]string{"use": "fabric"}},
			Advertisements:           []ovnv1.AdvertisementType{ovnv1.AdvertisePodNetwork},
		},
	}
}

func network(name, cidr string) *ovnv1.ClusterUserDefinedNetwork {
	return &ovnv1.ClusterUserDefinedNetwork{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: ovnv1.ClusterUserDefinedNetworkSpec{
			NamespaceSelector: metav1.LabelSelector{MatchLabels: map[string]string{"tenant": name}},
			Network: ovnv1.NetworkSpec{
				Topology: ovnv1.NetworkTopologyLayer3,
				Layer3: &ovnv1.Layer3Config{
					Role: ovnv1.NetworkRolePrimary, Subnets: []ovnv1.Layer3Subnet{{CIDR: ovnv1.CIDR(cidr), HostSubnet: 24}},
				},
			},
		},
	}
}

// expectLeast compares what a user asked for with what its role grants.
func expectLeast(user, role string) {
	GinkgoHelper()
	asked, refused := requests.of(user)
	rights := granted(role)
	GinkgoWriter.Printf("%s asked for:\n", user)
	for _, r := range asked {
		GinkgoWriter.Println(" ", r)
	}
	Expect(texts(refused)).To(BeEmpty(), "the role lacks something")
	Expect(texts(uncovered(asked, rights))).To(BeEmpty(), "something else than the role grants it")
	Expect(texts(superfluous(asked, rights))).To(BeEmpty(), "the role grants what nothing needs")
	AddReportEntry(fmt.Sprintf("%s: %d rights, %d kinds of requests", role, len(rights), len(asked)))
}

func texts(rights []right) []string {
	var out []string
	for _, r := range rights {
		out = append(out, r.String())
	}
	return out
}

// asks waits until a user has asked for something.
func asks(user string, wanted ...right) {
	GinkgoHelper()
	Eventually(func() []right {
		asked, _ := requests.of(user)
		var missing []right
		for _, r := range wanted {
			if len(uncovered(asked, []right{r})) == len(asked) {
				missing = append(missing, r)
			}
		}
		return missing
	}).Should(BeEmpty())
}

var _ = Describe("The rights are the least that works", Ordered, ContinueOnFailure, func() {
	It("for the manager", func(ctx context.Context) {
		user := managerAccount.user()
		metrics := controlplane.FreeAddress(GinkgoT())
		hook := controlplane.Shipped(GinkgoT(), "webhook/validatingwebhookconfiguration.yaml")[0]
		create(ctx, hook, node(1), node(2))
		first := startManager(ctx, "--metrics-bind-address="+metrics, "--manage-vteps")

		By("advertising, with an annotation of the network")
		defaultNAD := &nadv1.NetworkAttachmentDefinition{ObjectMeta: metav1.ObjectMeta{Namespace: "ovn-kubernetes", Name: "default"}}
		fabric, ra := template(), advertisement()
		create(ctx, defaultNAD, fabric, ra)
		accepted := func(want metav1.ConditionStatus) {
			GinkgoHelper()
			Eventually(func() bool {
				Expect(admin.Get(ctx, client.ObjectKeyFromObject(ra), ra)).To(Succeed())
				return meta.IsStatusConditionPresentAndEqual(ra.Status.Conditions, "Accepted", want)
			}).Should(BeTrue())
		}
		accepted(metav1.ConditionTrue)
		asks(user, right{verb: "patch", group: "k8s.cni.cncf.io", resource: "network-attachment-definitions"})

		By("reporting on a policy")
		create(ctx, &v1alpha1.RoutePolicy{ObjectMeta: metav1.ObjectMeta{Name: "policy"}, Spec: v1alpha1.RoutePolicySpec{
			TargetRefs: []v1alpha1.PolicyTargetReference{{Group: "k8s.ovn.org", Kind: "RouteAdvertisements", Name: ra.Name}},
			Rules:      []v1alpha1.PolicyRule{{Set: &v1alpha1.PolicyAttributes{Communities: []v1alpha1.PolicyCommunity{"64512:100"}}}},
		}})
		asks(user, right{verb: "patch", group: "ovnbgp.io", resource: "routepolicies/status"})

		By("reporting on nodes that drain")
		create(ctx, &v1alpha1.DrainPolicy{ObjectMeta: metav1.ObjectMeta{Name: "drain"}})
		asks(user, right{verb: "patch", group: "ovnbgp.io", resource: "drainpolicies/status"})

		By("withdrawing")
		Expect(admin.Delete(ctx, fabric)).To(Succeed())
		accepted(metav1.ConditionFalse)
		asks(user, right{verb: "delete", group: "frrk8s.metallb.io", resource: "frrconfigurations"},
			right{verb: "create", group: "events.k8s.io", resource: "events"})

		By("managing the routing of a network")
		managed := network("managed", "10.50.0.0/16")
		managed.Spec.Network.Transport = ovnv1.TransportNoOverlay
		managed.Spec.Network.NoOverlay = &ovnv1.NoOverlayConfig{OutboundSNAT: ovnv1.SNATEnabled, Routing: ovnv1.RoutingManaged}
		create(ctx, managed)
		asks(user, right{verb: "create", group: "k8s.ovn.org", resource: "routeadvertisements"})
		Expect(admin.Delete(ctx, managed)).To(Succeed())
		asks(user, right{verb: "delete", group: "k8s.ovn.org", resource: "routeadvertisements"})

		By("giving nodes addresses")
		create(ctx, &ovnv1.VTEP{ObjectMeta: metav1.ObjectMeta{Name: "evpn"}, Spec: ovnv1.VTEPSpec{CIDRs: ovnv1.VTEPCIDRs{"100.64.0.0/24"}}})
		asks(user, right{verb: "patch", group: "k8s.ovn.org", resource: "vteps/status"})

		By("publishing what nodes do, and removing it with the node")
		Eventually(func() error {
			return admin.Get(ctx, client.ObjectKey{Name: "node-2"}, &v1alpha1.NodeNetworks{})
		}).Should(Succeed())
		Expect(admin.Delete(ctx, node(2))).To(Succeed())
		asks(user, right{verb: "delete", group: "ovnbgp.io", resource: "nodenetworks"})

		By("serving metrics")
		Eventually(func() int { return scrape(ctx, metrics, scraper.token(ctx)) }).Should(Equal(http.StatusForbidden))

		By("handing over")
		secret := &corev1.Secret{}
		Eventually(func() error {
			return admin.Get(ctx, types.NamespacedName{Namespace: managerHome, Name: "ovn-bgp-operator-webhook"}, secret)
		}).Should(Succeed())
		first.Terminate()
		Eventually(first).Should(exit())
		startManager(ctx, "--metrics-bind-address=0")
		asks(user, right{verb: "update", group: "coordination.k8s.io", resource: "leases"})

		By("replacing the webhook's certificate")
		secret.Data[corev1.TLSPrivateKeyKey] = []byte("broken")
		Expect(admin.Update(ctx, secret)).To(Succeed())
		asks(user, right{verb: "update", resource: "secrets", name: secret.Name})

		expectLeast(user, "rbac/role.yaml")
	})

	It("for the agent", func(ctx context.Context) {
		user := agentAccount.user()
		metrics := controlplane.FreeAddress(GinkgoT())
		told := &v1alpha1.NodeNetworks{ObjectMeta: metav1.ObjectMeta{Name: agentAccount.node}, Spec: v1alpha1.NodeNetworksSpec{
			NodeUID: "b4cd5bb2-4a3c-4b7e-9b76-4b4bb33d3a6f", Networks: []v1alpha1.NodeNetwork{{Name: "default", Topology: "Layer3"}, {
				// There is an event about what is amiss.
				Name: "cluster_udn_blue", Topology: "Layer3", Problem: "its VRF is not known yet",
			}},
		}}
		// The manager, which is gone, may have left its own.
		Expect(client.IgnoreNotFound(admin.Delete(ctx, told.DeepCopy()))).To(Succeed())
		create(ctx, node(1), told)
		startAgent(ctx, "--metrics-bind-address="+metrics, "--manage-snat")

		var state v1alpha1.NodeRouteState
		Eventually(func(g Gomega) {
			g.Expect(admin.Get(ctx, client.ObjectKey{Name: agentAccount.node}, &state)).To(Succeed())
			g.Expect(state.Status.Networks).NotTo(BeEmpty())
		}).Should(Succeed())
		DeferCleanup(func(ctx context.Context) { Expect(admin.Delete(ctx, &state)).To(Succeed()) })
		Eventually(func() []eventsv1.Event {
			var events eventsv1.EventList
			Expect(admin.List(ctx, &events, client.InNamespace("default"))).To(Succeed())
			var own []eventsv1.Event
			for _, e := range events.Items {
				if e.ReportingController == "ovn-bgp-operator/agent" {
					own = append(own, e)
				}
			}
			return own
		}).ShouldNot(BeEmpty())
		Eventually(func() int { return scrape(ctx, metrics, scraper.token(ctx)) }).Should(Equal(http.StatusForbidden))

		expectLeast(user, "agent/role.yaml")
	})

	It("so that an agent can list nothing of the cluster", func(ctx context.Context) {
		agent := agentAccount.as(ctx)
		for _, list := range []client.ObjectList{
			&v1alpha1.NodeNetworksList{}, &v1alpha1.NodeRouteStateList{}, &ovnv1.ClusterUserDefinedNetworkList{}, &ovnv1.RouteAdvertisementsList{},
			&ovnv1.EgressIPList{}, &frrk8sv1beta1.FRRConfigurationList{}, &nadv1.NetworkAttachmentDefinitionList{},
			&corev1.NodeList{}, &corev1.NamespaceList{}, &corev1.PodList{}, &corev1.SecretList{}, &corev1.ConfigMapList{}, &eventsv1.EventList{},
		} {
			refused(agent.List(ctx, list), "cannot list")
		}
		refused(agent.Get(ctx, client.ObjectKey{Name: "node-1"}, &corev1.Node{}), "cannot get")
		refused(agent.Create(ctx, &v1alpha1.NodeNetworks{ObjectMeta: metav1.ObjectMeta{Name: "node-1"}}), "cannot create")
	})

	It("which a right too many or too few would show", func() {
		rights := []right{{verb: "list", resource: "nodes"}, {verb: "get", resource: "secrets", namespace: "a", name: "b"}}
		Expect(superfluous([]right{{verb: "list", resource: "nodes"}}, rights)).To(ConsistOf(rights[1]))
		Expect(uncovered([]right{{verb: "get", resource: "secrets", namespace: "a", name: "c"}, {verb: "list", resource: "nodes", namespace: "x"}}, rights)).
			To(ConsistOf(right{verb: "get", resource: "secrets", namespace: "a", name: "c"}))
	})
})
