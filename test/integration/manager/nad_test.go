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
		both := objects.Advertisement("both", objects.OfNetworks(map[string]string{"advertise": "yes"}), func(spec *ovnv1.RouteAdvertisementsSpec) {
			spec.NetworkSelectors = append(spec.NetworkSelectors, objects.Advertisement("").Spec.NetworkSelectors...)
		})
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
		manager.stop()
		manager = start(operator.Config)
		manager.expect(nil)
		Expect(advertisedBy(ctx, definition)).To(Equal(`["both"]`))

		By("mending it without the network")
		change(ctx, other, subnets(`{"default":"10.244.2.0/24"}`))
		Eventually(func() string { return advertisedBy(ctx, definition) }).Should(BeEmpty())
		Expect(advertisedBy(ctx, defaultNAD)).To(Equal(`["both","pods"]`))
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
