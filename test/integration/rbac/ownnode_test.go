package rbac_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
)

func state(name string) *v1alpha1.NodeRouteState {
	return &v1alpha1.NodeRouteState{ObjectMeta: metav1.ObjectMeta{Name: name}}
}

var _ = Describe("An agent writes", Ordered, func() {
	as := func(ctx context.Context, node string) client.Client {
		GinkgoHelper()
		return account{agentHome, agentName, node}.as(ctx)
	}
	// write makes the object and its status, or changes the status of what is
	// there.
	write := func(ctx context.Context, c client.Client, name string, learned int64) error {
		object := state(name)
		if err := c.Get(ctx, client.ObjectKeyFromObject(object), object); apierrors.IsNotFound(err) {
			if err := c.Create(ctx, object); err != nil {
				return err
			}
		} else if err != nil {
			return err
		}
		object.Status.Learned = learned
		return c.Status().Update(ctx, object)
	}
	BeforeAll(func(ctx context.Context) {
		create(ctx, node(1), node(2), state("node-2"))
		DeferCleanup(func(ctx context.Context) {
			Expect(client.IgnoreNotFound(admin.Delete(ctx, state("node-1")))).To(Succeed())
		})
	})

	It("its own node's state", func(ctx context.Context) {
		Expect(write(ctx, as(ctx, "node-1"), "node-1", 1)).To(Succeed())
		Expect(write(ctx, as(ctx, "node-2"), "node-2", 1)).To(Succeed())
		// After the next rollout it is another pod's token.
		Expect(write(ctx, as(ctx, "node-1"), "node-1", 2)).To(Succeed())
	})

	It("no other node's, there or not", func(ctx context.Context) {
		refused(write(ctx, as(ctx, "node-1"), "node-2", 7), "may write NodeRouteState node-1 only, not node-2")
		refused(as(ctx, "node-1").Create(ctx, state("node-9")), "may write NodeRouteState node-1 only, not node-9")
	})

	It("none with a token that is no pod's", func(ctx context.Context) {
		refused(write(ctx, as(ctx, ""), "node-2", 7), "has no claim of a node")
		refused(as(ctx, "").Create(ctx, state("node-9")), "has no claim of a node")
	})

	It("nothing else", func(ctx context.Context) {
		agent := as(ctx, "node-1")
		refused(agent.Delete(ctx, state("node-1")), "cannot delete")
		own := state("node-1")
		Expect(agent.Get(ctx, client.ObjectKeyFromObject(own), own)).To(Succeed())
		own.Labels = map[string]string{"a": "b"}
		refused(agent.Update(ctx, own), "cannot update")
	})

	It("while others are as free as RBAC lets them", func(ctx context.Context) {
		Expect(write(ctx, admin, "node-2", 9)).To(Succeed())
		Expect(admin.Delete(ctx, state("node-1"))).To(Succeed())
	})
})
