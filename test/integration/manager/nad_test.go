package manager_test

import (
	"context"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
)

func advertisedBy(ctx context.Context, o *nadv1.NetworkAttachmentDefinition) string {
	GinkgoHelper()
	Expect(admin.Get(ctx, client.ObjectKeyFromObject(o), o)).To(Succeed())
	return o.Annotations[ovnk.AnnotationRouteAdvertisements]
}

// andDefault selects the default network, and others by their label.
func andDefault(label string) func(*ovnv1.RouteAdvertisementsSpec) {
	return func(spec *ovnv1.RouteAdvertisementsSpec) {
		byDefault := spec.NetworkSelectors
		objects.OfNetworks(map[string]string{"advertise": label})(spec)
		spec.NetworkSelectors = append(spec.NetworkSelectors, byDefault...)
	}
}

var _ = Describe("The annotation of NetworkAttachmentDefinitions", func() {
	var manager *instance

	BeforeEach(func(ctx context.Context) {
		reset(ctx)
		create(ctx, objects.Node(1), objects.Template("fabric", 64512), objects.Advertisement("pods"))
	})

	It("is written for the default network where its definition is there", func(ctx context.Context) {
		defaultNAD := nad(ovnNamespace, "default", "")
		defaultNAD.Annotations = map[string]string{"example.com/note": "x"}
		create(ctx, defaultNAD)
		manager = start(operator.Config)
		manager.expect(map[string]int{applyConfig: 1, applyStatus: 1, patchNAD: 1})
		Expect(advertisedBy(ctx, defaultNAD)).To(Equal(`["pods"]`))

		create(ctx, objects.Advertisement("again"))
		manager.settle()
		Expect(advertisedBy(ctx, defaultNAD)).To(Equal(`["again","pods"]`))

		remove(ctx, objects.Advertisement("again"))
		remove(ctx, objects.Advertisement("pods"))
		Eventually(func() string { return advertisedBy(ctx, defaultNAD) }).Should(BeEmpty())
		Expect(defaultNAD.Annotations).To(Equal(map[string]string{"example.com/note": "x"}), "nothing of the operator's is left")
	})

	It("follows the networks, and leaves what others wrote", func(ctx context.Context) {
		manager = start(operator.Config)
		manager.expect(map[string]int{applyConfig: 1, applyStatus: 1})
		definition := nad(objects.FRRNamespace, "blue", "cluster_udn_blue")
		definition.Annotations[ovnk.AnnotationRouteAdvertisements] = `["somebody-elses"]`
		create(ctx, definition)
		manager.expect(nil)

		create(ctx, blue(), objects.Advertisement("blue", objects.OfNetworks(map[string]string{"advertise": "yes"})))
		Eventually(func() string { return advertisedBy(ctx, definition) }).Should(Equal(`["blue","somebody-elses"]`))
		manager.settle()

		change(ctx, definition, func(o *nadv1.NetworkAttachmentDefinition) {
			o.Annotations[ovnk.AnnotationRouteAdvertisements] = `["another"]`
		})
		manager.expect(map[string]int{patchNAD: 1})
		Expect(advertisedBy(ctx, definition)).To(Equal(`["another","blue"]`))

		change(ctx, blue(), func(c *ovnv1.ClusterUserDefinedNetwork) { c.Labels = nil })
		Eventually(func() string { return advertisedBy(ctx, definition) }).Should(Equal(`["another"]`))
	})

	// OVN-Kubernetes' nodes stop reading at the first one that is not Accepted.
	It("lists what is Accepted and nothing else, also while that changes", func(ctx context.Context) {
		defaultNAD := nad(ovnNamespace, "default", "")
		create(ctx, defaultNAD)
		clashing := objects.Template("clashing", 64999)
		clashing.Labels = map[string]string{"use": "clashing"}
		bad := objects.Advertisement("rejected", func(spec *ovnv1.RouteAdvertisementsSpec) {
			spec.FRRConfigurationSelector.MatchLabels = clashing.Labels
		})
		manager = start(operator.Config)
		Eventually(func() string { return advertisedBy(ctx, defaultNAD) }).Should(Equal(`["pods"]`))
		create(ctx, clashing, bad)
		Eventually(func() metav1.ConditionStatus { return condition(ctx, "rejected", status.Accepted).Status }).Should(Equal(metav1.ConditionFalse))
		manager.settle()
		Expect(advertisedBy(ctx, defaultNAD)).To(Equal(`["pods"]`))

		By("mending it")
		change(ctx, clashing, func(o *frrk8sv1beta1.FRRConfiguration) { o.Spec.BGP.Routers[0].ASN = 64512 })
		Eventually(func() string { return advertisedBy(ctx, defaultNAD) }).Should(Equal(`["pods","rejected"]`))
		By("breaking it again")
		change(ctx, clashing, func(o *frrk8sv1beta1.FRRConfiguration) { o.Spec.BGP.Routers[0].ASN = 64999 })
		Eventually(func() string { return advertisedBy(ctx, defaultNAD) }).Should(Equal(`["pods"]`))
	})

	// What is listed counts as advertised: pods' addresses are no longer translated.
	It("lists only what some node advertises, and keeps that while a node is not known", func(ctx context.Context) {
		defaultNAD, definition := nad(ovnNamespace, "default", ""), nad(objects.FRRNamespace, "blue", "cluster_udn_blue")
		both := objects.Advertisement("both", andDefault("yes"))
		subnets := func(value string) func(*corev1.Node) {
			return func(o *corev1.Node) { o.Annotations[ovnk.AnnotationNodeSubnets] = value }
		}
		change(ctx, objects.Node(1), subnets(`{"default":"10.244.1.0/24"}`))
		create(ctx, defaultNAD, definition, blue(), both)
		manager = start(operator.Config)
		Eventually(func() string { return advertisedBy(ctx, defaultNAD) }).Should(Equal(`["both","pods"]`))
		manager.settle()
		Expect(condition(ctx, "both", status.Accepted).Status).To(Equal(metav1.ConditionTrue))
		Expect(advertisedBy(ctx, definition)).To(BeEmpty(), "no node has a part of it")

		By("giving one of two nodes a part of it")
		other := objects.Node(2)
		subnets(`{"default":"10.244.2.0/24","cluster_udn_blue":"10.10.2.0/24"}`)(other)
		create(ctx, other)
		Eventually(func() string { return advertisedBy(ctx, definition) }).Should(Equal(`["both"]`))

		By("breaking that node, which keeps what was applied")
		change(ctx, other, subnets("broken"))
		manager.settle()
		Expect(advertisedBy(ctx, definition)).To(Equal(`["both"]`))

		By("starting another manager, which knows of no node at first")
		version := definition.ResourceVersion
		manager.stop()
		manager = start(operator.Config)
		manager.settle()
		Expect(advertisedBy(ctx, definition)).To(Equal(`["both"]`))
		Expect(definition.ResourceVersion).To(Equal(version), "it was not written in between, either")

		By("mending it without the network")
		change(ctx, other, subnets(`{"default":"10.244.2.0/24"}`))
		Eventually(func() string { return advertisedBy(ctx, definition) }).Should(BeEmpty())
		Expect(advertisedBy(ctx, defaultNAD)).To(Equal(`["both","pods"]`))
	})

	It("does not list what every node holds back, though the object is Accepted", func(ctx context.Context) {
		defaultNAD, definition := nad(ovnNamespace, "default", ""), nad(objects.FRRNamespace, "flat", "cluster_udn_flat")
		overlapping := flat()
		overlapping.Spec.Network.Layer2.Subnets = ovnv1.DualStackCIDRs{"10.244.0.0/16"}
		create(ctx, defaultNAD, definition, overlapping, objects.Advertisement("both", andDefault("flat")))
		manager = start(operator.Config)
		Eventually(func() string { return advertisedBy(ctx, defaultNAD) }).Should(Equal(`["both","pods"]`))
		Eventually(condition).WithArguments(ctx, "both", status.Rendered).Should(HaveField("Message", ContainSubstring("10.244.1.0/24")))
		Expect(condition(ctx, "both", status.Accepted).Status).To(Equal(metav1.ConditionTrue))
		manager.settle()
		Expect(advertisedBy(ctx, definition)).To(BeEmpty(), "it overlaps the default network's part of the only node")

		By("adding a node where it doesn't")
		other := objects.Node(2)
		other.Annotations[ovnk.AnnotationNodeSubnets] = `{"default":"10.245.2.0/24"}`
		create(ctx, other)
		Eventually(func() string { return advertisedBy(ctx, definition) }).Should(Equal(`["both"]`))

		By("removing that node")
		remove(ctx, other)
		Eventually(func() string { return advertisedBy(ctx, definition) }).Should(BeEmpty())
		Expect(advertisedBy(ctx, defaultNAD)).To(Equal(`["both","pods"]`))
	})

	// What a node would advertise if it could be planned is not what was applied there.
	It("does not list what only a node that keeps what was applied would advertise", func(ctx context.Context) {
		was, comes := nad(objects.FRRNamespace, "blue", "cluster_udn_blue"), nad(objects.FRRNamespace, "green", "cluster_udn_green")
		green := blue()
		green.Name, green.Spec.Network.Layer3.Subnets[0].CIDR = "green", "10.20.0.0/16"
		create(ctx, was, comes, blue(), green, objects.Advertisement("tenants", objects.OfNetworks(map[string]string{"advertise": "yes"})))
		manager = start(operator.Config)
		Eventually(func() string { return advertisedBy(ctx, was) }).Should(Equal(`["tenants"]`))

		By("taking the node's part of the default network away while a part of another comes")
		subnets := func(value string) func(*corev1.Node) {
			return func(o *corev1.Node) { o.Annotations[ovnk.AnnotationNodeSubnets] = value }
		}
		change(ctx, objects.Node(1), subnets(`{"cluster_udn_blue":"10.10.1.0/24","cluster_udn_green":"10.20.1.0/24"}`))
		Eventually(condition).WithArguments(ctx, "tenants", status.Rendered).Should(HaveField("Status", metav1.ConditionFalse))
		manager.settle()
		Expect(prefixes(ctx)).To(HaveKeyWithValue("node-1", ConsistOf("10.10.1.0/24", "10.244.1.0/24")))
		Expect(condition(ctx, "tenants", status.Accepted).Status).To(Equal(metav1.ConditionTrue))
		Expect(advertisedBy(ctx, comes)).To(BeEmpty(), "no neighbor is told of it")
		Expect(advertisedBy(ctx, was)).To(Equal(`["tenants"]`), "neighbors are still told of it")

		By("mending it")
		change(ctx, objects.Node(1), subnets(`{"default":"10.244.1.0/24","cluster_udn_blue":"10.10.1.0/24","cluster_udn_green":"10.20.1.0/24"}`))
		Eventually(func() string { return advertisedBy(ctx, comes) }).Should(Equal(`["tenants"]`))
	})

	It("lists objects for egress IPs alone wherever they select the network", func(ctx context.Context) {
		definition := nad(objects.FRRNamespace, "blue", "cluster_udn_blue")
		create(ctx, definition, blue(), objects.Advertisement("egress", objects.OfNetworks(map[string]string{"advertise": "yes"}), ofEgressIPs))
		manager = start(operator.Config)
		Eventually(func() string { return advertisedBy(ctx, definition) }).Should(Equal(`["egress"]`), "no egress IP is assigned yet")
	})

	It("that can't be written shows in the condition, and is tried again", func(ctx context.Context) {
		restore := limit(ctx, "network-attachment-definitions", "patch")
		defaultNAD := nad(ovnNamespace, "default", "")
		create(ctx, defaultNAD)
		manager = start(operator.Config)
		Eventually(func() string { return condition(ctx, "pods", status.Rendered).Message }).Should(
			And(ContainSubstring("ovn-kubernetes/default"), ContainSubstring("forbidden")))
		restore()
		Eventually(func() string { return advertisedBy(ctx, defaultNAD) }).Should(Equal(`["pods"]`))
		Eventually(func() string { return condition(ctx, "pods", status.Rendered).Message }).ShouldNot(ContainSubstring("forbidden"))
	})
})
