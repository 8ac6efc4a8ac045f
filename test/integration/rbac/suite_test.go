package rbac_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gexec"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
)

const (
	repoRoot     = "../../.."
	managerHome  = "ovn-bgp-operator-system"
	managerName  = "ovn-bgp-operator"
	agentHome    = "ovn-bgp-agent-system"
	agentName    = "ovn-bgp-agent"
	frrNamespace = "frr-k8s-system"
)

var (
	cluster  *controlplane.ControlPlane
	admin    client.Client
	requests *auditLog
	// programs are the binaries.
	programs = map[string]string{}
)

func TestRBAC(t *testing.T) {
	controlplane.Require(t)
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	RunSpecs(t, "Rights")
}

var _ = BeforeSuite(func(ctx context.Context) {
	folder := GinkgoT().TempDir()
	requests = newAuditLog(folder)
	cluster = controlplane.StartForTest(GinkgoT(), controlplane.Options{
		NADs: true, ExtraCRDs: []string{"testdata"},
		Configure: func(server *envtest.APIServer) {
			server.Configure().Append("audit-policy-file", requests.policy).Append("audit-log-path", requests.path)
		},
	})
	scheme := controller.Scheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		Expect(add(scheme)).To(Succeed())
	}
	lenient, err := client.New(cluster.Config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	admin = client.WithFieldValidation(lenient, metav1.FieldValidationStrict)
	for _, name := range []string{managerHome, agentHome, frrNamespace, "ovn-kubernetes", "monitoring", "tenant"} {
		Expect(admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})).To(Succeed())
	}
	for _, document := range controlplane.Shipped(GinkgoT(),
		"rbac/service_account.yaml", "rbac/role.yaml", "rbac/role_binding.yaml", "rbac/metrics_reader_role.yaml",
		"agent/service_account.yaml", "agent/role.yaml", "agent/role_binding.yaml",
		"admission/agent/policy.yaml", "admission/agent/binding.yaml",
		"admission/manager/frrconfigurations.yaml", "admission/manager/networks.yaml", "admission/manager/routeadvertisements.yaml", "admission/manager/vteps.yaml",
		"admission/networks/policy.yaml", "admission/networks/binding.yaml",
	) {
		Expect(admin.Create(ctx, document)).To(Succeed(), document.GetName())
	}
	awaitPolicies(ctx)
	for _, account := range []account{scraper, reader} {
		Expect(admin.Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: account.namespace, Name: account.name}})).To(Succeed())
	}
	for _, program := range []string{"manager", "agent"} {
		programs[program], err = gexec.Build("github.com/ovn-bgp-operator/ovn-bgp-operator/cmd/" + program)
		Expect(err).NotTo(HaveOccurred())
	}
	DeferCleanup(gexec.CleanupBuildArtifacts)
})

// account is a service account, and the node that its pod is on: "" where its
// tokens are bound to no pod.
type account struct{ namespace, name, node string }

func (a account) user() string { return "system:serviceaccount:" + a.namespace + ":" + a.name }

// token asks the API server for a token, as the kubelet does for a pod.
func (a account) token(ctx context.Context) string {
	GinkgoHelper()
	clients, err := kubernetes.NewForConfig(cluster.Config)
	Expect(err).NotTo(HaveOccurred())
	wanted := &authenticationv1.TokenRequest{}
	if a.node != "" {
		wanted.Spec.BoundObjectRef = a.pod(ctx)
	}
	got, err := clients.CoreV1().ServiceAccounts(a.namespace).CreateToken(ctx, a.name, wanted, metav1.CreateOptions{})
	Expect(err).NotTo(HaveOccurred())
	return got.Status.Token
}

// pod is the account's pod on the node.
func (a account) pod(ctx context.Context) *authenticationv1.BoundObjectReference {
	GinkgoHelper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: a.namespace, GenerateName: a.name + "-"},
		Spec: corev1.PodSpec{
			NodeName: a.node, ServiceAccountName: a.name,
			Containers: []corev1.Container{{Name: "it", Image: "ovn-bgp-operator"}},
		},
	}
	Expect(admin.Create(ctx, pod)).To(Succeed())
	return &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID}
}

// config is that of the account's client.
func (a account) config(ctx context.Context) *rest.Config {
	GinkgoHelper()
	config := rest.AnonymousClientConfig(cluster.Config)
	config.BearerToken = a.token(ctx)
	return config
}

// kubeconfig is the same as a file.
func (a account) kubeconfig(ctx context.Context) string {
	GinkgoHelper()
	path := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{"c": {Server: cluster.Config.Host, CertificateAuthorityData: cluster.Config.CAData}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{"u": {Token: a.token(ctx)}},
		Contexts:       map[string]*clientcmdapi.Context{"x": {Cluster: "c", AuthInfo: "u"}},
		CurrentContext: "x",
	}, path)).To(Succeed())
	return path
}

var (
	managerAccount = account{managerHome, managerName, ""}
	agentAccount   = account{agentHome, agentName, "node-1"}
)

func startProgram(program string, arguments ...string) *gexec.Session {
	GinkgoHelper()
	command := exec.Command(programs[program], append(arguments, "--log-format=text")...)
	// Where a watch can't begin with what is there, as with older API servers,
	// that is listed first.
	command.Env = append(os.Environ(), "KUBE_FEATURE_WatchListClient=false")
	session, err := gexec.Start(command, GinkgoWriter, GinkgoWriter)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { session.Kill().Wait() })
	return session
}

func startManager(ctx context.Context, arguments ...string) *gexec.Session {
	GinkgoHelper()
	return startProgram("manager", append([]string{
		"--kubeconfig=" + managerAccount.kubeconfig(ctx), "--namespace=" + managerHome, "--leader-elect", "--leader-election-namespace=" + managerHome,
		"--health-probe-bind-address=0", fmt.Sprintf("--webhook-port=%d", controlplane.FreePort(GinkgoT())),
	}, arguments...)...)
}

// startAgent starts an agent that has nothing to import into: what it may do
// at the API server does not hang on that. It changes nothing on the machine.
func startAgent(ctx context.Context, arguments ...string) *gexec.Session {
	GinkgoHelper()
	return startProgram("agent", append([]string{
		"--kubeconfig=" + agentAccount.kubeconfig(ctx), "--node=" + agentAccount.node, "--ovn-nb=unix:" + filepath.Join(GinkgoT().TempDir(), "nowhere"),
		"--cluster-subnets=10.244.0.0/16", "--service-subnets=10.96.0.0/16", "--health-probe-bind-address=0",
	}, arguments...)...)
}

// create creates objects, which are deleted after the test.
func create(ctx context.Context, objects ...client.Object) {
	GinkgoHelper()
	for _, object := range objects {
		Expect(admin.Create(ctx, object)).To(Succeed())
		DeferCleanup(func(ctx context.Context) { Expect(client.IgnoreNotFound(admin.Delete(ctx, object))).To(Succeed()) })
	}
}
