package frrk8s_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"
)

// judges are frr-k8s' webhook, which sees each object before it is stored, and
// the daemon of a node, which merges what is stored. The webhook knows objects
// from a cache that may be behind and looks at no secret; the daemon has the last
// word.
type judges struct {
	node       string
	configured func() (string, error)
	mark       *frrk8sv1beta1.FRRConfiguration
	pairs      int
}

// refusal is what one of the judges says against objects.
type refusal struct{ judge, why string }

func (r *refusal) Error() string { return r.judge + ": " + r.why }

// startJudges needs the node, and starts both. They end with the container.
func startJudges(ctx context.Context, node string) *judges {
	GinkgoHelper()
	startWebhook(ctx).install(ctx)
	empty(ctx)
	createNamespace(ctx, objects.FRRNamespace)
	Expect(admin.Create(ctx, objects.Node(1))).To(Succeed())
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: objects.FRRNamespace, Name: "s"},
		Type:       corev1.SecretTypeBasicAuth,
		StringData: map[string]string{"username": "bgp", "password": "secret"},
	}
	create(ctx, secret)
	DeferCleanup(func(ctx context.Context) { Expect(admin.Delete(ctx, secret)).To(Succeed()) })
	keepNodeState(ctx, node)

	j := &judges{node: node, mark: &frrk8sv1beta1.FRRConfiguration{ObjectMeta: metav1.ObjectMeta{Namespace: objects.FRRNamespace, Name: "mark"}}}
	j.mark.Spec.Raw.Config = "! pair 0"
	create(ctx, j.mark)
	j.configured = startDaemonWith(node, 10*time.Millisecond, reloader())
	Eventually(ctx, j.seen).Should(BeTrue(), "frr-k8s' daemon doesn't configure the node")
	DeferCleanup(j.settle)
	return j
}

// keepNodeState creates the daemon's pod: the webhook's process removes the state of a
// node without one.
func keepNodeState(ctx context.Context, node string) {
	GinkgoHelper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: objects.FRRNamespace, Name: "frr-k8s", Labels: map[string]string{"app.kubernetes.io/component": "frr-k8s"}},
		Spec:       corev1.PodSpec{NodeName: node, Containers: []corev1.Container{{Name: "controller", Image: "frr-k8s"}}},
	}
	create(ctx, pod)
	DeferCleanup(func(ctx context.Context) {
		Expect(admin.Delete(ctx, pod, client.GracePeriodSeconds(0))).To(Succeed())
	})
}

// reloader starts a process that the daemon may signal in place of FRR's reloader,
// and returns the file with its number. Without one the daemon takes each
// configuration for failed, and waits before the next.
func reloader() string {
	GinkgoHelper()
	process := exec.Command("sh", "-c", "trap '' HUP; echo ready; exec sleep 86400")
	output, err := process.StdoutPipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(process.Start()).To(Succeed())
	DeferCleanup(func() {
		Expect(process.Process.Kill()).To(Succeed())
		_ = process.Wait() // says that it was killed
	})
	_, err = output.Read(make([]byte, 8))
	Expect(err).NotTo(HaveOccurred())
	file := filepath.Join(GinkgoT().TempDir(), "reloader.pid")
	Expect(os.WriteFile(file, []byte(strconv.Itoa(process.Process.Pid)), 0o600)).To(Succeed())
	return file
}

// settle waits until the daemon has seen all that changed: told to end in the middle
// of that, it hangs until its time for it is over.
func (j *judges) settle(ctx context.Context) {
	GinkgoHelper()
	Expect(j.next(ctx)).To(Succeed())
	Eventually(ctx, j.seen).Should(BeTrue(), "frr-k8s' daemon falls behind")
}

// next changes the mark.
func (j *judges) next(ctx context.Context) error {
	j.pairs++
	j.mark.Spec.Raw.Config = fmt.Sprintf("! pair %d", j.pairs)
	return admin.Update(ctx, j.mark)
}

// ask creates the objects one after another, as people and the operator do, and
// takes them away again. It returns the first refusal.
func (j *judges) ask(ctx context.Context, all ...*frrk8sv1beta1.FRRConfiguration) error {
	GinkgoHelper()
	defer j.clear(ctx, all)
	for _, o := range all {
		if err := admin.Create(ctx, o.DeepCopy()); err != nil {
			return &refusal{"webhook", err.Error()}
		}
	}
	if err := j.next(ctx); err != nil {
		// Only now the webhook's cache has all of them.
		return &refusal{"webhook", err.Error()}
	}
	var verdict string
	Eventually(ctx, func() bool {
		// The mark is in what the daemon writes only once it took all that was
		// created before it.
		seen, err := j.seen()
		Expect(err).NotTo(HaveOccurred())
		if seen {
			return true
		}
		verdict, err = conversionResult(ctx, j.node)
		Expect(client.IgnoreNotFound(err)).NotTo(HaveOccurred())
		return strings.HasPrefix(verdict, "failed")
	}).WithPolling(10*time.Millisecond).Should(BeTrue(), "frr-k8s' daemon says nothing of it")
	if seen, _ := j.seen(); seen {
		return nil
	}
	return &refusal{"daemon", verdict}
}

// clear removes the objects; what the daemon said of them must not be taken for
// what it says of the next.
func (j *judges) clear(ctx context.Context, all []*frrk8sv1beta1.FRRConfiguration) {
	GinkgoHelper()
	for _, o := range all {
		Expect(client.IgnoreNotFound(admin.Delete(ctx, o.DeepCopy()))).To(Succeed())
	}
	Eventually(ctx, conversionResult).WithArguments(j.node).WithPolling(10 * time.Millisecond).Should(Equal("success"))
}

// seen reports whether the daemon's configuration has the mark.
func (j *judges) seen() (bool, error) {
	text, err := j.configured()
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return strings.Contains(text, j.mark.Spec.Raw.Config+"\n"), err
}
