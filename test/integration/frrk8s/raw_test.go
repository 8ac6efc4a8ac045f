package frrk8s_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
)

// rawEntries are the nodes of goldens that get raw text.
func rawEntries() []TableEntry {
	var entries []TableEntry
	for _, name := range goldens {
		text, _ := os.ReadFile(filepath.Join(goldenFolder, name, "out.yaml"))
		node := ""
		for line := range strings.Lines(string(text)) {
			if _, found := strings.CutPrefix(line, "    "+model.AnnotationNode+": "); found {
				node = strings.TrimSpace(strings.TrimPrefix(line, "    "+model.AnnotationNode+": "))
			}
			if strings.HasPrefix(line, "    rawConfig:") {
				entries = append(entries, Entry(nil, name, node))
			}
		}
	}
	return entries
}

var _ = Describe("Raw text", func() {
	// frr-k8s looks at none of it: only FRR knows whether it is one.
	DescribeTable("is taken by FRR behind what frr-k8s makes of the typed fields", func(ctx context.Context, name, node string) {
		check := frrChecker()
		g := readGolden(name)
		g.prepare(ctx)
		for i := range g.written {
			create(ctx, g.written[i].DeepCopy())
		}
		_, err := g.applyGenerated(ctx)
		Expect(err).NotTo(HaveOccurred())
		raw := ""
		for _, o := range g.generated {
			if o.Annotations[model.AnnotationNode] == node {
				raw += o.Spec.Raw.Config
			}
		}
		Expect(raw).NotTo(BeEmpty())

		configured := startDaemon(node)
		text := ""
		Eventually(ctx, func() (string, error) {
			var err error
			text, err = configured()
			return text, err
		}).Should(ContainSubstring(raw))
		// Every entry is in a route-map that the neighbor's routes are filtered by.
		for line := range strings.Lines(raw) {
			if words := strings.Fields(line); len(words) == 4 && words[0] == "route-map" {
				Expect(text).To(ContainSubstring(" route-map %s out\n", words[1]), "frr-k8s names its filters otherwise")
			}
		}
		Expect(check(text)).To(Succeed(), text)
		Expect(check(text+" set metrics high\n")).NotTo(Succeed(), "FRR checks nothing")
	}, func(name, node string) string { return name + " on " + node }, rawEntries())
})

// frrChecker finds the FRR of the lab's root, which reads a configuration without any
// daemon. The root stays as it is.
func frrChecker() func(text string) error {
	GinkgoHelper()
	root := os.Getenv("OVNBGP_LAB_ROOT")
	if root == "" {
		repository, err := controlplane.RepositoryRoot()
		Expect(err).NotTo(HaveOccurred())
		if roots, _ := filepath.Glob(filepath.Join(repository, ".cache", "vm", "*", "root")); len(roots) > 0 {
			root = roots[0]
		}
	}
	if _, err := os.Stat(filepath.Join(root, "usr/bin/vtysh")); root == "" || err != nil || os.Getuid() != 0 {
		const message = "SKIPPED, NOT PASSED: whether FRR takes raw text was not tested, which needs root and `make lab-root`"
		if os.Getenv("LAB_REQUIRED") != "" {
			Fail(message)
		}
		Skip(message)
	}
	folder := GinkgoT().TempDir()
	return func(text string) error {
		if err := os.WriteFile(filepath.Join(folder, "frr.conf"), []byte(text), 0o600); err != nil {
			return err
		}
		out, err := exec.Command("unshare", "--mount", "--propagation", "private", "sh", "-c",
			`mount --bind "$1" "$2/mnt" && exec chroot "$2" vtysh -C -f /mnt/frr.conf`, "sh", folder, root).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}
}
