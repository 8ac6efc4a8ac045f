package manager_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller"
)

// drainPolicy withdraws what is shared after a second, which is the least that the API has.
func drainPolicy(name string) *v1alpha1.DrainPolicy {
	return &v1alpha1.DrainPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       v1alpha1.DrainPolicySpec{Do: v1alpha1.DrainActions{WithdrawAfterSeconds: new(int32(1))}},
	}
}

// returningSoon is long enough for a slow machine to see what the node tells meanwhile.
func returningSoon(o *controller.Options) { o.DrainReturning = 8 * time.Second }

// draining are the nodes of a policy with their phases.
func draining(ctx context.Context, name string) func() map[string]v1alpha1.DrainPhase {
	return func() map[string]v1alpha1.DrainPhase {
		GinkgoHelper()
		var policy v1alpha1.DrainPolicy
		Expect(admin.Get(ctx, client.ObjectKey{Name: name}, &policy)).To(Succeed())
		out := map[string]v1alpha1.DrainPhase{}
		for _, n := range policy.Status.Nodes {
			out[n.Name] = n.Phase
		}
		return out
	}
}

// told is what a node tells its neighbor, with a star where it is marked for graceful
// shutdown.
func told(ctx context.Context, node string) func() []string {
	return func() []string {
		GinkgoHelper()
		var out []string
		o := generated(ctx)[node]
		if o == nil {
			return nil
		}
		for _, r := range o.Spec.BGP.Routers {
			for _, n := range r.Neighbors {
				for _, p := range n.ToAdvertise.Allowed.Prefixes {
					if slices.ContainsFunc(n.ToAdvertise.PrefixesWithCommunity, func(c frrk8sv1beta1.CommunityPrefixes) bool {
						return c.Community == "65535:0" && slices.Contains(c.Prefixes, p)
					}) {
						p += "*"
					}
					out = append(out, p)
				}
			}
		}
		return out
	}
}

// carryOut has the node's frr-k8s report that FRR has what was generated for it.
func carryOut(ctx context.Context, node string) {
	GinkgoHelper()
	var lists, maps, networks []string
	for _, r := range generated(ctx)[node].Spec.BGP.Routers {
		for _, p := range r.Prefixes {
			networks = append(networks, "  network "+p)
		}
		for _, n := range r.Neighbors {
			for i, c := range n.ToAdvertise.PrefixesWithCommunity {
				list := fmt.Sprintf("%s-%s-ipv4-community-prefixes", n.Address, c.Community)
				for j, p := range c.Prefixes {
					lists = append(lists, fmt.Sprintf("ip prefix-list %s seq %d permit %s", list, j+1, p))
				}
				maps = append(maps, fmt.Sprintf("route-map %s-out permit %d", n.Address, i+1), " match ip address prefix-list "+list, " on-match next",
					" set community "+strings.Replace(c.Community, "65535:0", "graceful-shutdown", 1)+" additive", "exit")
			}
		}
	}
	config := slices.Concat([]string{"router bgp 64512", " address-family ipv4 unicast"}, networks, []string{" exit-address-family", "exit"}, lists, maps)
	state := &frrk8sv1beta1.FRRNodeState{ObjectMeta: metav1.ObjectMeta{Name: node}}
	if err := admin.Get(ctx, client.ObjectKeyFromObject(state), state); err != nil {
		create(ctx, state)
	}
	state.Status = frrk8sv1beta1.FRRNodeStateStatus{RunningConfig: strings.Join(config, "\n"), LastConversionResult: "success", LastReloadResult: "success"}
	Expect(admin.Status().Update(ctx, state)).To(Succeed())
}

// ready creates nodes that are up: the API server taints what no kubelet has reported on.
func ready(ctx context.Context, nodes ...*corev1.Node) {
	GinkgoHelper()
	for _, n := range nodes {
		create(ctx, n)
		change(ctx, n, func(n *corev1.Node) { n.Spec.Taints = nil })
	}
}

func cordon(ctx context.Context, n *corev1.Node, yes bool) {
	GinkgoHelper()
	change(ctx, n, func(n *corev1.Node) { n.Spec.Unschedulable = yes })
}

