package manager_test

import (
	"context"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/cleanup"
)

const applyPolicy = "apply routepolicies/status"

// Three nodes, the first of which is in a zone of its own, advertise the default network
// when each of these begins.
var _ = Describe("A RoutePolicy", func() {
	var manager *instance

	BeforeEach(func(ctx context.Context) {
		reset(ctx)
		first := objects.Node(1)
		first.Labels["zone"] = "a"
		create(ctx, first, objects.Node(2), objects.Node(3), objects.Template("fabric", 64512), objects.Advertisement("pods"))
		manager = start(operator.Config)
		manager.expect(map[string]int{applyConfig: 3, applyStatus: 1})
	})

	It("is written to the nodes that it is for, and nowhere else", func(ctx context.Context) {
		before := specs(ctx)
		create(ctx, policy("zone-a", "pods", zone("a"), "64512:100"))
		manager.expect(map[string]int{applyConfig: 1, applyPolicy: 1})
		Expect(communities(ctx)).To(Equal(map[string][]string{"node-1": {"64512:100"}}))
		Eventually(ancestor).WithArguments(ctx, "zone-a", v1alpha1.RoutePolicyAccepted).Should(HaveField("Status", metav1.ConditionTrue))
		Eventually(ancestor).WithArguments(ctx, "zone-a", v1alpha1.RoutePolicyRendered).Should(And(
			HaveField("Status", metav1.ConditionTrue), HaveField("Message", ContainSubstring("the one node")), HaveField("ObservedGeneration", BeNumerically("==", 1))))

		change(ctx, policy("zone-a", "pods", nil), func(p *v1alpha1.RoutePolicy) {
			p.Spec.Rules[0].Set.Communities = []v1alpha1.PolicyCommunity{"no-export"}
		})
		manager.expect(map[string]int{applyConfig: 1, applyPolicy: 1})
		Expect(communities(ctx)).To(Equal(map[string][]string{"node-1": {"65535:65281"}}))

		remove(ctx, policy("zone-a", "pods", nil))
		manager.expect(map[string]int{applyConfig: 1})
		Expect(specs(ctx)).To(Equal(before), "nothing of the policy is left")
	})

	It("follows a node into its zone and out of it", func(ctx context.Context) {
		create(ctx, policy("zone-a", "pods", zone("a"), "64512:100"))
		manager.expect(map[string]int{applyConfig: 1, applyPolicy: 1})
		change(ctx, objects.Node(2), func(n *corev1.Node) { n.Labels["zone"] = "a" })
		manager.expect(map[string]int{applyConfig: 1, applyPolicy: 1})
		Eventually(ancestor).WithArguments(ctx, "zone-a", v1alpha1.RoutePolicyRendered).Should(HaveField("Message", ContainSubstring("all 2 nodes")))
		change(ctx, objects.Node(1), func(n *corev1.Node) { delete(n.Labels, "zone") })
		manager.expect(map[string]int{applyConfig: 1, applyPolicy: 1})
		Expect(communities(ctx)).To(Equal(map[string][]string{"node-2": {"64512:100"}}))
	})

	It("waits for its target, and says so", func(ctx context.Context) {
		create(ctx, policy("early", "later", nil, "64512:100"))
		manager.expect(map[string]int{applyPolicy: 1})
		Eventually(ancestor).WithArguments(ctx, "early", v1alpha1.RoutePolicyAccepted).Should(And(
			HaveField("Status", metav1.ConditionFalse), HaveField("Reason", "TargetNotReady"), HaveField("Message", ContainSubstring(`there is no RouteAdvertisements "later"`))))
		create(ctx, objects.Advertisement("later"))
		manager.expect(map[string]int{applyConfig: 3, applyStatus: 1, applyPolicy: 1})
		Eventually(ancestor).WithArguments(ctx, "early", v1alpha1.RoutePolicyAccepted).Should(HaveField("Status", metav1.ConditionTrue))
		Expect(communities(ctx)).To(HaveLen(3))
	})

	It("says that nothing matches, and what nearly does", func(ctx context.Context) {
		create(ctx, policy("missed", "pods", zone("b"), "64512:100"))
		manager.expect(map[string]int{applyPolicy: 1})
		Eventually(ancestor).WithArguments(ctx, "missed", v1alpha1.RoutePolicyRendered).Should(And(
			HaveField("Status", metav1.ConditionFalse), HaveField("Reason", "NothingMatches"), HaveField("Message", ContainSubstring(`"node-1" would match if it had the label zone=b instead of zone=a`))))
	})

	It("makes an event for each condition, and none after a restart", func(ctx context.Context) {
		create(ctx, policy("zone-a", "pods", zone("a"), "64512:100"))
		manager.expect(map[string]int{applyConfig: 1, applyPolicy: 1})
		about := func() []string {
			var list eventsv1.EventList
			Expect(admin.List(ctx, &list)).To(Succeed())
			var reasons []string
			for _, e := range list.Items {
				if e.Regarding.Kind == "RoutePolicy" && e.Regarding.Name == "zone-a" && e.Note != "" && e.Regarding.UID == policyUID(ctx, "zone-a") {
					reasons = append(reasons, e.Reason)
				}
			}
			return reasons
		}
		Eventually(about).Should(ConsistOf("Accepted", "Rendered"))
		manager.stop()
		start(operator.Config).expect(nil)
		Consistently(about).Should(ConsistOf("Accepted", "Rendered"))
	})

	It("keeps its status from those who write over it", func(ctx context.Context) {
		create(ctx, policy("zone-a", "pods", zone("a"), "64512:100"))
		manager.expect(map[string]int{applyConfig: 1, applyPolicy: 1})
		Expect(admin.Status().Patch(ctx, policy("zone-a", "pods", nil), client.RawPatch("application/merge-patch+json", []byte(`{"status": {"ancestors": []}}`)))).To(Succeed())
		manager.expect(map[string]int{applyPolicy: 1})
		Eventually(ancestor).WithArguments(ctx, "zone-a", v1alpha1.RoutePolicyRendered).Should(HaveField("Status", metav1.ConditionTrue))
	})

	It("is told what would be done where the operator only observes", func(ctx context.Context) {
		manager.stop()
		create(ctx, policy("zone-a", "pods", zone("a"), "64512:100"))
		start(operator.Config, observing)
		Eventually(ancestor).WithArguments(ctx, "zone-a", v1alpha1.RoutePolicyRendered).Should(And(
			HaveField("Status", metav1.ConditionFalse), HaveField("Reason", "ObserveOnly")))
		Expect(communities(ctx)).To(BeEmpty())
	})

	It("loses its status to the clean-up", func(ctx context.Context) {
		create(ctx, policy("zone-a", "pods", zone("a"), "64512:100"))
		manager.expect(map[string]int{applyConfig: 1, applyPolicy: 1})
		manager.stop()
		removed, err := cleanup.Run(ctx, admin)
		Expect(err).NotTo(HaveOccurred())
		Expect(removed.Policies).To(Equal(1))
		Expect(ancestor(ctx, "zone-a", v1alpha1.RoutePolicyAccepted)).To(BeZero())
	})
})

