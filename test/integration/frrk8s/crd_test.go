package frrk8s_test

import (
	"context"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
)

var _ = Describe("frr-k8s' CRD", func() {
	DescribeTable("takes and keeps every golden as it is rendered", func(ctx context.Context, name string) {
		g := readGolden(name)
		g.prepare(ctx)
		for i := range g.written {
			Expect(admin.Create(ctx, g.written[i].DeepCopy())).To(Succeed())
		}

		result, err := g.applyGenerated(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(result).To(Equal(apply.Result{Written: len(g.generated)}))

		for _, sent := range g.generated {
			var stored frrk8sv1beta1.FRRConfiguration
			Expect(admin.Get(ctx, client.ObjectKeyFromObject(sent), &stored)).To(Succeed())
			Expect(equality.Semantic.DeepEqual(stored.Spec, sent.Spec)).To(BeTrue(),
				"%s is stored as\n%+v\nbut was sent as\n%+v", keyOf(sent), stored.Spec, sent.Spec)
			Expect(render.Hash(&stored)).To(Equal(render.Hash(sent)), keyOf(sent))
		}

		By("starting again")
		result, err = g.applyGenerated(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(result).To(Equal(apply.Result{Unchanged: len(g.generated)}))
	}, func(name string) string { return name }, goldenEntries())
})
