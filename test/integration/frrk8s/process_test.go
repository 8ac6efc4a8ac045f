package frrk8s_test

import (
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// startBinary starts one of frr-k8s' binaries as a cluster administrator, with
// the folder for what it reads and writes. It ends with the spec or the
// container that starts it. The channel tells if it ends by itself.
func startBinary(name, folder string, environment []string, arguments ...string) <-chan error {
	GinkgoHelper()
	path, err := binary(name)
	Expect(err).NotTo(HaveOccurred())
	kubeconfig := filepath.Join(folder, "kubeconfig")
	Expect(cluster.WriteKubeconfig(kubeconfig)).To(Succeed())

	process := exec.Command(path, append(arguments, "--namespace="+objects.FRRNamespace)...)
	process.Env = append([]string{"KUBECONFIG=" + kubeconfig, "TMPDIR=" + folder}, environment...)
	process.Stdout, process.Stderr = GinkgoWriter, GinkgoWriter
	process.WaitDelay = 5 * time.Second
	Expect(process.Start()).To(Succeed())
	ended, gone := make(chan error, 1), make(chan struct{})
	go func() {
		ended <- process.Wait()
		close(gone)
	}()
	DeferCleanup(func() {
		// It may have ended by itself, which is for the spec to notice.
		_ = process.Process.Signal(syscall.SIGTERM)
		Eventually(gone).Should(BeClosed(), "%s does not end", name)
	})
	return ended
}
