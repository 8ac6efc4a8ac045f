package manager_test

import (
	"context"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
)

// deny makes the API server refuse FRRConfigurations with a prefix.
func deny(ctx context.Context, prefix string) {
	GinkgoHelper()
	policy := &admissionv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: "no-such-prefix"},
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{{
				RuleWithOperations: admissionv1.RuleWithOperations{
					Operations: []admissionv1.OperationType{admissionv1.Create, admissionv1.Update},
					Rule: admissionv1.Rule{
						APIGroups: []string{"frrk8s.metallb.io"}, APIVersions: []string{"*"}, Resources: []string{"frrconfigurations"},
					},
				},
			}}},
			Validations: []admissionv1.Validation{{
				Expression: `!has(object.spec.bgp) || !has(object.spec.bgp.routers) || object.spec.bgp.routers.all(r, !has(r.prefixes) || !("` + prefix + `" in r.prefixes))`,
				Message:    "prefix " + prefix + " belongs to another site",
			}},
		},
	}
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: policy.Name},
		Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: policy.Name, ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
		},
	}
	create(ctx, policy, binding)
	// The policy takes a moment to take effect.
	probe := objects.Template("probe", 64512)
	probe.Spec.BGP.Routers[0].Prefixes = []string{prefix}
	Eventually(func() error { return admin.Create(ctx, probe.DeepCopy(), client.DryRunAll) }).Should(
		MatchError(ContainSubstring("another site")))
}

