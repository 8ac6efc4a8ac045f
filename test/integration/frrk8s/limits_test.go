package frrk8s_test

import (
	"context"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// These hold frr-k8s to behaviour that the operator's users meet and that its
// documentation has to tell: a later frr-k8s may behave better.
var _ = Describe("frr-k8s' webhook beside generated objects", Ordered, ContinueOnFailure, func() {
	BeforeAll(func(ctx context.Context) { startWebhook(ctx).install(ctx) })

	It("lets a template gain prefixes and neighbors, but not change a session", func(ctx context.Context) {
		g := readGolden("default-network")
		g.prepare(ctx)
		Expect(g.written).To(HaveLen(1))
		template := g.written[0].DeepCopy()
		create(ctx, template)
		_, err := g.applyGenerated(ctx)
		Expect(err).NotTo(HaveOccurred())

		router := &template.Spec.BGP.Routers[0]
		router.Prefixes = append(router.Prefixes, "198.51.100.0/24")
		router.Neighbors = append(router.Neighbors, frrk8sv1beta1.Neighbor{Address: "192.0.2.77", ASN: 64513})
		Expect(admin.Update(ctx, template)).To(Succeed())

		template.Spec.BGP.Routers[0].Neighbors[0].HoldTime = &metav1.Duration{Duration: 30 * time.Second}
		template.Spec.BGP.Routers[0].Neighbors[0].KeepaliveTime = &metav1.Duration{Duration: 10 * time.Second}
		Expect(admin.Update(ctx, template)).To(MatchError(ContainSubstring("multiple hold times specified")))
	})

	It("takes the objects of all namespaces for one configuration, but for those of the same name", func(ctx context.Context) {
		empty(ctx)
		createNamespace(ctx, "metallb-system")
		create(ctx, objects.Node(1), configuration("peers"))
		other := configuration("peers", func(o *frrk8sv1beta1.FRRConfiguration) {
			o.Namespace = "metallb-system"
			o.Spec.BGP.Routers[0].ASN = 65999
		})
		create(ctx, other.DeepCopy())
		other.Name = "others"
		Expect(admin.Create(ctx, other)).To(MatchError(ContainSubstring("different asns")))
	})
})
