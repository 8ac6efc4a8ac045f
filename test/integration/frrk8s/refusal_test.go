package frrk8s_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
)

// soon is shorter than the pause after a refusal: what is awaited must come of
// the change itself.
const soon = 20 * time.Second

var _ = Describe("What frr-k8s' webhook refuses", Ordered, ContinueOnFailure, func() {
	BeforeAll(func(ctx context.Context) { startWebhook(ctx).install(ctx) })
	BeforeEach(func(ctx context.Context) {
		createNamespace(ctx, objects.FRRNamespace)
		createNamespace(ctx, "metallb-system")
		clear := func(ctx context.Context) {
			Expect(admin.DeleteAllOf(ctx, &ovnv1.RouteAdvertisements{})).To(Succeed())
			Expect(admin.DeleteAllOf(ctx, &ovnv1.ClusterUserDefinedNetwork{})).To(Succeed())
			empty(ctx)
		}
		clear(ctx)
		DeferCleanup(clear)
	})

	It("is left out and told, and the rest is applied", func(ctx context.Context) {
		// The webhook takes objects of all namespaces for one configuration, so
		// what the planner sees in the namespace of its templates can be fine.
		foreign := configuration("peers", onNodes(model.LabelHostname, "node-1"), func(o *frrk8sv1beta1.FRRConfiguration) {
			o.Namespace = "metallb-system"
			o.Spec.BGP.Routers[0].VRF, o.Spec.BGP.Routers[0].ASN = "blue", 65999
		})
		create(ctx, objects.Node(1), objects.Node(2), configuration("tor", template), foreign,
			blue(), advertisement("pods"), advertisement("networks", "blue"))
		startManager()

		Eventually(ctx, advertised, soon).Should(Equal(map[string][]string{
			"node-1": {"10.244.1.0/24"},
			"node-2": {"10.10.2.0/24", "10.244.2.0/24"},
		}))
		Eventually(ctx, rendered("pods"), soon).Should(haveStatus(metav1.ConditionTrue))
		Eventually(ctx, rendered("networks"), soon).Should(And(
			haveStatus(metav1.ConditionFalse),
			HaveField("Message", And(
				ContainSubstring("1 of 2 nodes"),
				ContainSubstring("node-1"),
				ContainSubstring("was refused"),
				ContainSubstring("different asns (65999 != 64512) specified for same vrf: blue"),
			)),
		))

		By("removing what it contradicts")
		Expect(admin.Delete(ctx, foreign)).To(Succeed())
		Eventually(ctx, advertised, soon).Should(Equal(map[string][]string{
			"node-1": {"10.10.1.0/24", "10.244.1.0/24"},
			"node-2": {"10.10.2.0/24", "10.244.2.0/24"},
		}))
		Eventually(ctx, rendered("networks"), soon).Should(haveStatus(metav1.ConditionTrue))
	})

	// Deletions pass no webhook: applying what is left, which is nothing, would
	// withdraw every prefix of the node.
	It("withdraws nothing where it refuses everything on a node", func(ctx context.Context) {
		// A label that makes two objects meet on a node passes no webhook.
		foreign := configuration("metallb", onNodes("rack", "b"), func(o *frrk8sv1beta1.FRRConfiguration) {
			o.Spec.BGP.Routers[0].Neighbors[0].HoldTime = &metav1.Duration{Duration: 30 * time.Second}
			o.Spec.BGP.Routers[0].Neighbors[0].KeepaliveTime = &metav1.Duration{Duration: 10 * time.Second}
		})
		node := objects.Node(1)
		create(ctx, node, configuration("tor", template), foreign, blue(), advertisement("pods"))
		startManager()
		Eventually(ctx, advertised, soon).Should(Equal(map[string][]string{"node-1": {"10.244.1.0/24"}}))

		node.Labels["rack"] = "b"
		Expect(admin.Update(ctx, node)).To(Succeed())
		create(ctx, advertisement("networks", "blue"))
		Eventually(ctx, rendered("networks"), soon).Should(And(
			haveStatus(metav1.ConditionFalse),
			HaveField("Message", ContainSubstring("neighbor 192.0.2.1 in VRF \"default\" has another hold time in FRRConfiguration frr-k8s-system/")),
		))
		Expect(advertised(ctx)).To(Equal(map[string][]string{"node-1": {"10.244.1.0/24"}}))

		By("removing what contradicts the template")
		Expect(admin.Delete(ctx, foreign)).To(Succeed())
		Eventually(ctx, advertised, soon).Should(Equal(map[string][]string{"node-1": {"10.10.1.0/24", "10.244.1.0/24"}}))
	})
})

func create(ctx context.Context, objects ...client.Object) {
	GinkgoHelper()
	for _, o := range objects {
		Expect(admin.Create(ctx, o)).To(Succeed(), "%T %s", o, o.GetName())
	}
}

// startManager starts the manager's controllers; they end with the spec.
func startManager() {
	GinkgoHelper()
	// Several managers run in this process one after the other.
	skip := true
	manager, err := ctrl.NewManager(cluster.Config, ctrl.Options{
		Scheme:                 controller.Scheme(),
		Cache:                  controller.CacheOptions(),
		Metrics:                metricsserver.Options{BindAddress: "0"},
		HealthProbeBindAddress: "0",
		Controller:             config.Controller{SkipNameValidation: &skip},
	})
	Expect(err).NotTo(HaveOccurred())
	ready, err := controller.Setup(manager, controller.Options{
		Settings:   model.Settings{Managed: model.ManagedRouting{ASN: 64600, Namespace: objects.FRRNamespace}},
		DefaultNAD: types.NamespacedName{Namespace: "ovn-kubernetes", Name: "default"},
		Workers:    2,
		StatusPace: 100 * time.Millisecond, LookForHolds: 100 * time.Millisecond,
	})
	Expect(err).NotTo(HaveOccurred())

	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- manager.Start(ctx) }()
	DeferCleanup(func() {
		cancel()
		Eventually(ended).Should(Receive(BeNil()), "the manager's end")
	})
	request := httptest.NewRequest(http.MethodGet, "/readyz", http.NoBody)
	Eventually(func() error { return ready(request) }).Should(Succeed())
}

// advertised are the prefixes that each node's generated object advertises.
func advertised(ctx context.Context) map[string][]string {
	GinkgoHelper()
	out := map[string][]string{}
	for _, o := range listConfigurations(ctx) {
		if _, generated := o.Labels[model.LabelGenerated]; !generated {
			continue
		}
		node := o.Annotations[model.AnnotationNode]
		for _, router := range o.Spec.BGP.Routers {
			for _, neighbor := range router.Neighbors {
				out[node] = append(out[node], neighbor.ToAdvertise.Allowed.Prefixes...)
			}
		}
	}
	return out
}

// rendered returns a function for the condition that says how far a
// RouteAdvertisements object got.
func rendered(name string) func(context.Context) (metav1.Condition, error) {
	return func(ctx context.Context) (metav1.Condition, error) {
		var object ovnv1.RouteAdvertisements
		if err := admin.Get(ctx, client.ObjectKey{Name: name}, &object); err != nil {
			return metav1.Condition{}, err
		}
		for _, c := range object.Status.Conditions {
			if c.Type == status.Rendered {
				return c, nil
			}
		}
		return metav1.Condition{}, nil
	}
}

func haveStatus(want metav1.ConditionStatus) OmegaMatcher { return HaveField("Status", want) }
