package webhook_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gexec"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
)

const (
	repoRoot      = "../../.."
	operatorUser  = "system:serviceaccount:ovn-bgp-operator-system:ovn-bgp-operator"
	operatorHome  = "ovn-bgp-operator-system"
	configuration = "ovn-bgp-operator-webhook"
)

var (
	cluster *controlplane.ControlPlane
	// admin applies objects; what the API server warns of is in warned.
	admin  client.Client
	warned = &warnings{}
	// replicas are two managers, of which one leads.
	replicas [2]*replica
	// binary is the manager's, kubeconfig that of its account.
	binary, kubeconfig string
	// apiServers signs the certificate that the API server shows to webhooks.
	apiServers *authority
)

func TestWebhook(t *testing.T) {
	controlplane.Require(t)
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	RunSpecs(t, "Admission webhook")
}

var _ = BeforeSuite(func(ctx context.Context) {
	ctrl.SetLogger(logr.FromSlogHandler(slogTo(GinkgoWriter)))
	var err error
	apiServers, err = newAuthority()
	Expect(err).NotTo(HaveOccurred())
	cluster = controlplane.StartForTest(GinkgoT(), controlplane.Options{NADs: true, Configure: func(server *envtest.APIServer) {
		server.Configure().Append("admission-control-config-file", apiServers.admissionConfiguration(GinkgoT().TempDir()))
	}})
	config := rest.CopyConfig(cluster.Config)
	config.WarningHandlerWithContext = warned
	lenient, err := client.New(config, client.Options{Scheme: scheme()})
	Expect(err).NotTo(HaveOccurred())
	admin = client.WithFieldValidation(lenient, metav1.FieldValidationStrict)
	for _, name := range []string{operatorHome, objects.FRRNamespace} {
		Expect(admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})).To(Succeed())
	}
	for _, document := range controlplane.Shipped(GinkgoT(), "rbac/role.yaml", "rbac/role_binding.yaml") {
		Expect(admin.Create(ctx, document)).To(Succeed())
	}
	user, err := cluster.AddUser(operatorUser, "system:serviceaccounts", "system:authenticated")
	Expect(err).NotTo(HaveOccurred())
	kubeconfig = filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(user.WriteKubeconfig(kubeconfig)).To(Succeed())
	binary, err = gexec.Build("github.com/ovn-bgp-operator/ovn-bgp-operator/cmd/manager")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(gexec.CleanupBuildArtifacts)
	for i := range replicas {
		replicas[i] = launch()
	}
	for _, r := range replicas {
		Eventually(r.ready).Should(Succeed())
	}
})

func scheme() *runtime.Scheme {
	scheme := controller.Scheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	return scheme
}

func slogTo(w io.Writer) slog.Handler {
	return slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})
}

// replica is a manager's process.
type replica struct {
	*gexec.Session
	probes string
	port   int
}

func launch(arguments ...string) *replica {
	GinkgoHelper()
	r := &replica{port: controlplane.FreePort(GinkgoT()), probes: fmt.Sprintf("127.0.0.1:%d", controlplane.FreePort(GinkgoT()))}
	var err error
	r.Session, err = gexec.Start(exec.Command(binary, append([]string{
		"--kubeconfig=" + kubeconfig, "--namespace=" + operatorHome, "--leader-elect", "--leader-election-namespace=" + operatorHome,
		fmt.Sprintf("--webhook-port=%d", r.port), "--health-probe-bind-address=" + r.probes,
		"--metrics-bind-address=0", "--log-format=text",
	}, arguments...)...), GinkgoWriter, GinkgoWriter)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { r.Kill().Wait() })
	return r
}

func (r *replica) ready() error {
	response, err := http.Get("http://" + r.probes + "/readyz")
	if err != nil {
		return err
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("/readyz answers %s", response.Status)
	}
	return nil
}

// install applies config/webhook so that the API server calls this port, and
// waits until the operator made itself trusted. It is removed after the test.
func install(ctx context.Context, port int) {
	GinkgoHelper()
	object := shipped()
	for i := range object.Webhooks {
		object.Webhooks[i].ClientConfig = admissionregistrationv1.WebhookClientConfig{URL: new(fmt.Sprintf("https://127.0.0.1:%d/validate", port))}
	}
	Expect(admin.Create(ctx, object)).To(Succeed())
	DeferCleanup(func(ctx context.Context) { Expect(client.IgnoreNotFound(admin.Delete(ctx, object))).To(Succeed()) })
	Eventually(func(g Gomega) {
		g.Expect(admin.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
		for i := range object.Webhooks {
			g.Expect(object.Webhooks[i].ClientConfig.CABundle).NotTo(BeEmpty())
		}
	}).Should(Succeed())
	// The API server takes a new configuration in its own time.
	Eventually(func() error { return admin.Create(ctx, denied(), client.DryRunAll) }).Should(MatchError(ContainSubstring("denied the request")))
	warned.take()
}

// callAt has the API server call another port. Managers write the object, too.
func callAt(ctx context.Context, port int) {
	GinkgoHelper()
	object := shipped()
	Eventually(func(g Gomega) {
		g.Expect(admin.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
		for i := range object.Webhooks {
			object.Webhooks[i].ClientConfig.URL = new(reviewsAt(port))
		}
		g.Expect(admin.Update(ctx, object)).To(Succeed())
	}).Should(Succeed())
}

// shipped is the configuration as it is installed.
func shipped() *admissionregistrationv1.ValidatingWebhookConfiguration {
	GinkgoHelper()
	object := &admissionregistrationv1.ValidatingWebhookConfiguration{}
	Expect(runtime.DefaultUnstructuredConverter.FromUnstructured(
		controlplane.Shipped(GinkgoT(), "webhook/validatingwebhookconfiguration.yaml")[0].Object, object)).To(Succeed())
	return object
}

// warnings are those that the API server sent.
type warnings struct {
	mu    sync.Mutex
	texts []string
}

func (w *warnings) HandleWarningHeaderWithContext(_ context.Context, _ int, _, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.texts = append(w.texts, text)
}

// take returns the warnings since the last time.
func (w *warnings) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	texts := w.texts
	w.texts = nil
	return texts
}
