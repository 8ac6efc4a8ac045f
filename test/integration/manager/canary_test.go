package manager_test

import (
	"context"
	"regexp"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
)

func withRaw(o *controller.Options) { o.Settings.FRRRaw = true }

// withMED is a policy that sets a MED on all routes.
func withMED(med int64) *v1alpha1.RoutePolicy {
	p := policy("metrics", "pods", nil)
	p.Spec.Rules[0].Set.MED = new(med)
	return p
}

func setMED(ctx context.Context, med int64) {
	GinkgoHelper()
	change(ctx, withMED(med), func(p *v1alpha1.RoutePolicy) { p.Spec.Rules[0].Set.MED = new(med) })
}

var metricLine = regexp.MustCompile(`(?m)^ set metric (\d+)$`)

// meds are those that nodes announce their routes with, by node; "" where the route is
// announced without one, and "?" where both or neither is written.
func meds(ctx context.Context) map[string]string {
	GinkgoHelper()
	out := map[string]string{}
	for node, o := range generated(ctx) {
		typed := len(o.Spec.BGP.Routers[0].Neighbors[0].ToAdvertise.Allowed.Prefixes) > 0
		found := metricLine.FindStringSubmatch(o.Spec.Raw.Config)
		switch {
		case typed == (found != nil):
			out[node] = "?"
		case typed:
			out[node] = ""
		default:
			out[node] = found[1]
		}
	}
	return out
}

// reports has the node's frr-k8s report a reload that failed, "" for one that did not, after
// which FRR runs what is generated for the node.
func reports(ctx context.Context, failure string, nodes ...string) {
	GinkgoHelper()
	for _, node := range nodes {
		state := &frrk8sv1beta1.FRRNodeState{ObjectMeta: metav1.ObjectMeta{Name: node}}
		if err := admin.Get(ctx, client.ObjectKeyFromObject(state), state); err != nil {
			create(ctx, state)
		}
		state.Status.LastConversionResult, state.Status.LastReloadResult = "success", failure
		if failure == "" {
			state.Status.LastReloadResult = "success"
			if o := generated(ctx)[node]; o != nil {
				state.Status.RunningConfig = o.Spec.Raw.Config
			}
		}
		Expect(admin.Status().Update(ctx, state)).To(Succeed())
	}
}

func rendered(ctx context.Context) metav1.Condition {
	return ancestor(ctx, "metrics", v1alpha1.RoutePolicyRendered)
}

