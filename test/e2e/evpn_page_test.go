package e2e_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/frr"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// Story 29: the leaf of config/EVPN.md, configured as the page says.
var _ = Describe("The leaf of the EVPN page", Label("story29"), NeedsVRF, func() {
	It("has both VNIs when all of its blocks are carried out in their order", func(ctx context.Context) {
		checkout, err := controlplane.RepositoryRoot()
		Expect(err).NotTo(HaveOccurred())
		page, err := os.ReadFile(filepath.Join(checkout, "config", "EVPN.md"))
		Expect(err).NotTo(HaveOccurred())
		_, half, _ := strings.Cut(string(page), "\n## The leaf's half\n")
		half, _, _ = strings.Cut(half, "\n## ")
		blocks := regexp.MustCompile("(?s)```\n(.*?)```").FindAllStringSubmatch(half, -1)
		Expect(blocks).To(HaveLen(4), "devices, L2VNI, L3VNI, FRR")

		leaf, err := machine.New(ctx, "leaf", machine.Options{Logs: GinkgoT().TempDir()})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(leaf.Close)
		for _, port := range []string{"swp1", "swp2"} {
			_, err := leaf.Run(ctx, "ip", "link", "add", port, "type", "dummy")
			Expect(err).NotTo(HaveOccurred())
		}
		for _, block := range blocks[:3] {
			_, err := leaf.Run(ctx, "sh", "-euxc", block[1])
			Expect(err).NotTo(HaveOccurred())
		}
		router, err := frr.Start(ctx, leaf, "frr defaults traditional\nlog stdout informational\n"+blocks[3][1])
		Expect(err).NotTo(HaveOccurred())
		config, err := router.BGPConfig(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(config).To(ContainSubstring("route-target import 65000:210"))

		type vni struct {
			Type, TenantVRF, State, RouterMAC string
			VXLANDevice                       string `json:"vxlanIf"`
			SVI                               string `json:"sviIntf"`
		}
		Eventually(ctx, func(ctx context.Context) (map[string]vni, error) {
			found := map[string]vni{}
			err := router.ShowJSON(ctx, "show evpn vni json", &found)
			return found, err
		}).Should(SatisfyAll(
			HaveKeyWithValue("110", HaveField("VXLANDevice", "vni110")),
			HaveKeyWithValue("210", SatisfyAll(HaveField("Type", "L3"), HaveField("VXLANDevice", "vni210"), HaveField("TenantVRF", "blue"))),
		))
		Eventually(ctx, func(ctx context.Context) (vni, error) {
			var found vni
			err := router.ShowJSON(ctx, "show evpn vni 210 json", &found)
			return found, err
		}).Should(SatisfyAll(HaveField("State", "Up"), HaveField("SVI", "vlan210"), HaveField("RouterMAC", Not(BeEmpty()))))
	})
})