// policy adds communities to what the target advertises from the nodes.
func policy(name, target string, nodes *metav1.LabelSelector, communities ...v1alpha1.PolicyCommunity) *v1alpha1.RoutePolicy {
	return &v1alpha1.RoutePolicy{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1alpha1.RoutePolicySpec{
			TargetRefs: []v1alpha1.PolicyTargetReference{{Group: "k8s.ovn.org", Kind: "RouteAdvertisements", Name: target}},
			Rules:      []v1alpha1.PolicyRule{{Match: v1alpha1.PolicyMatch{NodeSelector: nodes}, Set: &v1alpha1.PolicyAttributes{Communities: communities}}},
		},
	}
}

func zone(name string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{"zone": name}}
}

func policyUID(ctx context.Context, name string) any {
	GinkgoHelper()
	var object v1alpha1.RoutePolicy
	Expect(admin.Get(ctx, client.ObjectKey{Name: name}, &object)).To(Succeed())
	return object.UID
}

// ancestor returns a condition of a policy for its only target; the zero one where it is
// not there.
func ancestor(ctx context.Context, name, kind string) metav1.Condition {
	GinkgoHelper()
	var object v1alpha1.RoutePolicy
	Expect(admin.Get(ctx, client.ObjectKey{Name: name}, &object)).To(Succeed())
	for _, a := range object.Status.Ancestors {
		if c := meta.FindStatusCondition(a.Conditions, kind); c != nil {
			return *c
		}
	}
	return metav1.Condition{}
}

// specs are those of the generated objects by node.
func specs(ctx context.Context) map[string]frrk8sv1beta1.FRRConfigurationSpec {
	GinkgoHelper()
	out := map[string]frrk8sv1beta1.FRRConfigurationSpec{}
	for node, config := range generated(ctx) {
		out[node] = config.Spec
	}
	return out
}

// communities are those that nodes add to a route, by node.
func communities(ctx context.Context) map[string][]string {
	GinkgoHelper()
	out := map[string][]string{}
	for node, config := range generated(ctx) {
		for _, router := range config.Spec.BGP.Routers {
			for _, neighbor := range router.Neighbors {
				for _, with := range neighbor.ToAdvertise.PrefixesWithCommunity {
					out[node] = append(out[node], with.Community)
				}
			}
		}
	}
	return out
}
