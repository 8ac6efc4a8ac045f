package manager_test

import (
	"context"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
)

// Three nodes advertise the default network when each of these begins.
var _ = Describe("What a change leads to", func() {
	var manager *instance

	BeforeEach(func(ctx context.Context) {
		reset(ctx)
		create(ctx, objects.Node(1), objects.Node(2), objects.Node(3), objects.Template("fabric", 64512), objects.Advertisement("pods"))
		manager = start(operator.Config)
		manager.expect(map[string]int{applyConfig: 3, applyStatus: 1})
	})

	Describe("in the beginning", func() {
		It("writes one object per node, and says so", func(ctx context.Context) {
			Eventually(prefixes).WithArguments(ctx).Should(Equal(map[string][]string{
				"node-1": {"10.244.1.0/24"}, "node-2": {"10.244.2.0/24"}, "node-3": {"10.244.3.0/24"},
			}))
			Eventually(condition).WithArguments(ctx, "pods", status.Accepted).Should(HaveField("Status", metav1.ConditionTrue))
			Eventually(condition).WithArguments(ctx, "pods", status.Rendered).Should(And(
				HaveField("Status", metav1.ConditionTrue), HaveField("Message", ContainSubstring("all 3 nodes"))))
		})

		It("makes an event of it, once", func(ctx context.Context) {
			about := func() []string {
				var list eventsv1.EventList
				Expect(admin.List(ctx, &list)).To(Succeed())
				var reasons []string
				for _, e := range list.Items {
					if e.Regarding.Kind == "RouteAdvertisements" && e.Regarding.UID == advertisementUID(ctx, "pods") {
						Expect(e.Series).To(BeNil(), "%s happens again and again", e.Reason)
						reasons = append(reasons, e.Reason)
					}
				}
				return reasons
			}
			Eventually(about).Should(ConsistOf("Accepted", "Rendered"))
			create(ctx, objects.Node(4))
			manager.expect(map[string]int{applyConfig: 1, applyStatus: 1})
			manager.stop()
			start(operator.Config).expect(nil)
			Consistently(about).Should(ConsistOf("Accepted", "Rendered"))
		})

		It("writes nothing after a restart", func(ctx context.Context) {
			manager.stop()
			again := start(operator.Config)
			again.expect(nil)
		})

		It("catches up after a restart with what changed meanwhile, and no more", func(ctx context.Context) {
			manager.stop()
			change(ctx, objects.Node(2), func(n *corev1.Node) {
				n.Annotations[ovnk.AnnotationNodeSubnets] = `{"default":["10.244.22.0/24"]}`
			})
			remove(ctx, objects.Node(3))
			again := start(operator.Config)
			again.expect(map[string]int{applyConfig: 1, deleteConfig: 1, applyStatus: 1})
			Eventually(prefixes).WithArguments(ctx).Should(Equal(map[string][]string{"node-1": {"10.244.1.0/24"}, "node-2": {"10.244.22.0/24"}}))
		})
	})

	Describe("of a Node", func() {
		It("that joins writes its object", func(ctx context.Context) {
			create(ctx, objects.Node(4))
			manager.expect(map[string]int{applyConfig: 1, applyStatus: 1})
			Eventually(prefixes).WithArguments(ctx).Should(HaveKeyWithValue("node-4", []string{"10.244.4.0/24"}))
		})

		It("whose subnet changes writes its object only", func(ctx context.Context) {
			change(ctx, objects.Node(2), func(n *corev1.Node) {
				n.Annotations[ovnk.AnnotationNodeSubnets] = `{"default":["10.244.22.0/24"]}`
			})
			manager.expect(map[string]int{applyConfig: 1})
			Eventually(prefixes).WithArguments(ctx).Should(HaveKeyWithValue("node-2", []string{"10.244.22.0/24"}))
		})

		It("that reports its health writes nothing", func(ctx context.Context) {
			n := objects.Node(2)
			Expect(admin.Get(ctx, client.ObjectKeyFromObject(n), n)).To(Succeed())
			n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
			Expect(admin.Status().Update(ctx, n)).To(Succeed())
			change(ctx, n, func(n *corev1.Node) { n.Annotations["example.com/note"] = "x" })
			manager.expect(nil)
		})

		It("that loses its subnets keeps what was applied, and is named", func(ctx context.Context) {
			change(ctx, objects.Node(2), func(n *corev1.Node) { delete(n.Annotations, ovnk.AnnotationNodeSubnets) })
			manager.expect(map[string]int{applyStatus: 1})
			Eventually(prefixes).WithArguments(ctx).Should(HaveKeyWithValue("node-2", []string{"10.244.2.0/24"}))
			Eventually(condition).WithArguments(ctx, "pods", status.Rendered).Should(And(
				HaveField("Status", metav1.ConditionFalse), HaveField("Message", ContainSubstring("node-2"))))
		})

		It("that loses its subnets keeps nothing of RouteAdvertisements that are gone", func(ctx context.Context) {
			create(ctx, blue(), objects.Advertisement("blue", objects.OfNetworks(map[string]string{"advertise": "yes"})))
			manager.settle()
			Eventually(prefixes).WithArguments(ctx).Should(HaveKeyWithValue("node-2", ConsistOf("10.10.2.0/24", "10.244.2.0/24")))
			change(ctx, objects.Node(2), func(n *corev1.Node) { n.Annotations[ovnk.AnnotationNodeSubnets] = "spoiled" })
			manager.settle()
			remove(ctx, objects.Advertisement("blue"))
			manager.settle()
			Eventually(prefixes).WithArguments(ctx).Should(HaveKeyWithValue("node-2", []string{"10.244.2.0/24"}))
			Eventually(condition).WithArguments(ctx, "pods", status.Rendered).Should(HaveField("Message", ContainSubstring("node-2")))
		})

		It("that leaves takes its object along", func(ctx context.Context) {
			remove(ctx, objects.Node(3))
			manager.expect(map[string]int{deleteConfig: 1, applyStatus: 1})
			Expect(generated(ctx)).NotTo(HaveKey("node-3"))
		})
	})

	Describe("of RouteAdvertisements", func() {
		It("that are deleted leaves nothing behind", func(ctx context.Context) {
			remove(ctx, objects.Advertisement("pods"))
			manager.expect(map[string]int{deleteConfig: 3})
			Expect(generated(ctx)).To(BeEmpty())
		})

		It("that stop selecting is written everywhere", func(ctx context.Context) {
			change(ctx, objects.Advertisement("pods"), func(ra *ovnv1.RouteAdvertisements) {
				ra.Spec.FRRConfigurationSelector.MatchLabels = map[string]string{"use": "nothing"}
			})
			manager.settle()
			Eventually(condition).WithArguments(ctx, "pods", status.Accepted).Should(And(
				HaveField("Status", metav1.ConditionFalse), HaveField("ObservedGeneration", BeEquivalentTo(2))))
		})

		It("beside others writes every node once more", func(ctx context.Context) {
			create(ctx, blue(), objects.Advertisement("blue", objects.OfNetworks(map[string]string{"advertise": "yes"})))
			manager.settle()
			Eventually(prefixes).WithArguments(ctx).Should(HaveKeyWithValue("node-1", ConsistOf("10.10.1.0/24", "10.244.1.0/24")))
			remove(ctx, objects.Advertisement("blue"))
			manager.expect(map[string]int{applyConfig: 3})
			Eventually(prefixes).WithArguments(ctx).Should(HaveKeyWithValue("node-1", []string{"10.244.1.0/24"}))
		})

		It("whose status others change is put back", func(ctx context.Context) {
			ra := objects.Advertisement("pods")
			Expect(admin.Get(ctx, client.ObjectKeyFromObject(ra), ra)).To(Succeed())
			ra.Status.Conditions[0].Message = "all is lost"
			Expect(admin.Status().Update(ctx, ra)).To(Succeed())
			manager.expect(map[string]int{applyStatus: 1})
			Expect(condition(ctx, "pods", ra.Status.Conditions[0].Type).Message).NotTo(ContainSubstring("lost"))
		})
	})

	Describe("of an FRRConfiguration", func() {
		It("that is a template is written on every node", func(ctx context.Context) {
			change(ctx, objects.Template("fabric", 64512), func(c *frrk8sv1beta1.FRRConfiguration) {
				c.Spec.BGP.Routers[0].Neighbors[0].EBGPMultiHop = true
			})
			manager.expect(map[string]int{applyConfig: 3})
		})

		It("that is a template for one node is written there", func(ctx context.Context) {
			extra := objects.Template("extra", 64512)
			extra.Spec.NodeSelector.MatchLabels = map[string]string{model.LabelHostname: "node-2"}
			extra.Spec.BGP.Routers[0].Neighbors[0].Address = "192.0.2.2"
			create(ctx, extra)
			manager.expect(map[string]int{applyConfig: 1})
			remove(ctx, extra)
			manager.expect(map[string]int{applyConfig: 1})
		})

		It("that nobody selects writes nothing", func(ctx context.Context) {
			other := objects.Template("other", 64512)
			other.Labels = nil
			create(ctx, other)
			manager.expect(nil)
			change(ctx, other, func(c *frrk8sv1beta1.FRRConfiguration) { c.Spec.Raw.Config = "! a comment" })
			manager.expect(nil)
			remove(ctx, other)
			manager.expect(nil)
		})

		It("that was generated is put back when others change it", func(ctx context.Context) {
			before := generated(ctx)["node-2"]
			change(ctx, before.DeepCopy(), func(c *frrk8sv1beta1.FRRConfiguration) {
				c.Spec.BGP.Routers[0].Prefixes = append(c.Spec.BGP.Routers[0].Prefixes, "198.51.100.0/24")
				c.Spec.BGP.Routers[0].Neighbors[0].ToAdvertise.Allowed.Prefixes = []string{"198.51.100.0/24"}
			})
			manager.expect(map[string]int{applyConfig: 1})
			Expect(generated(ctx)["node-2"].Spec).To(Equal(before.Spec))
		})

		It("that was generated is put back when others delete it", func(ctx context.Context) {
			before := generated(ctx)["node-2"]
			remove(ctx, before.DeepCopy())
			manager.expect(map[string]int{applyConfig: 1})
			Expect(generated(ctx)["node-2"].Spec).To(Equal(before.Spec))
		})
	})

	Describe("of a ClusterUserDefinedNetwork", func() {
		BeforeEach(func(ctx context.Context) {
			create(ctx, objects.Advertisement("blue", objects.OfNetworks(map[string]string{"advertise": "yes"})))
			manager.expect(map[string]int{applyStatus: 1})
		})

		It("is written when it comes, is labelled, and goes", func(ctx context.Context) {
			network := blue()
			create(ctx, network)
			manager.expect(map[string]int{applyConfig: 3, applyStatus: 1})
			Eventually(prefixes).WithArguments(ctx).Should(HaveKeyWithValue("node-1", ConsistOf("10.10.1.0/24", "10.244.1.0/24")))

			change(ctx, network, func(c *ovnv1.ClusterUserDefinedNetwork) { c.Labels["advertise"] = "no" })
			manager.expect(map[string]int{applyConfig: 3, applyStatus: 1})
			Eventually(prefixes).WithArguments(ctx).Should(HaveKeyWithValue("node-1", []string{"10.244.1.0/24"}))

			change(ctx, network, func(c *ovnv1.ClusterUserDefinedNetwork) { c.Labels["advertise"] = "yes" })
			manager.expect(map[string]int{applyConfig: 3, applyStatus: 1})

			remove(ctx, network)
			manager.expect(map[string]int{applyConfig: 3, applyStatus: 1})
		})

		It("whose VRF becomes known under another name is written", func(ctx context.Context) {
			network := blue()
			create(ctx, network)
			manager.expect(map[string]int{applyConfig: 3, applyStatus: 1})
			network.Status.VRFName = "mp5-udn-vrf"
			Expect(admin.Status().Update(ctx, network)).To(Succeed())
			manager.expect(map[string]int{applyConfig: 3})
		})
	})

	Describe("of EgressIPs and namespaces", func() {
		It("is written on the nodes that are concerned", func(ctx context.Context) {
			createNamespace(ctx, "tenant-red")
			create(ctx, objects.Advertisement("egress", ofEgressIPs))
			manager.expect(map[string]int{applyStatus: 1})

			ip := egressIP("red", "red", "node-1", "192.0.2.100")
			create(ctx, ip)
			manager.expect(nil)

			tenant := namespace("tenant-red")
			change(ctx, tenant, func(n *corev1.Namespace) { n.Labels["tenant"] = "red" })
			manager.expect(map[string]int{applyConfig: 1, applyStatus: 1})
			Eventually(prefixes).WithArguments(ctx).Should(HaveKeyWithValue("node-1", ConsistOf("10.244.1.0/24", "192.0.2.100/32")))

			change(ctx, ip, func(e *ovnv1.EgressIP) { e.Status.Items[0].Node = "node-2" })
			manager.expect(map[string]int{applyConfig: 2})
			Eventually(prefixes).WithArguments(ctx).Should(HaveKeyWithValue("node-2", ConsistOf("10.244.2.0/24", "192.0.2.100/32")))

			deleteNamespace(ctx, tenant)
			manager.expect(map[string]int{applyConfig: 1, applyStatus: 1})
			Eventually(prefixes).WithArguments(ctx).Should(HaveKeyWithValue("node-2", []string{"10.244.2.0/24"}))

			remove(ctx, ip)
			manager.expect(nil)
		})
	})

	Describe("of a VTEP", func() {
		It("writes nothing", func(ctx context.Context) {
			vtep := &ovnv1.VTEP{ObjectMeta: metav1.ObjectMeta{Name: "vtep"}, Spec: ovnv1.VTEPSpec{CIDRs: ovnv1.VTEPCIDRs{"100.64.0.0/24"}}}
			create(ctx, vtep)
			remove(ctx, vtep)
			manager.expect(nil)
		})
	})

	Describe("of what an agent reports", func() {
		It("withdraws a Layer2 network where it is not active, and nowhere else", func(ctx context.Context) {
			create(ctx, objects.Advertisement("flat", objects.OfNetworks(map[string]string{"advertise": "flat"})), flat())
			manager.expect(map[string]int{applyConfig: 3, applyStatus: 1})
			const own, whole = "10.244.2.0/24", "10.30.0.0/16"
			Eventually(prefixes).WithArguments(ctx).Should(And(
				HaveKeyWithValue("node-1", ConsistOf("10.244.1.0/24", whole)), HaveKeyWithValue("node-2", ConsistOf(own, whole))), "nobody says where it is active")

			report := func(age time.Duration, absent ...string) {
				GinkgoHelper()
				state := &v1alpha1.NodeRouteState{ObjectMeta: metav1.ObjectMeta{Name: "node-2"}}
				if err := admin.Get(ctx, client.ObjectKeyFromObject(state), state); err != nil {
					create(ctx, state)
				}
				state.Status = v1alpha1.NodeRouteStateStatus{AbsentNetworks: absent, AbsentTime: &metav1.Time{Time: time.Now().Add(-age)}}
				Expect(admin.Status().Update(ctx, state)).To(Succeed())
			}
			report(0, "cluster_udn_flat")
			manager.expect(map[string]int{applyConfig: 1, applyStatus: 1})
			Expect(prefixes(ctx)).To(And(HaveKeyWithValue("node-1", ConsistOf("10.244.1.0/24", whole)), HaveKeyWithValue("node-2", ConsistOf(own))))
			Expect(condition(ctx, "flat", status.Rendered)).To(And(
				HaveField("Status", metav1.ConditionTrue), HaveField("Message", ContainSubstring("not set up on a node"))))
			report(time.Minute, "cluster_udn_flat")
			manager.expect(nil)

			report(0)
			manager.expect(map[string]int{applyConfig: 1, applyStatus: 1})
			Expect(prefixes(ctx)).To(HaveKeyWithValue("node-2", ConsistOf(own, whole)))

			// An agent that is gone is believed for half an hour.
			report(30*time.Minute-5*time.Second, "cluster_udn_flat")
			manager.expect(map[string]int{applyConfig: 1, applyStatus: 1})
			Eventually(prefixes).WithArguments(ctx).WithTimeout(20 * time.Second).Should(HaveKeyWithValue("node-2", ConsistOf(own, whole)))
		})

		It("names the nodes whose agents don't say where networks are that OVN-Kubernetes allocates dynamically", func(ctx context.Context) {
			network := flat()
			create(ctx, objects.Advertisement("flat", objects.OfNetworks(map[string]string{"advertise": "flat"})), network)
			manager.expect(map[string]int{applyConfig: 3, applyStatus: 1})
			network.Status.Conditions = []metav1.Condition{{Type: "NodesSelected", Status: metav1.ConditionTrue, Reason: "DynamicAllocation",
				Message: "1 node(s) rendered with network", LastTransitionTime: metav1.Now()}}
			Expect(admin.Status().Update(ctx, network)).To(Succeed())
			manager.expect(map[string]int{applyStatus: 1})
			note := func() metav1.Condition { return condition(ctx, "flat", status.Rendered) }
			Expect(note()).To(And(HaveField("Status", metav1.ConditionTrue), HaveField("Message", ContainSubstring("node-1, node-2, node-3 (OVN-Kubernetes sets networks up only on nodes with pods"))))

			state := &v1alpha1.NodeRouteState{ObjectMeta: metav1.ObjectMeta{Name: "node-2"}}
			create(ctx, state)
			state.Status.AbsentTime = new(metav1.Now())
			Expect(admin.Status().Update(ctx, state)).To(Succeed())
			manager.expect(map[string]int{applyStatus: 1})
			Expect(note()).To(HaveField("Message", ContainSubstring("note: node-1, node-3 (")))
		})
	})

	Describe("of what frr-k8s reports", func() {
		It("is told in a condition", func(ctx context.Context) {
			report := func(n, config, result string) {
				GinkgoHelper()
				state := &frrk8sv1beta1.FRRNodeState{ObjectMeta: metav1.ObjectMeta{Name: n}}
				if err := admin.Get(ctx, client.ObjectKeyFromObject(state), state); err != nil {
					create(ctx, state)
				}
				state.Status = frrk8sv1beta1.FRRNodeStateStatus{RunningConfig: config, LastConversionResult: result, LastReloadResult: "success"}
				Expect(admin.Status().Update(ctx, state)).To(Succeed())
			}
			running := func(prefix string) string {
				return "router bgp 64512\n address-family ipv4 unicast\n  network " + prefix + "\n exit-address-family\nexit\n"
			}
			report("node-1", running("10.244.1.0/24"), "success")
			report("node-2", running("198.51.100.0/24"), "success")
			report("node-3", running("10.244.3.0/24"), "success")
			Eventually(func() metav1.Condition { return condition(ctx, "pods", status.FRRConfigured) }).Should(And(
				HaveField("Status", metav1.ConditionFalse), HaveField("Message", ContainSubstring("2 of 3"))))
			report("node-2", running("10.244.2.0/24"), "success")
			Eventually(func() metav1.Condition { return condition(ctx, "pods", status.FRRConfigured) }).Should(
				HaveField("Status", metav1.ConditionTrue))
			report("node-2", running("10.244.2.0/24"), "two ASNs in one VRF")
			Eventually(func() metav1.Condition { return condition(ctx, "pods", status.FRRConfigured) }).Should(And(
				HaveField("Status", metav1.ConditionFalse), HaveField("Message", ContainSubstring("two ASNs"))))
			Expect(manager.writes.counts()).To(HaveLen(1), "nothing but the status is written: %s", manager.writes)
			Expect(manager.writes.counts()).To(HaveKey(applyStatus))
		})
	})
})

func advertisementUID(ctx context.Context, name string) types.UID {
	GinkgoHelper()
	ra := objects.Advertisement(name)
	Expect(admin.Get(ctx, client.ObjectKeyFromObject(ra), ra)).To(Succeed())
	return ra.UID
}

// deleteNamespace does what the namespace controller, which is not there,
// would do in the end.
func deleteNamespace(ctx context.Context, n *corev1.Namespace) {
	GinkgoHelper()
	remove(ctx, n)
	Expect(admin.Get(ctx, client.ObjectKeyFromObject(n), n)).To(Succeed())
	n.Spec.Finalizers = nil
	clients, err := kubernetes.NewForConfig(cluster.Config)
	Expect(err).NotTo(HaveOccurred())
	_, err = clients.CoreV1().Namespaces().Finalize(ctx, n, metav1.UpdateOptions{})
	Expect(err).NotTo(HaveOccurred())
}
