package manager_test

import (
	"context"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// advertisedOn are the networks that a node's NodeNetworks says are advertised.
func advertisedOn(ctx context.Context, node string) func() []string {
	return func() []string {
		var object v1alpha1.NodeNetworks
		if err := admin.Get(ctx, client.ObjectKey{Name: node}, &object); err != nil {
			return []string{err.Error()}
		}
		out := []string{}
		for i := range object.Spec.Networks {
			if n := &object.Spec.Networks[i]; len(n.AdvertisedIn) > 0 {
				out = append(out, n.Name)
			}
		}
		return out
	}
}

var _ = Describe("NodeNetworks", func() {
	BeforeEach(reset)

	It("say what is advertised from the node, with one write for each that changes", func(ctx context.Context) {
		one, two := objects.Node(1), objects.Node(2)
		create(ctx, one, two, objects.Template("fabric", 64512), blue())
		manager := start(operator.Config)
		Eventually(advertisedOn(ctx, one.Name)).Should(BeEmpty())
		Eventually(advertisedOn(ctx, two.Name)).Should(BeEmpty())
		manager.settle()

		create(ctx, objects.Advertisement("pods"))
		Eventually(advertisedOn(ctx, one.Name)).Should(ConsistOf("default"))
		Eventually(advertisedOn(ctx, two.Name)).Should(ConsistOf("default"))
		Consistently(manager.writes.ofNetworks).Should(Equal(2), manager.writes.String)
		manager.stop()

		By("restarting, which writes nothing")
		manager = start(operator.Config)
		Consistently(manager.writes.ofNetworks).Should(BeZero(), manager.writes.String)

		By("taking away a node's subnets, which keeps what it has")
		var node corev1.Node
		Expect(admin.Get(ctx, client.ObjectKeyFromObject(one), &node)).To(Succeed())
		delete(node.Annotations, ovnk.AnnotationNodeSubnets)
		Expect(admin.Update(ctx, &node)).To(Succeed())
		Consistently(advertisedOn(ctx, one.Name)).Should(ConsistOf("default"))

		By("putting back what somebody else changed, and what he deleted")
		var object v1alpha1.NodeNetworks
		Expect(admin.Get(ctx, client.ObjectKeyFromObject(two), &object)).To(Succeed())
		object.Spec.Networks = nil
		Expect(admin.Update(ctx, &object)).To(Succeed())
		Eventually(advertisedOn(ctx, two.Name)).Should(ConsistOf("default"))
		Expect(admin.Delete(ctx, &object)).To(Succeed())
		Eventually(advertisedOn(ctx, two.Name)).Should(ConsistOf("default"))

		By("deleting a node while no manager runs")
		manager.stop()
		Expect(admin.Delete(ctx, two)).To(Succeed())
		start(operator.Config)
		Eventually(advertisedOn(ctx, two.Name)).Should(ConsistOf(ContainSubstring("not found")))
	})

	It("come after the FRRConfigurations, so that nobody takes a network for advertised before", func(ctx context.Context) {
		node := objects.Node(1)
		create(ctx, node, objects.Template("fabric", 64512))
		manager := start(operator.Config)
		Eventually(advertisedOn(ctx, node.Name)).Should(BeEmpty())
		manager.settle()
		restore := limit(ctx, "frrconfigurations", "create", "patch")
		create(ctx, objects.Advertisement("pods"))
		Consistently(advertisedOn(ctx, node.Name)).Should(BeEmpty())
		restore()
		Eventually(advertisedOn(ctx, node.Name)).Should(ConsistOf("default"))
	})
})
