package frrk8s_test

import (
	"context"
	"maps"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
)

// refusedTemplates are FRRConfigurations of golden inputs that frr-k8s itself
// won't have, by golden and name, with its reason. What is generated has to be
// taken all the same. Nothing else may be refused.
var refusedTemplates = map[string]map[string]string{
	"conflicting-bfd-profiles":             {"frr-k8s-system/b": "duplicate bfd profile name fast with different values"},
	"conflicting-routers":                  {"frr-k8s-system/other": "different asns (64512 != 65000) specified for same vrf"},
	"conflicting-sessions":                 {"frr-k8s-system/tor-slow": "multiple hold times specified for 192.168.100.10"},
	"evpn-of-metallb-disagrees":            {"metallb-system/frrconfig-filtered": "duplicate VNI 100"},
	"refused-evpn-without-neighbor":        {"frr-k8s-system/tpl": "require at least one neighbor with evpn"},
	"refused-vni-twice":                    {"frr-k8s-system/tpl": "duplicate VNI 100"},
	"refused-community":                    {"frr-k8s-system/tpl": "invalid community blue"},
	"refused-community-for-pod-prefix":     {"frr-k8s-system/tpl": "non configured prefix"},
	"refused-hold-lt-keepalive":            {"frr-k8s-system/tpl": "invalid keepaliveTime"},
	"refused-hold-only":                    {"frr-k8s-system/tpl": "both must be set or none"},
	"refused-localasn-ibgp":                {"frr-k8s-system/tpl": "localASN is not supported for iBGP"},
	"refused-neighbor-twice":               {"frr-k8s-system/tpl": "multiple asns specified for 192.0.2.1"},
	"refused-neighbor-zone":                {"frr-k8s-system/tpl": "Invalid address"},
	"refused-receive-le-lt-ge":             {"frr-k8s-system/tpl": "invalid selector lengths"},
	"refused-router-twice":                 {"frr-k8s-system/tpl": "different asns (64512 != 64600)"},
	"session-of-metallb-disagrees":         {"metallb-system/frrconfig-filtered": "multiple hold times specified"},
	"session-of-metallb-is-dual-stack":     {"metallb-system/frrconfig-filtered": "conflicting advertiseDualStack"},
	"session-of-metallb-prefers-otherwise": {"metallb-system/frrconfig-filtered": "multiple local prefs"},
	"unusable-neighbors":                   {"frr-k8s-system/tor": "neighbor with ASN 64513 has no address and no interface"},
}

var _ = Describe("frr-k8s' webhook", Ordered, ContinueOnFailure, func() {
	BeforeAll(func(ctx context.Context) { startWebhook(ctx).install(ctx) })

	DescribeTable("converts every golden together with its templates", func(ctx context.Context, name string) {
		whole := readGolden(name)
		refused := map[string]string{}
		for _, namespace := range whole.namespaces() {
			g := whole.in(namespace)
			g.prepare(ctx)
			for i := range g.written {
				if err := admin.Create(ctx, g.written[i].DeepCopy()); err != nil {
					refused[keyOf(&g.written[i])] = err.Error()
				}
			}
			result, err := g.applyGenerated(ctx)
			Expect(err).NotTo(HaveOccurred())
			Expect(result).To(Equal(apply.Result{Written: len(g.generated)}))

			By("updating each of them beside all the others")
			Expect(apply.NewApplier(admin, time.Now).Try(ctx, g.generated)).To(Succeed())
		}

		Expect(slices.Sorted(maps.Keys(refused))).To(Equal(slices.Sorted(maps.Keys(refusedTemplates[name]))),
			"refused were %v", refused)
		for key, reason := range refusedTemplates[name] {
			Expect(refused[key]).To(ContainSubstring(reason))
		}
	}, func(name string) string { return name }, goldenEntries())

	It("knows of every golden whose templates are refused", func() {
		for name := range refusedTemplates {
			Expect(goldens).To(ContainElement(name))
		}
	})
})
