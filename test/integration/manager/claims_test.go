package manager_test

import (
	"context"
	"fmt"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
)

// A node's annotation is as trustworthy as the node.
var _ = Describe("A node that claims another's subnet", func() {
	claim := func(ctx context.Context, node, subnets string) {
		GinkgoHelper()
		patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, ovnk.AnnotationNodeSubnets, subnets)
		o := &corev1.Node{}
		o.Name = node
		Expect(admin.Patch(ctx, o, client.RawPatch(types.MergePatchType, patch))).To(Succeed())
	}

	It("gets it for neither of them, and takes nothing else from anybody", func(ctx context.Context) {
		reset(ctx)
		create(ctx, objects.Node(1), objects.Node(2), objects.Node(3), objects.Template("fabric", 64512), objects.Advertisement("pods"))
		start(operator.Config)
		whole := map[string][]string{"node-1": {"10.244.1.0/24"}, "node-2": {"10.244.2.0/24"}, "node-3": {"10.244.3.0/24"}}
		Eventually(prefixes).WithArguments(ctx).Should(Equal(whole))

		By("claiming it beside its own")
		claim(ctx, "node-3", `{"default":["10.244.2.0/24","10.244.3.0/24"]}`)
		Eventually(prefixes).WithArguments(ctx).Should(Equal(map[string][]string{"node-1": {"10.244.1.0/24"}, "node-3": {"10.244.3.0/24"}}))
		Eventually(condition).WithArguments(ctx, "pods", status.Rendered).Should(HaveField("Message", And(
			ContainSubstring("node-2, node-3"), ContainSubstring(`10.244.2.0/24 of network "default" is not advertised`), ContainSubstring("claims it, too"))))

		By("claiming all there is")
		claim(ctx, "node-3", `{"default":["0.0.0.0/0","10.244.3.0/24"]}`)
		Eventually(prefixes).WithArguments(ctx).Should(Equal(whole))
		Eventually(condition).WithArguments(ctx, "pods", status.Rendered).Should(HaveField("Message", ContainSubstring("0.0.0.0/0 of network")))

		By("being corrected, and leaving")
		claim(ctx, "node-3", `{"default":["10.244.2.0/24"]}`)
		Eventually(prefixes).WithArguments(ctx).Should(Equal(map[string][]string{"node-1": {"10.244.1.0/24"}}))
		Expect(admin.Delete(ctx, objects.Node(3))).To(Succeed())
		delete(whole, "node-3")
		Eventually(prefixes).WithArguments(ctx).Should(Equal(whole))
	})
})