var _ = Describe("A write that fails", func() {
	BeforeEach(reset)

	It("is traced to the RouteAdvertisements at fault where the server refuses it; the rest goes on", func(ctx context.Context) {
		deny(ctx, "10.10.2.0/24")
		create(ctx, objects.Node(1), objects.Node(2), objects.Template("fabric", 64512), blue(),
			objects.Advertisement("pods"), objects.Advertisement("blue", objects.OfNetworks(map[string]string{"advertise": "yes"})))
		manager := start(operator.Config)
		manager.settle()

		By("applying all else")
		Eventually(prefixes).WithArguments(ctx).Should(Equal(map[string][]string{"node-1": {"10.10.1.0/24", "10.244.1.0/24"}, "node-2": {"10.244.2.0/24"}}))
		By("saying what was refused, where and why")
		Eventually(condition).WithArguments(ctx, "blue", status.Rendered).Should(And(
			HaveField("Status", metav1.ConditionFalse),
			HaveField("Message", And(ContainSubstring("1 of 2"), ContainSubstring("node-2"), ContainSubstring("belongs to another site")))))
		Eventually(condition).WithArguments(ctx, "blue", status.Accepted).Should(HaveField("Status", metav1.ConditionTrue), "it is advertised in part")
		Eventually(condition).WithArguments(ctx, "pods", status.Rendered).Should(HaveField("Status", metav1.ConditionTrue))
		By("not trying again at once")
		manager.settle()
		manager.expect(nil)

		By("trying again when the inputs change")
		change(ctx, objects.Advertisement("blue"), func(ra *ovnv1.RouteAdvertisements) {
			ra.Spec.TargetVRF = "auto"
		})
		manager.settle()
		Eventually(prefixes).WithArguments(ctx).Should(HaveKeyWithValue("node-2", []string{"10.244.2.0/24"}))
		remove(ctx, objects.Advertisement("blue"))
		manager.settle()
		Eventually(prefixes).WithArguments(ctx).Should(Equal(map[string][]string{"node-1": {"10.244.1.0/24"}, "node-2": {"10.244.2.0/24"}}))
	})

	It("for want of a permission shows why, and is tried again", func(ctx context.Context) {
		restore := limit(ctx, "frrconfigurations", "patch", "create")
		create(ctx, objects.Node(1), objects.Template("fabric", 64512), objects.Advertisement("pods"))
		manager := start(operator.Config)
		Eventually(func() metav1.Condition { return condition(ctx, "pods", status.Rendered) }).Should(And(
			HaveField("Status", metav1.ConditionFalse), HaveField("Message", ContainSubstring("lacks the permission"))))
		Eventually(condition).WithArguments(ctx, "pods", status.Accepted).Should(HaveField("Status", metav1.ConditionFalse), "nothing of it is advertised yet")
		Expect(manager.writes.rejected()).To(BeNumerically("<", 20), "tries are spaced: %s", manager.writes)
		restore()
		Eventually(func() metav1.Condition { return condition(ctx, "pods", status.Rendered) }).Should(
			HaveField("Status", metav1.ConditionTrue))
		Eventually(prefixes).WithArguments(ctx).Should(HaveKey("node-1"))
	})

	It("for want of a permission leaves what was accepted accepted", func(ctx context.Context) {
		create(ctx, objects.Node(1), objects.Template("fabric", 64512), objects.Advertisement("pods"))
		manager := start(operator.Config)
		manager.expect(map[string]int{applyConfig: 1, applyStatus: 1})
		restore := limit(ctx, "frrconfigurations", "patch", "create")
		change(ctx, objects.Node(1), func(n *corev1.Node) {
			n.Annotations["k8s.ovn.org/node-subnets"] = `{"default":["10.244.11.0/24"]}`
		})
		Eventually(func() metav1.Condition { return condition(ctx, "pods", status.Rendered) }).Should(
			HaveField("Message", ContainSubstring("lacks the permission")))
		Eventually(condition).WithArguments(ctx, "pods", status.Accepted).Should(HaveField("Status", metav1.ConditionTrue))
		restore()
		Eventually(func() map[string][]string { return prefixes(ctx) }).Should(
			Equal(map[string][]string{"node-1": {"10.244.11.0/24"}}))
	})

	It("because a quota is used up shows why, and is tried again", func(ctx context.Context) {
		const counted = corev1.ResourceName("count/frrconfigurations.frrk8s.metallb.io")
		quota := &corev1.ResourceQuota{
			ObjectMeta: metav1.ObjectMeta{Namespace: objects.FRRNamespace, Name: "configurations"},
			Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{counted: resource.MustParse("2")}},
		}
		create(ctx, objects.Template("fabric", 64512))
		create(ctx, quota)
		// There is no quota controller: admission goes by this.
		quota.Status = corev1.ResourceQuotaStatus{Hard: quota.Spec.Hard, Used: corev1.ResourceList{counted: resource.MustParse("1")}}
		Expect(admin.Status().Update(ctx, quota)).To(Succeed())
		create(ctx, objects.Node(1), objects.Node(2), objects.Advertisement("pods"))

		start(operator.Config)
		Eventually(func() metav1.Condition { return condition(ctx, "pods", status.Rendered) }).Should(And(
			HaveField("Status", metav1.ConditionFalse),
			HaveField("Message", And(ContainSubstring("1 of 2"), ContainSubstring("quota"), ContainSubstring("raise it")))))
		Expect(generated(ctx)).To(HaveLen(1), "what the quota leaves room for is written")

		quota.Spec.Hard[counted] = resource.MustParse("9")
		Expect(admin.Get(ctx, client.ObjectKeyFromObject(quota), &corev1.ResourceQuota{})).To(Succeed())
		change(ctx, quota.DeepCopy(), func(q *corev1.ResourceQuota) { q.Spec.Hard = quota.Spec.Hard })
		Expect(admin.Get(ctx, client.ObjectKeyFromObject(quota), quota)).To(Succeed())
		quota.Status.Hard = quota.Spec.Hard
		Expect(admin.Status().Update(ctx, quota)).To(Succeed())
		Eventually(func() metav1.Condition { return condition(ctx, "pods", status.Rendered) }).Should(
			HaveField("Status", metav1.ConditionTrue))
		Expect(generated(ctx)).To(HaveLen(2))
	})

	It("of a status is tried again", func(ctx context.Context) {
		restore := limit(ctx, "routeadvertisements/status", "patch")
		create(ctx, objects.Node(1), objects.Template("fabric", 64512), objects.Advertisement("pods"))
		manager := start(operator.Config, func(o *controller.Options) { o.StatusPace = 50 * time.Millisecond })
		Eventually(manager.writes.rejected).Should(BeNumerically(">", 1))
		Eventually(prefixes).WithArguments(ctx).Should(HaveKey("node-1"), "routes don't wait for a status")
		restore()
		Eventually(func() metav1.Condition { return condition(ctx, "pods", status.Rendered) }).Should(
			HaveField("Status", metav1.ConditionTrue))
	})
})
