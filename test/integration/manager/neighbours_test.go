package manager_test

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
)

// upstream is an object of OVN-Kubernetes' own controller for an advertisement.
func upstream(ra string) *frrk8sv1beta1.FRRConfiguration {
	o := objects.Template("ovnk-generated-x1", 64512)
	o.Labels = map[string]string{ovnk.LabelRouteAdvertisements: ra}
	o.Annotations = map[string]string{ovnk.AnnotationRouteAdvertisements: ra + "/node-1"}
	return o
}

var _ = Describe("Beside OVN-Kubernetes' own controller", func() {
	BeforeEach(func(ctx context.Context) {
		reset(ctx)
		create(ctx, objects.Node(1), objects.Template("fabric", 64512), objects.Advertisement("pods"), upstream("pods"))
	})

	It("the manager stands aside, says so, and goes to work once the other has gone", func(ctx context.Context) {
		ra := objects.Advertisement("pods")
		Expect(admin.Get(ctx, client.ObjectKeyFromObject(ra), ra)).To(Succeed())
		ra.Status.Status = "Accepted"
		ra.Status.Conditions = []metav1.Condition{{
			Type: status.Accepted, Status: metav1.ConditionTrue, Reason: "Accepted", ObservedGeneration: 1, LastTransitionTime: metav1.Now(),
		}}
		Expect(admin.Status().Update(ctx, ra)).To(Succeed())

		manager := start(operator.Config)
		manager.expect(map[string]int{applyStatus: 1})
		Expect(generated(ctx)).To(BeEmpty())
		Eventually(condition).WithArguments(ctx, "pods", status.Rendered).Should(And(
			HaveField("Reason", "StandingAside"), HaveField("Message", ContainSubstring("ovnk-generated-x1"))))
		Eventually(condition).WithArguments(ctx, "pods", status.Accepted).Should(HaveField("Status", metav1.ConditionTrue), "the other's verdict stays")

		remove(ctx, upstream("pods"))
		manager.expect(map[string]int{applyConfig: 1, applyStatus: 1})
	})

	It("the manager works with --take-over", func(ctx context.Context) {
		manager := start(operator.Config, func(o *controller.Options) { o.Settings.TakeOver = true })
		manager.expect(map[string]int{applyConfig: 1, applyStatus: 1})
		Eventually(prefixes).WithArguments(ctx).Should(HaveKeyWithValue("node-1", []string{"10.244.1.0/24"}))
	})

	It("the manager stands aside when the other begins to work, and withdraws when that advertises all of it", func(ctx context.Context) {
		remove(ctx, upstream("pods"))
		definition := nad(ovnNamespace, "default", "")
		create(ctx, definition)
		manager := start(operator.Config)
		Eventually(func() string { return advertisedBy(ctx, definition) }).Should(Equal(`["pods"]`))
		manager.settle()

		By("the first sign of it")
		create(ctx, upstream("pods"))
		Eventually(condition).WithArguments(ctx, "pods", status.Rendered).Should(HaveField("Reason", "StandingAside"))
		manager.settle()
		Expect(prefixes(ctx)).To(HaveKeyWithValue("node-1", []string{"10.244.1.0/24"}), "nobody else advertises it yet")
		Expect(condition(ctx, "pods", status.Accepted).Status).To(Equal(metav1.ConditionTrue), "OVN-Kubernetes' nodes act on it")
		Expect(advertisedBy(ctx, definition)).To(Equal(`["pods"]`))

		By("a restart meanwhile")
		manager.stop()
		manager = start(operator.Config)
		manager.settle()
		Expect(prefixes(ctx)).To(HaveKeyWithValue("node-1", []string{"10.244.1.0/24"}))

		By("the other controller has done its part")
		change(ctx, upstream("pods"), func(o *frrk8sv1beta1.FRRConfiguration) {
			router := &o.Spec.BGP.Routers[0]
			router.Prefixes = []string{"10.244.1.0/24"}
			router.Neighbors[0].ToAdvertise.Allowed.Prefixes = router.Prefixes
		})
		Eventually(func() map[string]*frrk8sv1beta1.FRRConfiguration { return generated(ctx) }).Should(BeEmpty())
		Expect(condition(ctx, "pods", status.Accepted).Status).To(Equal(metav1.ConditionTrue), "the other writes over it")
	})

	It("the manager does not believe what stands where nobody has templates", func(ctx context.Context) {
		remove(ctx, upstream("pods"))
		manager := start(operator.Config)
		manager.expect(map[string]int{applyConfig: 1, applyStatus: 1})
		forged := upstream("pods")
		forged.Namespace = ovnNamespace
		create(ctx, forged)
		manager.expect(nil)
		Expect(prefixes(ctx)).To(HaveKeyWithValue("node-1", []string{"10.244.1.0/24"}))
	})
})

