package frrk8s_test

import (
	"context"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// Parts of a node's l2vnis are written and deleted one after the other, in whatever
// order, and a manager may die in between: frr-k8s has to take every set of them.
var _ = Describe("frr-k8s' webhook and parts with l2vnis", Ordered, ContinueOnFailure, func() {
	BeforeAll(func(ctx context.Context) { startWebhook(ctx).install(ctx) })

	It("takes them in every order of writes and of deletes", func(ctx context.Context) {
		g := readGolden("evpn-twenty-three-route-targets")
		g.prepare(ctx)
		for i := range g.written {
			create(ctx, g.written[i].DeepCopy())
		}
		Expect(g.generated).To(HaveLen(3))
		orders := permutations(g.generated)
		Expect(orders).To(HaveLen(6))
		for _, writes := range orders {
			for _, deletes := range orders {
				for _, part := range writes {
					Expect(admin.Create(ctx, part.DeepCopy())).To(Succeed(), "%s of %v", part.Name, namesOf(writes))
				}
				for _, part := range deletes {
					Expect(admin.Delete(ctx, part.DeepCopy())).To(Succeed())
					expectAllTaken(ctx)
				}
			}
		}
	})
})

// expectAllTaken has the webhook look at all that is there once more: it looks at no
// delete.
func expectAllTaken(ctx context.Context) {
	GinkgoHelper()
	left := listConfigurations(ctx)
	for i := range left {
		touched := left[i].DeepCopy()
		if touched.Annotations == nil {
			touched.Annotations = map[string]string{}
		}
		touched.Annotations["looked-at"] += "."
		Expect(admin.Update(ctx, touched)).To(Succeed(), touched.Name)
	}
}

func permutations(list []*frrk8sv1beta1.FRRConfiguration) [][]*frrk8sv1beta1.FRRConfiguration {
	if len(list) == 0 {
		return [][]*frrk8sv1beta1.FRRConfiguration{nil}
	}
	var out [][]*frrk8sv1beta1.FRRConfiguration
	for i, first := range list {
		var rest []*frrk8sv1beta1.FRRConfiguration
		rest = append(append(rest, list[:i]...), list[i+1:]...)
		for _, order := range permutations(rest) {
			out = append(out, append([]*frrk8sv1beta1.FRRConfiguration{first}, order...))
		}
	}
	return out
}

func namesOf(list []*frrk8sv1beta1.FRRConfiguration) []string {
	var out []string
	for _, o := range list {
		out = append(out, o.Name)
	}
	return out
}
