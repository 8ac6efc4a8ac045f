package manager_test

import (
	"context"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
)

func observing(o *controller.Options) { o.ObserveOnly = true }

var _ = Describe("A manager that only observes", func() {
	BeforeEach(reset)

	It("tells what it would do, and writes nothing else, with rights to nothing else", func(ctx context.Context) {
		create(ctx, objects.Node(1), objects.Node(2), objects.Template("fabric", 64512), objects.Advertisement("pods"), nad(ovnNamespace, "default", "default"))
		limit(ctx, "frrconfigurations", "create", "patch", "delete")
		limit(ctx, "network-attachment-definitions", "patch")
		manager := start(operator.Config, observing)
		manager.expect(map[string]int{applyStatus: 1})
		Expect(generated(ctx)).To(BeEmpty())
		Eventually(condition).WithArguments(ctx, "pods", status.Rendered).Should(And(
			HaveField("Status", metav1.ConditionFalse), HaveField("Reason", "ObserveOnly"),
			HaveField("Message", ContainSubstring("rendered on all 2 nodes"))))
		Eventually(condition).WithArguments(ctx, "pods", status.Accepted).Should(BeZero(), "nobody may act on it")
	})

	It("leaves what a working manager wrote, which goes on where that one stopped", func(ctx context.Context) {
		create(ctx, objects.Node(1), objects.Node(2), objects.Template("fabric", 64512), objects.Advertisement("pods"))
		working := start(operator.Config)
		working.expect(map[string]int{applyConfig: 2, applyStatus: 1})
		working.stop()
		before := versionsOf(ctx)

		observer := start(operator.Config, observing)
		observer.expect(map[string]int{applyStatus: 1})
		Expect(admin.Delete(ctx, objects.Node(2))).To(Succeed())
		observer.expect(map[string]int{applyStatus: 1})
		Expect(versionsOf(ctx)).To(Equal(before), "nothing is withdrawn")
		Eventually(condition).WithArguments(ctx, "pods", status.Accepted).Should(HaveField("Status", metav1.ConditionTrue))
		observer.stop()

		again := start(operator.Config)
		again.expect(map[string]int{deleteConfig: 1, applyStatus: 1})
		Eventually(condition).WithArguments(ctx, "pods", status.Rendered).Should(HaveField("Reason", "Rendered"))
	})

	It("keeps silent beside one that works", func(ctx context.Context) {
		create(ctx, objects.Node(1), objects.Template("fabric", 64512), objects.Advertisement("pods"))
		observer := start(operator.Config, observing)
		observer.expect(map[string]int{applyStatus: 1})
		working := start(operator.Config)
		Eventually(condition).WithArguments(ctx, "pods", status.Rendered).Should(HaveField("Reason", "Rendered"))
		working.settle()
		observer.settle()
		Expect(admin.Delete(ctx, objects.Node(1))).To(Succeed())
		working.settle()
		observer.expect(nil)
		Expect(condition(ctx, "pods", status.Rendered).Reason).NotTo(Equal("ObserveOnly"))
	})

	It("shows before a hand-over what taking over from OVN-Kubernetes would do", func(ctx context.Context) {
		create(ctx, objects.Node(1), objects.Template("fabric", 64512), objects.Advertisement("pods"), upstream("pods"))
		manager := start(operator.Config, observing, func(o *controller.Options) { o.Settings.TakeOver = true })
		manager.expect(map[string]int{applyStatus: 1})
		Eventually(condition).WithArguments(ctx, "pods", status.Rendered).Should(HaveField("Message", ContainSubstring("rendered on the one node")))
		Expect(admin.Get(ctx, client.ObjectKeyFromObject(upstream("pods")), upstream("pods"))).To(Succeed())
	})
})