var _ = Describe("a DrainPolicy", func() {
	BeforeEach(func(ctx context.Context) {
		reset(ctx)
		create(ctx, objects.Template("fabric", 64512), flat(), objects.Advertisement("pods", func(spec *ovnv1.RouteAdvertisementsSpec) {
			spec.NetworkSelectors = append(spec.NetworkSelectors, objects.Advertisement("", objects.OfNetworks(map[string]string{"advertise": "flat"})).Spec.NetworkSelectors...)
		}))
	})

	It("drains a cordoned node and has it back, whichever manager is there", func(ctx context.Context) {
		one, two := objects.Node(1), objects.Node(2)
		ready(ctx, one, two)
		create(ctx, drainPolicy("maintenance"))
		manager := start(operator.Config, returningSoon)
		Eventually(told(ctx, "node-1")).Should(ConsistOf("10.244.1.0/24", "10.30.0.0/16"))
		Eventually(told(ctx, "node-2")).Should(ConsistOf("10.244.2.0/24", "10.30.0.0/16"))
		carryOut(ctx, "node-1")
		carryOut(ctx, "node-2")
		manager.settle()

		By("cordoning it, which costs one write")
		cordon(ctx, one, true)
		Eventually(told(ctx, "node-1")).Should(ConsistOf("10.244.1.0/24*", "10.30.0.0/16*"))
		Eventually(draining(ctx, "maintenance")).Should(Equal(map[string]v1alpha1.DrainPhase{"node-1": v1alpha1.DrainPending}))
		Consistently(draining(ctx, "maintenance")).Should(HaveKeyWithValue("node-1", v1alpha1.DrainPending))
		Expect(manager.writes.counts()).To(HaveKeyWithValue(applyConfig, 1), manager.writes.String)

		By("FRR having it")
		manager.writes.reset()
		carryOut(ctx, "node-1")
		Eventually(draining(ctx, "maintenance")).Should(HaveKeyWithValue("node-1", Or(Equal(v1alpha1.DrainDraining), Equal(v1alpha1.DrainWithdrawn))))
		Eventually(draining(ctx, "maintenance")).Should(HaveKeyWithValue("node-1", v1alpha1.DrainWithdrawn))
		Eventually(told(ctx, "node-1")).Should(ConsistOf("10.244.1.0/24*"))
		Expect(told(ctx, "node-2")()).To(ConsistOf("10.244.2.0/24", "10.30.0.0/16"))
		carryOut(ctx, "node-1")
		manager.settle()

		By("another manager taking over")
		manager.stop()
		manager = start(operator.Config, returningSoon)
		Consistently(told(ctx, "node-1")).Should(ConsistOf("10.244.1.0/24*"))
		Expect(draining(ctx, "maintenance")()).To(HaveKeyWithValue("node-1", v1alpha1.DrainWithdrawn))
		Expect(slices.Collect(maps.Keys(manager.writes.counts()))).NotTo(ContainElement(applyConfig), manager.writes.String)

		By("uncordoning it")
		cordon(ctx, one, false)
		Eventually(draining(ctx, "maintenance")).Should(HaveKeyWithValue("node-1", v1alpha1.DrainReturning))
		Eventually(told(ctx, "node-1")).Should(ConsistOf("10.244.1.0/24*", "10.30.0.0/16*"))
		Eventually(draining(ctx, "maintenance")).Should(BeEmpty())
		Eventually(told(ctx, "node-1")).Should(ConsistOf("10.244.1.0/24", "10.30.0.0/16"))
	})

	It("costs nothing if a cordon comes and goes", func(ctx context.Context) {
		one := objects.Node(1)
		ready(ctx, one)
		create(ctx, drainPolicy("maintenance"))
		manager := start(operator.Config)
		cordon(ctx, one, true)
		Eventually(draining(ctx, "maintenance")).Should(HaveKey("node-1"))
		Eventually(told(ctx, "node-1")).Should(ConsistOf("10.244.1.0/24*", "10.30.0.0/16*"))
		manager.settle()
		cordon(ctx, one, false)
		Eventually(draining(ctx, "maintenance")).Should(HaveKeyWithValue("node-1", v1alpha1.DrainReturning))
		cordon(ctx, one, true)
		Eventually(draining(ctx, "maintenance")).Should(HaveKeyWithValue("node-1", v1alpha1.DrainPending))
		Consistently(manager.writes.counts).Should(Equal(map[string]int{"apply drainpolicies/status": 2}), manager.writes.String)
	})

	It("ends at once where it is deleted, and forgets nodes that are", func(ctx context.Context) {
		one, two := objects.Node(1), objects.Node(2)
		ready(ctx, one, two)
		create(ctx, drainPolicy("maintenance"))
		start(operator.Config)
		cordon(ctx, one, true)
		cordon(ctx, two, true)
		Eventually(draining(ctx, "maintenance")).Should(HaveLen(2))
		remove(ctx, two)
		Eventually(draining(ctx, "maintenance")).Should(HaveLen(1))
		Eventually(told(ctx, "node-1")).Should(ConsistOf("10.244.1.0/24*", "10.30.0.0/16*"))
		remove(ctx, &v1alpha1.DrainPolicy{ObjectMeta: metav1.ObjectMeta{Name: "maintenance"}})
		Eventually(told(ctx, "node-1")).Should(ConsistOf("10.244.1.0/24", "10.30.0.0/16"))
	})

	It("says for which nodes it counts", func(ctx context.Context) {
		ready(ctx, objects.Node(1))
		create(ctx, drainPolicy("a"), drainPolicy("b"))
		start(operator.Config)
		accepted := func(name string) func() string {
			return func() string {
				var policy v1alpha1.DrainPolicy
				Expect(admin.Get(ctx, client.ObjectKey{Name: name}, &policy)).To(Succeed())
				c := meta.FindStatusCondition(policy.Status.Conditions, v1alpha1.DrainPolicyAccepted)
				if c == nil {
					return ""
				}
				return fmt.Sprintf("%s %s %s", c.Status, c.Reason, c.Message)
			}
		}
		Eventually(accepted("a")).Should(Equal("True Accepted counts for 1 node"))
		Eventually(accepted("b")).Should(HavePrefix(`False NoNode DrainPolicy "a" is older`))
	})
})
