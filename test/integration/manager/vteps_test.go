package manager_test

import (
	"context"
	"fmt"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

func managingVTEPs(o *controller.Options) { o.Settings.ManageVTEPs = true }

func vtep(name string, mode ovnv1.VTEPMode, cidrs ...ovnv1.NetworkCIDR) *ovnv1.VTEP {
	return &ovnv1.VTEP{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: ovnv1.VTEPSpec{Mode: mode, CIDRs: cidrs}}
}

// given are the addresses that nodes' agents are told to have, as "node vtep [addresses]".
func given(ctx context.Context) func() []string {
	return func() []string {
		var list v1alpha1.NodeNetworksList
		Expect(admin.List(ctx, &list)).To(Succeed())
		out := []string{}
		for _, o := range list.Items {
			for _, v := range o.Spec.VTEPs {
				if len(v.Allocated) > 0 {
					out = append(out, fmt.Sprint(o.Name, " ", v.Name, " ", v.Allocated))
				}
			}
		}
		return out
	}
}

// accepted is a VTEP's condition, as "status reason message".
func accepted(ctx context.Context, name string) func() string {
	return func() string {
		var v ovnv1.VTEP
		Expect(admin.Get(ctx, client.ObjectKey{Name: name}, &v)).To(Succeed())
		c := meta.FindStatusCondition(v.Status.Conditions, ovnv1.VTEPAccepted)
		if c == nil {
			return ""
		}
		if c.ObservedGeneration != v.Generation {
			return "of an older spec"
		}
		return fmt.Sprint(c.Status, " ", c.Reason, " ", c.Message)
	}
}

// keep puts OVN-Kubernetes' finalizer on a VTEP, and takes it away after the spec.
func keep(ctx context.Context, v *ovnv1.VTEP) {
	GinkgoHelper()
	change(ctx, v, func(v *ovnv1.VTEP) { v.Finalizers = []string{ovnk.VTEPFinalizer} })
	DeferCleanup(func(ctx context.Context) {
		change(ctx, v, func(v *ovnv1.VTEP) { v.Finalizers = nil })
	})
}

var _ = Describe("Addresses of VTEPs", func() {
	BeforeEach(reset)

	It("are one per node, and change hands under no circumstances", func(ctx context.Context) {
		v := vtep("evpn", ovnv1.VTEPModeManaged, "100.64.0.0/30")
		create(ctx, objects.Node(1), objects.Node(2), v)
		manager := start(operator.Config, managingVTEPs)
		both := []any{"node-1 evpn [100.64.0.1]", "node-2 evpn [100.64.0.2]"}
		Eventually(given(ctx)).Should(ConsistOf(both...))
		Eventually(accepted(ctx, "evpn")).Should(HavePrefix("True Allocated"))

		By("adding a node for which there is none")
		create(ctx, objects.Node(3))
		Eventually(accepted(ctx, "evpn")).Should(Equal("False AllocationFailed no address is left in spec.cidrs for node node-3: append a range"))
		Expect(given(ctx)()).To(ConsistOf(both...))

		By("widening the range")
		change(ctx, v, func(v *ovnv1.VTEP) { v.Spec.CIDRs = ovnv1.VTEPCIDRs{"100.64.0.0/24"} })
		all := append(both, "node-3 evpn [100.64.0.3]")
		Eventually(given(ctx)).Should(ConsistOf(all...))
		Eventually(accepted(ctx, "evpn")).Should(HavePrefix("True Allocated"))
		manager.settle()

		By("having another manager lead, which writes nothing")
		manager.stop()
		manager = start(operator.Config, managingVTEPs)
		Consistently(manager.writes.ofNetworks).Should(BeZero(), manager.writes.String)
		Expect(manager.writes.counts()).To(BeEmpty(), manager.writes.String)
		Expect(given(ctx)()).To(ConsistOf(all...))

		By("replacing a node, whose address rests")
		remove(ctx, objects.Node(3))
		Eventually(given(ctx)).Should(ConsistOf(both...))
		create(ctx, objects.Node(4))
		Eventually(given(ctx)).Should(ConsistOf(append(both, "node-4 evpn [100.64.0.4]")...))

		By("removing the VTEP")
		remove(ctx, v)
		Eventually(given(ctx)).Should(BeEmpty())
	})

	It("stay whoever writes something else", func(ctx context.Context) {
		create(ctx, objects.Node(1), objects.Node(2), vtep("evpn", ovnv1.VTEPModeManaged, "100.64.0.0/24"))
		manager := start(operator.Config, managingVTEPs)
		both := ConsistOf("node-1 evpn [100.64.0.1]", "node-2 evpn [100.64.0.2]")
		Eventually(given(ctx)).Should(both)
		annotation := func(node string) string {
			var object v1alpha1.NodeNetworks
			Expect(admin.Get(ctx, client.ObjectKey{Name: node}, &object)).To(Succeed())
			return object.Annotations[model.AnnotationVTEPs]
		}
		one := annotation("node-1")
		Expect(one).To(Equal(`{"evpn":{"ips":["100.64.0.1"]}}`))

		By("a node, of itself")
		forged := objects.Node(2)
		change(ctx, forged, func(n *corev1.Node) {
			n.Annotations[ovnk.AnnotationVTEPs], n.Annotations[model.AnnotationVTEPs] = one, one
		})
		Consistently(given(ctx)).Should(both)

		By("somebody, of another node")
		for _, value := range []string{one, `{"evpn":{"ips":["192.0.2.1"]}}`, "not JSON", ""} {
			change(ctx, &v1alpha1.NodeNetworks{ObjectMeta: metav1.ObjectMeta{Name: "node-2"}}, func(o *v1alpha1.NodeNetworks) { o.Annotations[model.AnnotationVTEPs] = value })
			Eventually(annotation).WithArguments("node-2").Should(Equal(`{"evpn":{"ips":["100.64.0.2"]}}`))
			Eventually(given(ctx)).Should(both)
		}
		Expect(admin.Delete(ctx, &v1alpha1.NodeNetworks{ObjectMeta: metav1.ObjectMeta{Name: "node-2"}})).To(Succeed())
		Eventually(given(ctx)).Should(both)

		By("while no manager runs, of a younger node")
		manager.stop()
		change(ctx, &v1alpha1.NodeNetworks{ObjectMeta: metav1.ObjectMeta{Name: "node-2"}}, func(o *v1alpha1.NodeNetworks) { o.Annotations[model.AnnotationVTEPs] = one })
		start(operator.Config, managingVTEPs)
		Eventually(given(ctx)).Should(both)
		Expect(annotation("node-1")).To(Equal(one))
	})

	It("are not given from where two VTEPs overlap", func(ctx context.Context) {
		one := objects.Node(1)
		create(ctx, one, vtep("a", ovnv1.VTEPModeManaged, "100.64.0.0/24"))
		start(operator.Config, managingVTEPs)
		Eventually(given(ctx)).Should(ConsistOf("node-1 a [100.64.0.1]"))
		create(ctx, vtep("b", ovnv1.VTEPModeManaged, "100.64.0.0/29", "100.65.0.0/24"))
		Eventually(accepted(ctx, "a")).Should(HavePrefix(`False CIDROverlap spec.cidrs overlap those of VTEP "b"`))
		Eventually(accepted(ctx, "b")).Should(HavePrefix("False CIDROverlap"))
		create(ctx, objects.Node(2))
		Eventually(given(ctx)).Should(ConsistOf("node-1 a [100.64.0.1]", "node-1 b [100.65.0.1]", "node-2 a [100.64.0.8]", "node-2 b [100.65.0.2]"))
	})

	It("of IPv6 are given, and refused for a network with transport EVPN", func(ctx context.Context) {
		create(ctx, objects.Node(1), vtep("evpn", ovnv1.VTEPModeManaged, "100.64.0.0/24", "fd00:64::/64"))
		start(operator.Config, managingVTEPs)
		Eventually(given(ctx)).Should(ConsistOf("node-1 evpn [100.64.0.1 fd00:64::1]"))
		Eventually(accepted(ctx, "evpn")).Should(HavePrefix("True Allocated"))
		network := flat()
		network.Spec.Network.Transport = ovnv1.TransportEVPN
		network.Spec.Network.EVPN = &ovnv1.EVPNConfig{VTEP: "evpn", MACVRF: &ovnv1.VRFConfig{VNI: 110}}
		create(ctx, network)
		Eventually(accepted(ctx, "evpn")).Should(HavePrefix(`False EVPNIPv6NotSupported network "flat"`))
		Consistently(given(ctx)).Should(ConsistOf("node-1 evpn [100.64.0.1 fd00:64::1]"))
	})

	It("are left to OVN-Kubernetes where it keeps the VTEPs, but for those that ask", func(ctx context.Context) {
		managed, asking := vtep("managed", ovnv1.VTEPModeManaged, "100.64.0.0/24"), vtep("asking", ovnv1.VTEPModeUnmanaged, "100.65.0.0/24")
		create(ctx, objects.Node(1), objects.Node(2), managed, asking)
		start(operator.Config, managingVTEPs)
		Eventually(given(ctx)).Should(ConsistOf("node-1 managed [100.64.0.1]", "node-2 managed [100.64.0.2]"))
		Eventually(accepted(ctx, "managed")).Should(HavePrefix("True Allocated"))
		// A node that has an address by hand gets no other.
		change(ctx, objects.Node(2), func(n *corev1.Node) { n.Annotations[ovnk.AnnotationVTEPs] = `{"asking":{"ips":["100.65.0.77"]}}` })
		change(ctx, asking, func(v *ovnv1.VTEP) { v.Annotations = map[string]string{model.AnnotationAllocate: "true"} })
		Eventually(given(ctx)).Should(ContainElement("node-1 asking [100.65.0.1]"))
		Expect(given(ctx)()).To(HaveLen(3))

		By("starting OVN-Kubernetes' VTEP controller")
		keep(ctx, managed)
		keep(ctx, asking)
		Eventually(given(ctx)).Should(ConsistOf("node-1 asking [100.65.0.1]"))
		Eventually(accepted(ctx, "managed")).Should(BeEmpty())
		theirs := &unstructured.Unstructured{Object: map[string]any{"status": map[string]any{"conditions": []any{map[string]any{
			"type": "Accepted", "status": "False", "reason": "ManagedModeNotSupported", "message": "no", "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": managed.Generation,
		}}}}}
		theirs.SetGroupVersionKind(ovnv1.GroupVersion.WithKind("VTEP"))
		theirs.SetName(managed.Name)
		// It applies without force, and has nobody's condition in its way.
		Expect(admin.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(theirs), client.FieldOwner("clustermanager-vtep-controller"))).To(Succeed())
		Consistently(accepted(ctx, "managed")).Should(Equal("False ManagedModeNotSupported no"))
		Expect(accepted(ctx, "asking")()).To(BeEmpty())
	})

	It("are planned with only once they are written down", func(ctx context.Context) {
		network := blue()
		network.Spec.Network.Transport = ovnv1.TransportEVPN
		network.Spec.Network.EVPN = &ovnv1.EVPNConfig{VTEP: "evpn", IPVRF: &ovnv1.VRFConfig{VNI: 200}}
		create(ctx, objects.Node(1), vtep("evpn", ovnv1.VTEPModeManaged, "100.64.0.0/24"), objects.Template("fabric", 64512), network,
			objects.Advertisement("evpn", objects.OfNetworks(map[string]string{"advertise": "yes"}), func(spec *ovnv1.RouteAdvertisementsSpec) { spec.TargetVRF = "auto" }))
		manager := start(operator.Config, managingVTEPs)
		Eventually(prefixes).WithArguments(ctx).Should(HaveKeyWithValue("node-1", ConsistOf("100.64.0.1/32")))
		manager.stop()

		By("without the flag, when what was given before doesn't count")
		start(operator.Config)
		Eventually(prefixes).WithArguments(ctx).ShouldNot(HaveKey("node-1"))
		Eventually(given(ctx)).Should(BeEmpty())
	})

	It("are given to 300 nodes at once", func(ctx context.Context) {
		for n := range 300 {
			node := objects.Node(1)
			node.Name = fmt.Sprintf("node-%d", n)
			node.Annotations, node.Labels[model.LabelHostname] = nil, node.Name
			create(ctx, node)
		}
		start(operator.Config, managingVTEPs)
		var list v1alpha1.NodeNetworksList
		Eventually(func() int {
			Expect(admin.List(ctx, &list)).To(Succeed())
			return len(list.Items)
		}).WithTimeout(time.Minute).Should(Equal(300))
		create(ctx, vtep("evpn", ovnv1.VTEPModeManaged, "100.64.0.0/22"))
		Eventually(func() int { return len(given(ctx)()) }).WithTimeout(time.Minute).Should(Equal(300))
		seen := map[string]bool{}
		Expect(admin.List(ctx, &list)).To(Succeed())
		for _, o := range list.Items {
			address := string(o.Spec.VTEPs[0].Allocated[0])
			Expect(seen).NotTo(HaveKey(address))
			seen[address] = true
		}
	})
})
