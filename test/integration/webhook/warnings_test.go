package webhook_test

import (
	"context"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

var _ = Describe("Whoever applies", Ordered, ContinueOnFailure, func() {
	BeforeAll(func(ctx context.Context) {
		// Before the webhook was installed, anything could get in.
		old := denied()
		old.Name = "old"
		Expect(admin.Create(ctx, old)).To(Succeed())
		DeferCleanup(func(ctx context.Context) { Expect(admin.Delete(ctx, old)).To(Succeed()) })
		install(ctx, replicas[0].port)
		apply(ctx, objects.Node(1))
		apply(ctx, objects.Node(2))
	})

	Context("an object that can never work", func() {
		DescribeTable("is told what to do", func(ctx context.Context, object client.Object, want string) {
			err := admin.Create(ctx, object)
			Expect(err).To(MatchError(ContainSubstring(want)))
			Expect(apierrors.IsForbidden(err)).To(BeTrue(), "%v", err)
			Expect(client.IgnoreNotFound(admin.Get(ctx, client.ObjectKeyFromObject(object), object))).To(Succeed())
		},
			Entry("egress IPs over VRFs of their own", denied(), `with targetVRF "default"`),
			Entry("a label key that is none", objects.Advertisement("never", func(spec *ovnv1.RouteAdvertisementsSpec) {
				spec.FRRConfigurationSelector.MatchLabels = map[string]string{"not a key": "x"}
			}), `"not a key" is no label key`),
			Entry("an operator without values", objects.Advertisement("never", func(spec *ovnv1.RouteAdvertisementsSpec) {
				spec.FRRConfigurationSelector = metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: metav1.LabelSelectorOpIn}}}
			}), "needs values"),
			Entry("a network whose namespaces can't be selected", func() client.Object {
				n := network("never", "10.77.0.0/16")
				n.Spec.NamespaceSelector.MatchLabels = map[string]string{"a": "not a value"}
				return n
			}(), "is no label value"),
		)

		It("can still take the labels and finalizers off one that is there", func(ctx context.Context) {
			old := denied()
			old.Name = "old"
			Expect(update(ctx, old, func(ra *ovnv1.RouteAdvertisements) { ra.Labels = map[string]string{"team": "net"} })).
				To(ConsistOf(ContainSubstring("EgressIP can't be advertised")))
			_, err := update(ctx, old, func(ra *ovnv1.RouteAdvertisements) {
				ra.Spec.FRRConfigurationSelector.MatchLabels = map[string]string{"other": "x"}
			})
			Expect(err).To(MatchError(ContainSubstring("denied the request")))
		})
	})

	It("may apply in any order", func(ctx context.Context) {
		ra := objects.Advertisement("pods")
		Expect(apply(ctx, ra)).To(ConsistOf(HavePrefix("RouteAdvertisements pods: frrConfigurationSelector matches nothing")))
		Expect(apply(ctx, objects.Template("fabric", 64512))).To(BeEmpty())
		Eventually(again(ctx, ra)).Should(BeEmpty())
	})

	It("hears of a misspelt label", func(ctx context.Context) {
		fabric := objects.Template("fabric", 64512)
		apply(ctx, fabric)
		Eventually(func() []string {
			ra := objects.Advertisement("typo", func(spec *ovnv1.RouteAdvertisementsSpec) {
				spec.FRRConfigurationSelector.MatchLabels = map[string]string{"use": "fabrik"}
			})
			warned.take()
			Expect(admin.Create(ctx, ra, client.DryRunAll)).To(Succeed())
			return warned.take()
		}).Should(ConsistOf(ContainSubstring("did you mean use=fabric")))
		ra := &ovnv1.RouteAdvertisements{ObjectMeta: metav1.ObjectMeta{Name: "typo"}}
		Expect(apierrors.IsNotFound(admin.Get(ctx, client.ObjectKeyFromObject(ra), ra))).To(BeTrue(), "a dry run wrote something")
	})

	It("hears of a VRF that no router is in", func(ctx context.Context) {
		ra := objects.Advertisement("red", func(spec *ovnv1.RouteAdvertisementsSpec) { spec.TargetVRF = "red" })
		apply(ctx, objects.Template("fabric", 64512))
		apply(ctx, ra)
		Eventually(again(ctx, ra)).Should(ConsistOf(ContainSubstring(`has no router in VRF "red"`)))
	})

	It("hears of overlaps, once they are there", func(ctx context.Context) {
		fabric, ra, blue := objects.Template("fabric", 64512), objects.Advertisement("networks", objects.OfNetworks(map[string]string{"advertise": "yes"})), network("blue", "10.10.0.0/16")
		apply(ctx, fabric)
		apply(ctx, blue)
		apply(ctx, ra)
		Eventually(again(ctx, ra)).Should(BeEmpty())
		Expect(apply(ctx, network("green", "10.10.128.0/17"))).To(ConsistOf(
			And(HavePrefix("RouteAdvertisements networks: "), ContainSubstring(`network "green" overlaps network "blue" in the default VRF`), ContainSubstring("was there first"))))
		Expect(apply(ctx, network("grey", "10.20.0.0/16"))).To(BeEmpty(), "what was amiss before is none of its doing")
	})

	It("hears of FRRConfigurations that contradict each other", func(ctx context.Context) {
		ra := objects.Advertisement("pods")
		apply(ctx, objects.Template("fabric", 64512))
		apply(ctx, ra)
		Eventually(again(ctx, ra)).Should(BeEmpty())
		second := objects.Template("second", 64999)
		second.Spec.BGP.Routers[0].Neighbors[0].Address = "192.0.2.9"
		Expect(apply(ctx, second)).To(ConsistOf(And(
			HavePrefix("RouteAdvertisements pods, on nodes such as node-1, node-2: "), ContainSubstring("ASN 64999 in FRRConfiguration frr-k8s-system/second and 64512 in frr-k8s-system/fabric of"))))
		unrelated := objects.Template("unrelated", 64999)
		unrelated.Labels = nil
		unrelated.Spec.BGP.Routers[0].VRF = "storage"
		Expect(apply(ctx, unrelated)).To(BeEmpty())
	})

	It("hears what a deletion takes away", func(ctx context.Context) {
		fabric, ra := objects.Template("fabric", 64512), objects.Advertisement("pods")
		apply(ctx, fabric)
		apply(ctx, ra)
		Eventually(again(ctx, ra)).Should(BeEmpty())
		Expect(admin.Delete(ctx, fabric, client.DryRunAll)).To(Succeed())
		Expect(warned.take()).To(ConsistOf(HavePrefix("RouteAdvertisements pods: frrConfigurationSelector matches nothing")))
		Expect(update(ctx, fabric, func(c *frrk8sv1beta1.FRRConfiguration) {
			c.Spec.NodeSelector.MatchLabels = map[string]string{"rack": "none"}
		}, client.DryRunAll)).To(ConsistOf(ContainSubstring("none of the FRRConfigurations that it selects applies to its nodes")))
	})

	It("is not kept waiting for objects that the operator writes", func(ctx context.Context) {
		generated := objects.Template("handmade", 64512)
		generated.Labels = map[string]string{model.LabelGenerated: "true"}
		generated.Spec.NodeSelector.MatchLabels = map[string]string{"rack": "none"}
		Expect(apply(ctx, generated)).To(BeEmpty())
	})

	It("hears no less from a standby", func(ctx context.Context) {
		for i, r := range replicas {
			callAt(ctx, r.port)
			Eventually(func() []string {
				warned.take()
				Expect(admin.Create(ctx, objects.Advertisement("pods"), client.DryRunAll)).To(Succeed())
				return warned.take()
			}).Should(ConsistOf(ContainSubstring("there are no FRRConfigurations yet")), "replica %d", i)
		}
	})
})
