package frrk8s_test

import (
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
)

const (
	frrk8sModule = "github.com/metallb/frr-k8s"
	// webhookBinary cleans up FRRNodeStates, and serves frr-k8s' webhook too.
	webhookBinary = "statuscleaner"
	daemonBinary  = "frr-k8s-controller"
)

// binary finds one of frr-k8s' binaries in the folder that `make frrk8s`
// fills, or in FRRK8S_ASSETS where that is set.
func binary(name string) (string, error) {
	folder := os.Getenv("FRRK8S_ASSETS")
	if folder == "" {
		root, err := controlplane.RepositoryRoot()
		if err != nil {
			return "", err
		}
		folder = filepath.Join(root, ".cache", "frrk8s", "bin")
	}
	path := filepath.Join(folder, name)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("no frr-k8s to test against: %w; run `make frrk8s` (a minute or two, once) "+
			"or set FRRK8S_ASSETS to a folder with its binaries", err)
	}
	return path, nil
}

func requireBinaries(t *testing.T) {
	t.Helper()
	_, webhookErr := binary(webhookBinary)
	_, daemonErr := binary(daemonBinary)
	err := errors.Join(webhookErr, daemonErr)
	switch {
	case err == nil:
	case os.Getenv(requiredVariable) != "":
		t.Fatal(err)
	default:
		message := fmt.Sprintf("SKIPPED, NOT PASSED: whether frr-k8s takes what is rendered was not tested: %v", err)
		fmt.Fprintln(os.Stderr, message)
		t.Skip(message)
	}
}

var _ = DescribeTable("frr-k8s is of the version whose API the operator is built with", func(name string) {
	path, err := binary(name)
	Expect(err).NotTo(HaveOccurred())
	built, err := buildinfo.ReadFile(path)
	Expect(err).NotTo(HaveOccurred())
	Expect(built.Main.Path).To(Equal(frrk8sModule))
	Expect(built.Main.Version).To(Equal(moduleField("{{.Version}}")), "hack/frrk8s/go.mod has to name the same version")
}, Entry(nil, webhookBinary), Entry(nil, daemonBinary))

// moduleField asks the operator's go.mod about frr-k8s.
func moduleField(template string) string {
	GinkgoHelper()
	output, err := exec.Command("go", "list", "-m", "-f", template, frrk8sModule).Output()
	Expect(err).NotTo(HaveOccurred())
	return strings.TrimSpace(string(output))
}
