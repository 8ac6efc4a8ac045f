package apply_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	. "github.com/onsi/gomega/gstruct"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
)

var _ = Describe("Applier", func() {
	const node = "worker-1"
	var (
		namespace string
		applier   *apply.Applier
		operator  *wire
	)
	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		applier, operator = newApplier(cluster.Config)
	})

	It("stores exactly what was rendered", func(ctx SpecContext) {
		want := desired(namespace, node, 1)
		result, err := applier.Node(ctx, node, want, nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(result).To(Equal(apply.Result{Written: 1}))
		Expect(operator.writes()).To(Equal([]string{"PATCH ovnbgp-worker-1"}))

		got := get(ctx, namespace, "ovnbgp-worker-1")
		Expect(equality.Semantic.DeepEqual(got.Spec, want[0].Spec)).To(BeTrue(), "stored: %+v\nrendered: %+v", got.Spec, want[0].Spec)
		Expect(render.Hash(got)).To(Equal(render.Hash(want[0])))
		Expect(got.ManagedFields).To(HaveLen(1))
		Expect(got.ManagedFields[0].Manager).To(Equal("ovn-bgp-operator"))
	})

	It("splits past 50 routers into objects that the API server takes", func(ctx SpecContext) {
		result, err := applier.Node(ctx, node, desired(namespace, node, 60), nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(result.Written).To(Equal(2))
		Expect(operator.writes()).To(Equal([]string{"PATCH ovnbgp-worker-1", "PATCH ovnbgp2-worker-1"}))
	})

	It("writes nothing after a restart", func(ctx SpecContext) {
		_, err := applier.Node(ctx, node, desired(namespace, node, 60), nil)
		Expect(err).NotTo(HaveOccurred())

		restarted, wire := newApplier(cluster.Config)
		result, err := restarted.Node(ctx, node, desired(namespace, node, 60), live(ctx, namespace))
		Expect(err).NotTo(HaveOccurred())
		Expect(result).To(Equal(apply.Result{Unchanged: 2}))
		Expect(wire.writes()).To(BeEmpty())
	})

	It("writes nothing while the cache lags behind its own writes", func(ctx SpecContext) {
		By("creating")
		_, err := applier.Node(ctx, node, desired(namespace, node, 60), nil)
		Expect(err).NotTo(HaveOccurred())
		result, err := applier.Node(ctx, node, desired(namespace, node, 60), nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(result).To(Equal(apply.Result{Unchanged: 2}))

		By("updating twice what the cache has never shown")
		_, err = applier.Node(ctx, node, desired(namespace, node, 59), nil)
		Expect(err).NotTo(HaveOccurred())
		_, err = applier.Node(ctx, node, desired(namespace, node, 58), nil)
		Expect(err).NotTo(HaveOccurred())
		operator.writes()
		result, err = applier.Node(ctx, node, desired(namespace, node, 58), nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(result).To(Equal(apply.Result{Unchanged: 2}))

		By("deleting part 2, which the cache still shows afterwards, and part 1 changes")
		stale := live(ctx, namespace)
		result, err = applier.Node(ctx, node, desired(namespace, node, 1), stale)
		Expect(err).NotTo(HaveOccurred())
		Expect(result).To(Equal(apply.Result{Written: 1, Deleted: 1}))
		result, err = applier.Node(ctx, node, desired(namespace, node, 1), stale)
		Expect(err).NotTo(HaveOccurred())
		Expect(result).To(Equal(apply.Result{Unchanged: 1}))
		Expect(operator.writes()).To(Equal([]string{"PATCH ovnbgp-worker-1", "DELETE ovnbgp2-worker-1"}))

		By("needing part 2 again while the cache still shows the deleted one")
		result, err = applier.Node(ctx, node, desired(namespace, node, 60), stale)
		Expect(err).NotTo(HaveOccurred())
		Expect(result).To(Equal(apply.Result{Written: 2}))
		result, err = applier.Node(ctx, node, desired(namespace, node, 60), stale)
		Expect(err).NotTo(HaveOccurred())
		Expect(result).To(Equal(apply.Result{Unchanged: 2}))
	})

	It("deletes what it wrote and the cache has never shown", func(ctx SpecContext) {
		_, err := applier.Node(ctx, node, desired(namespace, node, 60), nil)
		Expect(err).NotTo(HaveOccurred())
		result, err := applier.Node(ctx, node, nil, nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(result).To(Equal(apply.Result{Deleted: 2}))
		Expect(live(ctx, namespace)).To(BeEmpty())
	})

	It("makes again what somebody deletes", func(ctx SpecContext) {
		_, err := applier.Node(ctx, node, desired(namespace, node, 1), nil)
		Expect(err).NotTo(HaveOccurred())

		By("deleting it before the cache has shown it")
		o := get(ctx, namespace, "ovnbgp-worker-1")
		Expect(admin.Delete(ctx, o)).To(Succeed())
		Expect(applier.Gone(o)).To(BeFalse())
		result, err := applier.Node(ctx, node, desired(namespace, node, 1), nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(result).To(Equal(apply.Result{Written: 1}))

		By("deleting it after the cache has shown it, while an update is not shown yet")
		_, err = applier.Node(ctx, node, desired(namespace, node, 2), live(ctx, namespace))
		Expect(err).NotTo(HaveOccurred())
		Expect(admin.Delete(ctx, get(ctx, namespace, "ovnbgp-worker-1"))).To(Succeed())
		result, err = applier.Node(ctx, node, desired(namespace, node, 2), nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(result).To(Equal(apply.Result{Written: 1}))
	})

	It("names nodes whose writes no watch has shown for long", func(ctx SpecContext) {
		_, err := applier.Node(ctx, node, desired(namespace, node, 1), nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(admin.Delete(ctx, get(ctx, namespace, "ovnbgp-worker-1"))).To(Succeed())
		Expect(applier.Overdue(time.Hour)).To(BeEmpty())
		Expect(applier.Overdue(-time.Hour)).To(Equal([]string{node}))
		result, err := applier.Node(ctx, node, desired(namespace, node, 1), nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(result).To(Equal(apply.Result{Written: 1}))
	})

	It("tells the echo of its own writes from foreign changes", func(ctx SpecContext) {
		_, err := applier.Node(ctx, node, desired(namespace, node, 1), nil)
		Expect(err).NotTo(HaveOccurred())
		o := get(ctx, namespace, "ovnbgp-worker-1")
		Expect(applier.Seen(o.DeepCopy())).To(BeTrue(), "its own write")
		Expect(applier.Seen(o.DeepCopy())).To(BeFalse(), "shown before")
		Expect(applier.Overdue(-time.Hour)).To(BeEmpty())

		o.Spec.BGP.Routers[0].ASN = 1
		Expect(admin.Update(ctx, o)).To(Succeed())
		Expect(applier.Seen(o.DeepCopy())).To(BeFalse(), "a foreign edit")

		_, err = applier.Node(ctx, node, nil, live(ctx, namespace))
		Expect(err).NotTo(HaveOccurred())
		Expect(applier.Gone(o)).To(BeTrue(), "its own deletion")
	})

	DescribeTable("puts foreign edits back with one write",
		func(ctx SpecContext, edit func(*frrk8sv1beta1.FRRConfiguration)) {
			_, err := applier.Node(ctx, node, desired(namespace, node, 1), nil)
			Expect(err).NotTo(HaveOccurred())
			before := get(ctx, namespace, "ovnbgp-worker-1")
			edited := before.DeepCopy()
			edit(edited)
			Expect(admin.Update(ctx, edited)).To(Succeed())
			operator.writes()

			for range 2 {
				_, err = applier.Node(ctx, node, desired(namespace, node, 1), live(ctx, namespace))
				Expect(err).NotTo(HaveOccurred())
			}
			Expect(operator.writes()).To(Equal([]string{"PATCH ovnbgp-worker-1"}))
			after := get(ctx, namespace, "ovnbgp-worker-1")
			Expect(render.Hash(after)).To(Equal(render.Hash(before)), "after: %+v", after.Spec)
		},
		Entry("of a router", func(o *frrk8sv1beta1.FRRConfiguration) { o.Spec.BGP.Routers[0].ASN = 1 }),
		Entry("that adds a router", func(o *frrk8sv1beta1.FRRConfiguration) {
			o.Spec.BGP.Routers = append(o.Spec.BGP.Routers, frrk8sv1beta1.Router{ASN: 1, VRF: "red"})
		}),
		Entry("that adds communities", func(o *frrk8sv1beta1.FRRConfiguration) {
			o.Spec.BGP.Routers[0].Neighbors[0].ToAdvertise.PrefixesWithCommunity = []frrk8sv1beta1.CommunityPrefixes{
				{Community: "64512:1", Prefixes: []string{"10.244.1.0/24"}},
			}
		}),
		Entry("that adds raw configuration", func(o *frrk8sv1beta1.FRRConfiguration) {
			o.Spec.Raw = frrk8sv1beta1.RawConfig{Priority: 5, Config: "router bgp 1"}
		}),
		Entry("that removes all routers", func(o *frrk8sv1beta1.FRRConfiguration) { o.Spec.BGP = frrk8sv1beta1.BGPConfig{} }),
		Entry("that adds a BFD profile", func(o *frrk8sv1beta1.FRRConfiguration) {
			o.Spec.BGP.BFDProfiles = append(o.Spec.BGP.BFDProfiles, frrk8sv1beta1.BFDProfile{Name: "slow"})
		}),
		Entry("of the node selector", func(o *frrk8sv1beta1.FRRConfiguration) {
			o.Spec.NodeSelector.MatchLabels["rack"] = "1"
		}),
		Entry("that removes our label", func(o *frrk8sv1beta1.FRRConfiguration) { delete(o.Labels, "ovnbgp.io/generated") }),
		Entry("of our label", func(o *frrk8sv1beta1.FRRConfiguration) { o.Labels["ovnbgp.io/generated"] = "false" }),
		Entry("of the annotation with the node", func(o *frrk8sv1beta1.FRRConfiguration) { o.Annotations["ovnbgp.io/node"] = "worker-2" }),
		Entry("of the annotation for people", func(o *frrk8sv1beta1.FRRConfiguration) {
			delete(o.Annotations, "ovnbgp.io/route-advertisements")
		}),
		Entry("that plays the cache's private hash", func(o *frrk8sv1beta1.FRRConfiguration) {
			o.Annotations["ovnbgp.io/live-hash"] = o.ResourceVersion + "/0"
			o.Spec.BGP.Routers = nil
		}),
	)

	It("leaves foreign labels and annotations alone", func(ctx SpecContext) {
		_, err := applier.Node(ctx, node, desired(namespace, node, 1), nil)
		Expect(err).NotTo(HaveOccurred())
		o := get(ctx, namespace, "ovnbgp-worker-1")
		o.Labels["team"], o.Annotations["team"] = "net", "net"
		Expect(admin.Update(ctx, o)).To(Succeed())
		operator.writes()
		_, err = applier.Node(ctx, node, desired(namespace, node, 1), live(ctx, namespace))
		Expect(err).NotTo(HaveOccurred())
		Expect(operator.writes()).To(BeEmpty())
		_, err = applier.Node(ctx, node, desired(namespace, node, 2), live(ctx, namespace))
		Expect(err).NotTo(HaveOccurred())
		Expect(get(ctx, namespace, "ovnbgp-worker-1").Labels).To(HaveKeyWithValue("team", "net"))
	})

	It("never touches objects without our marks", func(ctx SpecContext) {
		foreign := desired(namespace, node, 1)[0].DeepCopy()
		foreign.Labels, foreign.Annotations = nil, nil
		Expect(admin.Create(ctx, foreign)).To(Succeed())
		before := get(ctx, namespace, foreign.Name)

		By("needing its name")
		result, err := applier.Node(ctx, node, desired(namespace, node, 60), live(ctx, namespace))
		Expect(result).To(Equal(apply.Result{Written: 1}))
		Expect(kindOf(err)).To(Equal(apply.NotOurs))
		Expect(err).To(MatchError(ContainSubstring(namespace + "/ovnbgp-worker-1 is not the operator's")))
		Expect(apply.IsRefused(err)).To(BeFalse())

		By("needing nothing any more")
		result, err = applier.Node(ctx, node, nil, live(ctx, namespace))
		Expect(err).NotTo(HaveOccurred())
		Expect(result).To(Equal(apply.Result{Deleted: 1}))
		Expect(get(ctx, namespace, foreign.Name)).To(Equal(before))
	})

	It("deletes only the very object that it looked at", func(ctx SpecContext) {
		_, err := applier.Node(ctx, node, desired(namespace, node, 1), nil)
		Expect(err).NotTo(HaveOccurred())
		restarted, _ := newApplier(cluster.Config)
		stale := live(ctx, namespace)
		o := get(ctx, namespace, "ovnbgp-worker-1")
		o.Labels["changed"] = "since"
		Expect(admin.Update(ctx, o)).To(Succeed())

		result, err := restarted.Node(ctx, node, nil, stale)
		Expect(result.Deleted).To(BeZero())
		Expect(kindOf(err)).To(Equal(apply.Conflict))
		get(ctx, namespace, "ovnbgp-worker-1")

		By("finding it gone already")
		Expect(admin.Delete(ctx, o)).To(Succeed())
		result, err = restarted.Node(ctx, node, nil, stale)
		Expect(err).NotTo(HaveOccurred())
		Expect(result).To(Equal(apply.Result{}))
	})

	It("deletes nothing where a write failed", func(ctx SpecContext) {
		_, err := applier.Node(ctx, node, desired(namespace, node, 60), nil)
		Expect(err).NotTo(HaveOccurred())
		bad := desired(namespace, node, 2)
		bad[0].Spec.BGP.Routers[0].Neighbors[0].AllowAsIn = "11"
		result, err := applier.Node(ctx, node, bad, live(ctx, namespace))
		Expect(apply.IsRefused(err)).To(BeTrue())
		Expect(result).To(Equal(apply.Result{}))
		Expect(live(ctx, namespace)).To(HaveLen(2))
	})

	It("does not wait for finalizers, and does not delete twice", func(ctx SpecContext) {
		_, err := applier.Node(ctx, node, desired(namespace, node, 1), nil)
		Expect(err).NotTo(HaveOccurred())
		o := get(ctx, namespace, "ovnbgp-worker-1")
		o.Finalizers = []string{"example.com/hold"}
		Expect(admin.Update(ctx, o)).To(Succeed())
		for range 2 {
			_, err = applier.Node(ctx, node, nil, live(ctx, namespace))
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(operator.writes()).To(Equal([]string{"PATCH ovnbgp-worker-1", "DELETE ovnbgp-worker-1"}))
		o = get(ctx, namespace, "ovnbgp-worker-1")
		o.Finalizers = nil
		Expect(admin.Update(ctx, o)).To(Succeed())
	})

	It("does not write without end what the API server stores differently", func(ctx SpecContext) {
		By("sending what the server defaults, which stands for any alteration")
		altered := func() []*frrk8sv1beta1.FRRConfiguration {
			objects := desired(namespace, node, 1)
			objects[0].Spec.BGP.Routers[0].Neighbors[1].AddressFamilies = nil
			return objects
		}
		key := types.NamespacedName{Namespace: namespace, Name: "ovnbgp-worker-1"}
		result, err := applier.Node(ctx, node, altered(), nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(result).To(Equal(apply.Result{Written: 1, Altered: []types.NamespacedName{key}}))
		result, err = applier.Node(ctx, node, altered(), live(ctx, namespace))
		Expect(err).NotTo(HaveOccurred())
		Expect(result).To(Equal(apply.Result{Unchanged: 1, Altered: []types.NamespacedName{key}}))
		Expect(operator.writes()).To(HaveLen(1))

		By("still putting a foreign edit back")
		o := get(ctx, namespace, "ovnbgp-worker-1")
		o.Spec.BGP.Routers[0].ASN = 1
		Expect(admin.Update(ctx, o)).To(Succeed())
		result, err = applier.Node(ctx, node, altered(), live(ctx, namespace))
		Expect(err).NotTo(HaveOccurred())
		Expect(result).To(MatchFields(IgnoreExtras, Fields{"Written": Equal(1)}))
	})

	It("tries without writing", func(ctx SpecContext) {
		Expect(applier.Try(ctx, desired(namespace, node, 60))).To(Succeed())
		bad := desired(namespace, node, 2)
		bad[0].Spec.BGP.Routers[0].Neighbors[0].AllowAsIn = "11"
		Expect(apply.IsRefused(applier.Try(ctx, bad))).To(BeTrue())
		Expect(operator.writes()).To(BeEmpty())
		var list frrk8sv1beta1.FRRConfigurationList
		Expect(admin.List(ctx, &list, client.InNamespace(namespace))).To(Succeed())
		Expect(list.Items).To(BeEmpty())
	})
})
