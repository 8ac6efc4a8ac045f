package manager_test

import (
	"context"
	"path/filepath"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
)

// advertisedOn are the networks that a node's NodeNetworks says are advertised.
func advertisedOn(ctx context.Context, node string) func() []string {
	return func() []string {
		var object v1alpha1.NodeNetworks
		if err := admin.Get(ctx, client.ObjectKey{Name: node}, &object); err != nil {
			return []string{err.Error()}
		}
		out := []string{}
		for i := range object.Spec.Networks {
			if n := &object.Spec.Networks[i]; len(n.AdvertisedIn) > 0 {
				out = append(out, n.Name)
			}
		}
		return out
	}
}

func installNetworksCRD(plane *controlplane.ControlPlane) {
	GinkgoHelper()
	_, err := envtest.InstallCRDs(plane.Config, envtest.CRDInstallOptions{
		Paths: []string{filepath.Join(repoRoot, "config", "crd", "bases", "ovnbgp.io_nodenetworks.yaml")}, ErrorIfPathMissing: true,
	})
	Expect(err).NotTo(HaveOccurred())
}

var _ = Describe("NodeNetworks", func() {
	BeforeEach(reset)

	It("don't say that a network is advertised whose plan the server refuses", func(ctx context.Context) {
		node, green := objects.Node(1), blue()
		green.Name, green.Spec.Network.Layer3.Subnets[0].CIDR = "green", "10.20.0.0/16"
		deny(ctx, "10.20.1.0/24")
		create(ctx, node, objects.Template("fabric", 64512), blue(), objects.Advertisement("tenants", objects.OfNetworks(map[string]string{"advertise": "yes"})))
		manager := start(operator.Config)
		Eventually(advertisedOn(ctx, node.Name)).Should(ConsistOf("cluster_udn_blue"))
		manager.settle()

		create(ctx, green)
		change(ctx, node, func(o *corev1.Node) {
			o.Annotations[ovnk.AnnotationNodeSubnets] = `{"default":"10.244.1.0/24","cluster_udn_blue":"10.10.1.0/24","cluster_udn_green":"10.20.1.0/24"}`
		})
		Eventually(condition).WithArguments(ctx, "tenants", status.Rendered).Should(HaveField("Message", ContainSubstring("belongs to another site")))
		manager.settle()
		Expect(prefixes(ctx)).To(HaveKeyWithValue("node-1", ConsistOf("10.10.1.0/24")), "what was applied stays")
		Expect(advertisedOn(ctx, node.Name)()).To(ConsistOf("cluster_udn_blue"))

		By("adding a network that has nothing to do with it")
		other := blue()
		other.Name, other.Labels, other.Spec.Network.Layer3.Subnets[0].CIDR = "other", nil, "10.30.0.0/16"
		create(ctx, other)
		Eventually(func(g Gomega) {
			var object v1alpha1.NodeNetworks
			g.Expect(admin.Get(ctx, client.ObjectKey{Name: node.Name}, &object)).To(Succeed())
			g.Expect(object.Spec.Networks).To(ContainElement(HaveField("Name", "cluster_udn_other")))
		}).Should(Succeed())
		Expect(advertisedOn(ctx, node.Name)()).To(ConsistOf("cluster_udn_blue"))
	})

	It("say what is advertised from the node, with one write for each that changes", func(ctx context.Context) {
		one, two := objects.Node(1), objects.Node(2)
		create(ctx, one, two, objects.Template("fabric", 64512), blue())
		manager := start(operator.Config)
		Eventually(advertisedOn(ctx, one.Name)).Should(BeEmpty())
		Eventually(advertisedOn(ctx, two.Name)).Should(BeEmpty())
		manager.settle()

		create(ctx, objects.Advertisement("pods"))
		Eventually(advertisedOn(ctx, one.Name)).Should(ConsistOf("default"))
		Eventually(advertisedOn(ctx, two.Name)).Should(ConsistOf("default"))
		Consistently(manager.writes.ofNetworks).Should(Equal(2), manager.writes.String)
		manager.stop()

		By("restarting, which writes nothing")
		manager = start(operator.Config)
		Consistently(manager.writes.ofNetworks).Should(BeZero(), manager.writes.String)

		By("taking away a node's subnets, which keeps what it has")
		var node corev1.Node
		Expect(admin.Get(ctx, client.ObjectKeyFromObject(one), &node)).To(Succeed())
		delete(node.Annotations, ovnk.AnnotationNodeSubnets)
		Expect(admin.Update(ctx, &node)).To(Succeed())
		Consistently(advertisedOn(ctx, one.Name)).Should(ConsistOf("default"))

		By("putting back what somebody else changed, and what he deleted")
		var object v1alpha1.NodeNetworks
		Expect(admin.Get(ctx, client.ObjectKeyFromObject(two), &object)).To(Succeed())
		object.Spec.Networks = nil
		Expect(admin.Update(ctx, &object)).To(Succeed())
		Eventually(advertisedOn(ctx, two.Name)).Should(ConsistOf("default"))
		Expect(admin.Delete(ctx, &object)).To(Succeed())
		Eventually(advertisedOn(ctx, two.Name)).Should(ConsistOf("default"))

		By("changing it while no manager runs")
		manager.stop()
		Expect(admin.Get(ctx, client.ObjectKeyFromObject(two), &object)).To(Succeed())
		object.Spec.Networks = nil
		Expect(admin.Update(ctx, &object)).To(Succeed())
		manager = start(operator.Config)
		Eventually(advertisedOn(ctx, two.Name)).Should(ConsistOf("default"))

		By("deleting a node while no manager runs")
		manager.stop()
		Expect(admin.Delete(ctx, two)).To(Succeed())
		start(operator.Config)
		Eventually(advertisedOn(ctx, two.Name)).Should(ConsistOf(ContainSubstring("not found")))
	})

	It("of a new node that can't be planned say that nothing is advertised, and of one with routes what was", func(ctx context.Context) {
		node := objects.Node(1)
		subnets := node.Annotations[ovnk.AnnotationNodeSubnets]
		node.Annotations[ovnk.AnnotationNodeSubnets] = "nonsense"
		create(ctx, node, objects.Template("fabric", 64512), objects.Advertisement("pods"))
		manager := start(operator.Config)
		Eventually(advertisedOn(ctx, node.Name)).Should(BeEmpty())
		change(ctx, node, func(o *corev1.Node) { o.Annotations[ovnk.AnnotationNodeSubnets] = subnets })
		Eventually(advertisedOn(ctx, node.Name)).Should(ConsistOf("default"))

		By("breaking it while no manager runs, which then knows nothing of it but what is there")
		manager.stop()
		change(ctx, node, func(o *corev1.Node) { o.Annotations[ovnk.AnnotationNodeSubnets] = "nonsense" })
		manager = start(operator.Config)
		Consistently(advertisedOn(ctx, node.Name)).Should(ConsistOf("default"))
		manager.stop()
		Expect(admin.Delete(ctx, &v1alpha1.NodeNetworks{ObjectMeta: metav1.ObjectMeta{Name: node.Name}})).To(Succeed())
		start(operator.Config)
		Consistently(advertisedOn(ctx, node.Name)).Should(ConsistOf(ContainSubstring("not found")))
	})

	It("carry the Node's UID, and the addresses of the API server and of Services", func(ctx context.Context) {
		node := objects.Node(1)
		create(ctx, node)
		start(operator.Config)
		var slice discoveryv1.EndpointSlice
		Eventually(func() error {
			return admin.Get(ctx, client.ObjectKey{Namespace: "default", Name: "kubernetes"}, &slice)
		}).Should(Succeed())
		var object v1alpha1.NodeNetworks
		published := func() v1alpha1.NodeNetworksSpec {
			_ = admin.Get(ctx, client.ObjectKeyFromObject(node), &object)
			return object.Spec
		}
		Eventually(published).Should(And(
			HaveField("NodeUID", node.UID),
			HaveField("Reserved.APIServer", ConsistOf(v1alpha1.IP(slice.Endpoints[0].Addresses[0]))),
			HaveField("Reserved.Services", Not(BeEmpty()))))

		more := &networkingv1.ServiceCIDR{ObjectMeta: metav1.ObjectMeta{Name: "more"}, Spec: networkingv1.ServiceCIDRSpec{CIDRs: []string{"10.123.0.0/24"}}}
		create(ctx, more)
		Eventually(published).Should(HaveField("Reserved.Services", ContainElement(v1alpha1.CIDR("10.123.0.0/24"))))
	})

	It("that can't be written show in the condition, and are tried again", func(ctx context.Context) {
		restore := limit(ctx, "nodenetworks", "create", "patch")
		node := objects.Node(1)
		create(ctx, node, objects.Template("fabric", 64512), objects.Advertisement("pods"))
		start(operator.Config)
		Eventually(func() string { return condition(ctx, "pods", status.Rendered).Message }).Should(
			And(ContainSubstring("its NodeNetworks could not be written"), ContainSubstring("forbidden")))
		Expect(condition(ctx, "pods", status.Rendered).Reason).To(Equal("PartlyRendered"))
		restore()
		Eventually(advertisedOn(ctx, node.Name)).Should(ConsistOf("default"))
		Eventually(func() metav1.ConditionStatus { return condition(ctx, "pods", status.Rendered).Status }).Should(Equal(metav1.ConditionTrue))
	})

	It("are done without by a manager that is newer than the CRDs, and published once their CRD comes", func(ctx context.Context) {
		bare, user := useOwnControlPlane(ctx)
		definition := &unstructured.Unstructured{}
		definition.SetAPIVersion("apiextensions.k8s.io/v1")
		definition.SetKind("CustomResourceDefinition")
		definition.SetName("nodenetworks.ovnbgp.io")
		Expect(admin.Delete(ctx, definition)).To(Succeed())
		Eventually(func() bool {
			return meta.IsNoMatchError(newClient(bare).List(ctx, &v1alpha1.NodeNetworksList{}))
		}).Should(BeTrue())

		node := objects.Node(1)
		create(ctx, node, objects.Template("fabric", 64512), objects.Advertisement("pods"))
		manager := start(user.Config)
		manager.expect(map[string]int{applyConfig: 1, applyStatus: 1})
		Expect(condition(ctx, "pods", status.Rendered).Status).To(Equal(metav1.ConditionTrue))

		installNetworksCRD(bare)
		admin = newClient(bare)
		Eventually(advertisedOn(ctx, node.Name)).Should(ConsistOf("default"))
	})

	It("name the field that an older CRD lacks, and are written once it has it", func(ctx context.Context) {
		bare, user := useOwnControlPlane(ctx)
		definition := &unstructured.Unstructured{}
		definition.SetAPIVersion("apiextensions.k8s.io/v1")
		definition.SetKind("CustomResourceDefinition")
		Expect(admin.Get(ctx, client.ObjectKey{Name: "nodenetworks.ovnbgp.io"}, definition)).To(Succeed())
		versions, _, _ := unstructured.NestedSlice(definition.Object, "spec", "versions")
		unstructured.RemoveNestedField(versions[0].(map[string]any), "schema", "openAPIV3Schema", "properties", "spec", "properties", "networks", "items", "properties", "advertisedIn")
		Expect(unstructured.SetNestedSlice(definition.Object, versions, "spec", "versions")).To(Succeed())
		Expect(admin.Update(ctx, definition)).To(Succeed())

		node := objects.Node(1)
		create(ctx, node, objects.Template("fabric", 64512), objects.Advertisement("pods"))
		start(user.Config)
		Eventually(func() string { return condition(ctx, "pods", status.Rendered).Message }).Should(ContainSubstring("advertisedIn"))

		installNetworksCRD(bare)
		Eventually(advertisedOn(ctx, node.Name)).WithTimeout(time.Minute).Should(ConsistOf("default"))
	})

	It("come after the FRRConfigurations, so that nobody takes a network for advertised before", func(ctx context.Context) {
		node := objects.Node(1)
		create(ctx, node, objects.Template("fabric", 64512))
		manager := start(operator.Config)
		Eventually(advertisedOn(ctx, node.Name)).Should(BeEmpty())
		manager.settle()
		restore := limit(ctx, "frrconfigurations", "create", "patch")
		create(ctx, objects.Advertisement("pods"))
		Consistently(advertisedOn(ctx, node.Name)).Should(BeEmpty())
		restore()
		Eventually(advertisedOn(ctx, node.Name)).Should(ConsistOf("default"))
	})
})
