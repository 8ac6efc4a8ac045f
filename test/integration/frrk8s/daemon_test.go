package frrk8s_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var _ = Describe("frr-k8s' daemon", func() {
	// The webhook leaves secrets out of its account, so that it can't tell
	// whether template and generated object agree on a password.
	It("merges a session with its secret", func(ctx context.Context) {
		g := readGolden("session-settings")
		g.prepare(ctx)
		secret := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: objects.FRRNamespace, Name: "tor-md5"},
			Type:       corev1.SecretTypeBasicAuth,
			StringData: map[string]string{"username": "bgp", "password": "open-sesame"},
		}
		create(ctx, secret)
		DeferCleanup(func(ctx context.Context) { Expect(admin.Delete(ctx, secret)).To(Succeed()) })
		for i := range g.written {
			create(ctx, g.written[i].DeepCopy())
		}
		_, err := g.applyGenerated(ctx)
		Expect(err).NotTo(HaveOccurred())
		for _, o := range g.generated {
			Expect(o.Spec.BGP.Routers).To(HaveEach(Not(HaveField("Neighbors", ContainElement(HaveField("Password", "open-sesame"))))))
		}

		configured := startDaemon("worker-1")
		Eventually(ctx, conversionResult).WithArguments("worker-1").Should(Equal("success"))
		Eventually(ctx, configured).Should(And(
			ContainSubstring("neighbor 192.168.100.10 password swordfish"),
			ContainSubstring("neighbor fd00:100::10 password open-sesame"),
			ContainSubstring("permit 10.244.1.0/24"),
			ContainSubstring("permit fd00:10:244:1::/64"),
			ContainSubstring("permit 203.0.113.0/24"),
		))
	})
})

// startDaemon starts the frr-k8s of a node, without FRR, and returns a function
// that reads the FRR configuration which it writes.
func startDaemon(node string) func() (string, error) {
	GinkgoHelper()
	// There is no reloader to be signalled.
	return startDaemonWith(node, 100*time.Millisecond, filepath.Join(GinkgoT().TempDir(), "none"))
}

// startDaemonWith is startDaemon with how long the daemon gathers changes, and the
// file with the number of the process that it tells of them.
func startDaemonWith(node string, gather time.Duration, reloader string) func() (string, error) {
	GinkgoHelper()
	folder := GinkgoT().TempDir()
	file := filepath.Join(folder, "frr.conf")
	// After the daemon, which would make it again.
	DeferCleanup(func(ctx context.Context) {
		state := &frrk8sv1beta1.FRRNodeState{ObjectMeta: metav1.ObjectMeta{Name: node}}
		Expect(client.IgnoreNotFound(admin.Delete(ctx, state))).To(Succeed())
	})
	startBinary(daemonBinary, folder,
		[]string{"FRR_CONFIG_FILE=" + file, "FRR_RELOADER_PID_FILE=" + reloader},
		"--node-name="+node, fmt.Sprintf("--bgp-debounce-timeout=%d", gather.Milliseconds()), "--metrics-bind-address=0", "--health-probe-bind-address=0")
	return func() (string, error) {
		text, err := os.ReadFile(file)
		return string(text), err
	}
}

// conversionResult is what the node's frr-k8s says of its last conversion.
func conversionResult(ctx context.Context, node string) (string, error) {
	var state frrk8sv1beta1.FRRNodeState
	err := admin.Get(ctx, client.ObjectKey{Name: node}, &state)
	return state.Status.LastConversionResult, err
}