var _ = Describe("Networks with managed routing", func() {
	BeforeEach(reset)

	It("get RouteAdvertisements and a mesh between the nodes, for as long as there are any", func(ctx context.Context) {
		create(ctx, objects.Node(1), objects.Node(2))
		manager := start(operator.Config)
		manager.expect(nil)

		network := blue()
		network.Spec.Network.Transport = ovnv1.TransportNoOverlay
		network.Spec.Network.NoOverlay = &ovnv1.NoOverlayConfig{OutboundSNAT: ovnv1.SNATEnabled, Routing: ovnv1.RoutingManaged}
		create(ctx, network)
		manager.settle()
		Eventually(prefixes).WithArguments(ctx).Should(Equal(map[string][]string{"node-1": {"10.10.1.0/24"}, "node-2": {"10.10.2.0/24"}}))
		neighbors := generated(ctx)["node-1"].Spec.BGP.Routers[0].Neighbors
		Expect(neighbors).To(HaveLen(1), "a node has no session with itself")
		Expect(neighbors[0]).To(And(HaveField("Address", "172.18.0.2"), HaveField("ASN", BeEquivalentTo(64600))))
		Eventually(condition).WithArguments(ctx, model.ManagedName, status.Rendered).Should(HaveField("Status", metav1.ConditionTrue))

		create(ctx, objects.Node(3))
		manager.settle()
		Expect(generated(ctx)["node-1"].Spec.BGP.Routers[0].Neighbors).To(HaveLen(2))

		managed := objects.Advertisement(model.ManagedName)
		change(ctx, managed, func(ra *ovnv1.RouteAdvertisements) { ra.Spec.TargetVRF = "auto" })
		Eventually(func() string {
			Expect(admin.Get(ctx, client.ObjectKeyFromObject(managed), managed)).To(Succeed())
			return managed.Spec.TargetVRF
		}).Should(Equal("default"), "what others change is put back")
		manager.settle()

		remove(ctx, network)
		Eventually(func() error { return admin.Get(ctx, client.ObjectKeyFromObject(managed), managed) }).ShouldNot(Succeed())
		Eventually(func() map[string][]string { return prefixes(ctx) }).Should(BeEmpty())
	})

	It("leave an object alone that only has the name", func(ctx context.Context) {
		create(ctx, objects.Node(1), objects.Template("fabric", 64512), objects.Advertisement(model.ManagedName))
		manager := start(operator.Config)
		manager.settle()
		Expect(admin.Get(ctx, client.ObjectKey{Name: model.ManagedName}, &ovnv1.RouteAdvertisements{})).To(Succeed())
	})
})

var _ = Describe("Without the kind of NetworkAttachmentDefinitions", func() {
	It("the manager works, and uses the kind once it appears", func(ctx context.Context) {
		bare, user := useOwnControlPlane(ctx)
		createNamespace(ctx, ovnNamespace)
		create(ctx, objects.Node(1), objects.Template("fabric", 64512), objects.Advertisement("pods"))
		manager := start(user.Config)
		manager.expect(map[string]int{applyConfig: 1, applyStatus: 1})

		installNADs(ctx, bare)
		defaultNAD := nad(ovnNamespace, "default", "")
		Eventually(func() error { return admin.Create(ctx, defaultNAD.DeepCopy()) }).Should(Succeed())
		Eventually(func() string { return advertisedBy(ctx, defaultNAD) }).Should(Equal(`["pods"]`))
		manager.expect(map[string]int{patchNAD: 1})

		By("still working for nodes")
		create(ctx, objects.Node(2))
		manager.expect(map[string]int{applyConfig: 1, applyStatus: 1})
		Expect(admin.Get(ctx, client.ObjectKey{Name: "node-2"}, &corev1.Node{})).To(Succeed())
	})
})

// installNADs adds the kind to a running control plane.
func installNADs(ctx context.Context, c *controlplane.ControlPlane) {
	GinkgoHelper()
	folder, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}",
		"github.com/k8snetworkplumbingwg/network-attachment-definition-client").Output()
	Expect(err).NotTo(HaveOccurred())
	_, err = envtest.InstallCRDs(c.Config, envtest.CRDInstallOptions{
		Paths: []string{filepath.Join(strings.TrimSpace(string(folder)), "artifacts", "networks-crd.yaml")}, ErrorIfPathMissing: true,
	})
	Expect(err).NotTo(HaveOccurred())
}