// Three nodes advertise the default network, and their frr-k8s reports success, when each
// of these begins.
var _ = Describe("Raw text", func() {
	var manager *instance
	all := func(med string) map[string]string {
		return map[string]string{"node-1": med, "node-2": med, "node-3": med}
	}

	BeforeEach(func(ctx context.Context) {
		reset(ctx)
		ready(ctx, objects.Node(1), objects.Node(2), objects.Node(3))
		create(ctx, objects.Template("fabric", 64512), objects.Advertisement("pods"))
		reports(ctx, "", "node-1", "node-2", "node-3")
		manager = start(operator.Config, withRaw)
		// Where there may be raw text, all nodes have some: for how soon FRR applies
		// route-maps. It has a canary, too.
		manager.expect(map[string]int{applyConfig: 4, applyStatus: 1})
		reports(ctx, "", "node-1")
		manager.expect(map[string]int{applyConfig: 2})
		reports(ctx, "", "node-2", "node-3")
		manager.settle()
	})

	// everywhere has a MED loaded on all nodes.
	everywhere := func(ctx context.Context) {
		GinkgoHelper()
		create(ctx, withMED(50))
		Eventually(meds).WithArguments(ctx).Should(HaveKeyWithValue("node-1", "50"))
		reports(ctx, "", "node-1")
		Eventually(meds).WithArguments(ctx).Should(Equal(all("50")))
		reports(ctx, "", "node-2", "node-3")
		Eventually(rendered).WithArguments(ctx).Should(HaveField("Status", metav1.ConditionTrue))
		manager.settle()
	}

	It("is for one node until its FRR runs it, and then for all", func(ctx context.Context) {
		create(ctx, withMED(50))
		waiting := map[string]string{"node-1": "50", "node-2": "", "node-3": ""}
		Eventually(meds).WithArguments(ctx).Should(Equal(waiting))
		Eventually(rendered).WithArguments(ctx).Should(And(
			HaveField("Status", metav1.ConditionFalse), HaveField("Reason", "WaitsForCanary"),
			HaveField("Message", ContainSubstring("node-2, node-3 (what spec.rules[0] sets as med waits, because frr-k8s' API has no field for it: the FRR of node node-1 has to take it first)"))))
		Consistently(meds).WithArguments(ctx).Should(Equal(waiting))

		reports(ctx, "", "node-1")
		Eventually(meds).WithArguments(ctx).Should(Equal(all("50")))
		Eventually(rendered).WithArguments(ctx).Should(HaveField("Reason", "Rendered"))
		manager.expect(map[string]int{applyConfig: 3, applyPolicy: 2})
	})

	It("stays with the node whose FRR does not take it, and others keep what they have", func(ctx context.Context) {
		everywhere(ctx)
		setMED(ctx, 60)
		Eventually(meds).WithArguments(ctx).Should(Equal(map[string]string{"node-1": "60", "node-2": "50", "node-3": "50"}))
		reports(ctx, "line 20: % Unknown command: set metric 60", "node-1")
		refused := map[string]string{"node-1": "", "node-2": "50", "node-3": "50"}
		Eventually(meds).WithArguments(ctx).Should(Equal(refused))
		Eventually(rendered).WithArguments(ctx).Should(And(
			HaveField("Status", metav1.ConditionFalse), HaveField("Reason", "RawFailed"),
			HaveField("Message", And(ContainSubstring("node-1 (what spec.rules[0] sets as med is left out, because the node's FRR did not take it: line 20: % Unknown command: set metric 60)"),
				ContainSubstring("node-2, node-3 (what spec.rules[0] sets as med waits, because frr-k8s' API has no field for it: the FRR of node node-1 did not take it")))))
		Eventually(func() []string { return eventsAbout(ctx, "metrics") }).Should(ContainElement("RawFailed"))

		By("a reload without it, and another manager")
		reports(ctx, "", "node-1")
		manager.settle()
		manager.stop()
		manager = start(operator.Config, withRaw)
		manager.expect(nil)
		Expect(meds(ctx)).To(Equal(refused))

		By("another value")
		setMED(ctx, 70)
		Eventually(meds).WithArguments(ctx).Should(Equal(map[string]string{"node-1": "70", "node-2": "50", "node-3": "50"}))
		Expect(generated(ctx)["node-1"].Annotations).NotTo(HaveKey(render.AnnotationRawRefused))
		reports(ctx, "", "node-1")
		Eventually(meds).WithArguments(ctx).Should(Equal(all("70")))
	})

	It("is tried again where somebody removes the note", func(ctx context.Context) {
		create(ctx, withMED(50))
		Eventually(meds).WithArguments(ctx).Should(HaveKeyWithValue("node-1", "50"))
		reports(ctx, "somebody's line", "node-1")
		Eventually(meds).WithArguments(ctx).Should(Equal(all("")))
		reports(ctx, "", "node-1")
		change(ctx, generated(ctx)["node-1"], func(o *frrk8sv1beta1.FRRConfiguration) { delete(o.Annotations, render.AnnotationRawRefused) })
		Eventually(meds).WithArguments(ctx).Should(HaveKeyWithValue("node-1", "50"))
		reports(ctx, "", "node-1")
		Eventually(meds).WithArguments(ctx).Should(Equal(all("50")))
	})

	It("stays where FRR runs it if reloads come to fail for another reason", func(ctx context.Context) {
		everywhere(ctx)
		reports(ctx, "somebody's line", "node-1", "node-2", "node-3")
		manager.stop()
		manager = start(operator.Config, withRaw)
		Consistently(meds).WithArguments(ctx).Should(Equal(all("50")))
	})

	It("goes to another node if the first one goes down", func(ctx context.Context) {
		create(ctx, withMED(50))
		Eventually(meds).WithArguments(ctx).Should(HaveKeyWithValue("node-1", "50"))
		change(ctx, objects.Node(1), func(n *corev1.Node) {
			n.Spec.Taints = []corev1.Taint{{Key: corev1.TaintNodeUnreachable, Effect: corev1.TaintEffectNoSchedule}}
		})
		Eventually(meds).WithArguments(ctx).Should(Equal(map[string]string{"node-1": "", "node-2": "50", "node-3": ""}))
	})

	It("goes to nobody while no frr-k8s reports", func(ctx context.Context) {
		for _, node := range []string{"node-1", "node-2", "node-3"} {
			remove(ctx, &frrk8sv1beta1.FRRNodeState{ObjectMeta: metav1.ObjectMeta{Name: node}})
		}
		create(ctx, withMED(50))
		Eventually(rendered).WithArguments(ctx).Should(And(
			HaveField("Reason", "WaitsForCanary"), HaveField("Message", ContainSubstring("frr-k8s has to report success in the node's FRRNodeState first"))))
		Expect(meds(ctx)).To(Equal(all("")))
		reports(ctx, "", "node-2")
		Eventually(meds).WithArguments(ctx).Should(Equal(map[string]string{"node-1": "", "node-2": "50", "node-3": ""}))
	})

	It("is gone everywhere without the flag", func(ctx context.Context) {
		everywhere(ctx)
		manager.stop()
		manager = start(operator.Config)
		Eventually(meds).WithArguments(ctx).Should(Equal(all("")))
		Eventually(rendered).WithArguments(ctx).Should(And(HaveField("Status", metav1.ConditionFalse), HaveField("Reason", "NeedsRaw")))
		for node, o := range generated(ctx) {
			Expect(o.Spec.Raw.Config).To(BeEmpty(), node)
		}
	})
})

// eventsAbout are the reasons of events about a policy.
func eventsAbout(ctx context.Context, name string) []string {
	GinkgoHelper()
	var list eventsv1.EventList
	Expect(admin.List(ctx, &list)).To(Succeed())
	var reasons []string
	for _, e := range list.Items {
		if e.Regarding.Kind == "RoutePolicy" && e.Regarding.Name == name && e.Regarding.UID == policyUID(ctx, name) {
			reasons = append(reasons, e.Reason)
		}
	}
	return reasons
}
