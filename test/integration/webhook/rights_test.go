package webhook_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"
)

var _ = Describe("A tenant who may make networks", Ordered, func() {
	// tenant has a right beside that of making networks.
	tenant := func(ctx context.Context, name string, rules ...rbacv1.PolicyRule) (client.Client, *warnings) {
		GinkgoHelper()
		role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: append(rules, rbacv1.PolicyRule{
			APIGroups: []string{"k8s.ovn.org"}, Resources: []string{"clusteruserdefinednetworks"}, Verbs: []string{"create"},
		})}
		binding := &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name}},
		}
		for _, object := range []client.Object{role, binding} {
			Expect(admin.Create(ctx, object)).To(Succeed())
			DeferCleanup(func(ctx context.Context) { Expect(admin.Delete(ctx, object)).To(Succeed()) })
		}
		user, err := cluster.AddUser(name)
		Expect(err).NotTo(HaveOccurred())
		heard := &warnings{}
		config := rest.CopyConfig(user.Config)
		config.WarningHandlerWithContext = heard
		c, err := client.New(config, client.Options{Scheme: scheme()})
		Expect(err).NotTo(HaveOccurred())
		return c, heard
	}
	// overlap is what a network that overlaps another tenant's has them hear.
	overlap := func(ctx context.Context, c client.Client, heard *warnings) func() []string {
		return func() []string {
			heard.take()
			Expect(c.Create(ctx, network("green", "10.10.128.0/17"), client.DryRunAll)).To(Succeed())
			return heard.take()
		}
	}

	It("hears of other tenants' subnets only with the right to read them", func(ctx context.Context) {
		install(ctx, replicas[0].port)
		apply(ctx, objects.Node(1))
		apply(ctx, objects.Template("fabric", 64512))
		apply(ctx, network("blue", "10.10.0.0/16"))
		apply(ctx, objects.Advertisement("networks", objects.OfNetworks(map[string]string{"advertise": "yes"})))
		Eventually(overlap(ctx, admin, warned)).Should(ContainElement(ContainSubstring("10.10.0.0/16")))

		c, heard := tenant(ctx, "shop")
		Expect(overlap(ctx, c, heard)()).To(ConsistOf(And(
			ContainSubstring("only who may list routeadvertisements.k8s.ovn.org"), Not(ContainSubstring("10.10.")))))

		reading := func(groups, resources []string) rbacv1.PolicyRule {
			return rbacv1.PolicyRule{APIGroups: groups, Resources: resources, Verbs: []string{"list"}}
		}
		c, heard = tenant(ctx, "bank",
			reading([]string{"k8s.ovn.org"}, []string{"routeadvertisements", "clusteruserdefinednetworks", "egressips"}),
			reading([]string{"frrk8s.metallb.io"}, []string{"frrconfigurations"}), reading([]string{"ovnbgp.io"}, []string{"routepolicies", "drainpolicies"}),
			reading([]string{""}, []string{"nodes"}))
		// Bindings reach the authorizer by a watch.
		Eventually(overlap(ctx, c, heard)).Should(ContainElement(ContainSubstring("10.10.0.0/16")))
	})
})
