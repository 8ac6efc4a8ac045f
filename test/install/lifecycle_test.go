package install

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
)

// patience is long, because the machine may be busy with other tests.
const patience = 90 * time.Second

// cluster is an API server that frr-k8s, and nothing of ours, is installed on.
type cluster struct {
	*controlplane.ControlPlane
	*WithT
	t          *testing.T
	admin      client.Client
	kubeconfig string
}

// newCluster starts a control plane without the operator's CRDs, which the
// installation has to bring, unless OVN-Kubernetes would have.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{ControlPlane: controlplane.StartForTest(t, controlplane.Options{WithoutOwnCRDs: true, NADs: true}), WithT: NewWithT(t), t: t}
	c.SetDefaultEventuallyTimeout(patience)
	c.SetDefaultEventuallyPollingInterval(100 * time.Millisecond)
	c.kubeconfig = filepath.Join(t.TempDir(), "admin")
	c.Expect(c.WriteKubeconfig(c.kubeconfig)).To(Succeed())
	scheme := controller.Scheme()
	c.Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	var err error
	c.admin, err = client.New(c.Config, client.Options{Scheme: scheme})
	c.Expect(err).NotTo(HaveOccurred())
	return c
}

func (c *cluster) kubectl(arguments ...string) string {
	c.t.Helper()
	return must(c.t, c.Binaries.Kubectl, append([]string{"--kubeconfig=" + c.kubeconfig}, arguments...)...)
}

func (c *cluster) helm(arguments ...string) (string, error) {
	c.t.Helper()
	return command(c.t, helm(c.t), append(arguments, "--kubeconfig="+c.kubeconfig, "--namespace="+home)...)
}

func (c *cluster) mustHelm(arguments ...string) string {
	c.t.Helper()
	out, err := c.helm(arguments...)
	c.Expect(err).NotTo(HaveOccurred())
	return out
}

// story is a cluster with a fabric to advertise to.
func (c *cluster) story() {
	c.t.Helper()
	labels := map[string]string{"use": "fabric"}
	for _, o := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "frr-k8s-system"}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ovn-kubernetes"}},
		&nadv1.NetworkAttachmentDefinition{ObjectMeta: metav1.ObjectMeta{Namespace: "ovn-kubernetes", Name: "default",
			Annotations: map[string]string{ovnk.AnnotationRouteAdvertisements: `["another"]`}}},
		&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-1", Labels: map[string]string{model.LabelHostname: "node-1"}, Annotations: map[string]string{
			ovnk.AnnotationNodeSubnets: `{"default":["10.244.1.0/24"]}`, ovnk.AnnotationPrimaryAddress: `{"ipv4":"172.18.0.2/16"}`}}},
		&frrk8sv1beta1.FRRConfiguration{ObjectMeta: metav1.ObjectMeta{Namespace: "frr-k8s-system", Name: "fabric", Labels: labels},
			Spec: frrk8sv1beta1.FRRConfigurationSpec{BGP: frrk8sv1beta1.BGPConfig{Routers: []frrk8sv1beta1.Router{{
				ASN: 64512, Neighbors: []frrk8sv1beta1.Neighbor{{Address: "192.0.2.1", ASN: 64513}}}}}}},
		&ovnv1.RouteAdvertisements{ObjectMeta: metav1.ObjectMeta{Name: "pods"}, Spec: ovnv1.RouteAdvertisementsSpec{
			NetworkSelectors:         ovnv1.NetworkSelectors{{NetworkSelectionType: ovnv1.DefaultNetwork}},
			FRRConfigurationSelector: metav1.LabelSelector{MatchLabels: labels}, Advertisements: []ovnv1.AdvertisementType{ovnv1.AdvertisePodNetwork}}},
	} {
		c.Eventually(func() error { return client.IgnoreAlreadyExists(c.admin.Create(c.t.Context(), o)) }).Should(Succeed(), "%T", o)
	}
}

func (c *cluster) condition(kind string) metav1.Condition {
	var ra ovnv1.RouteAdvertisements
	if err := c.admin.Get(c.t.Context(), client.ObjectKey{Name: "pods"}, &ra); err != nil {
		return metav1.Condition{Message: err.Error()}
	}
	if found := meta.FindStatusCondition(ra.Status.Conditions, kind); found != nil {
		return *found
	}
	return metav1.Condition{}
}

func (c *cluster) generated() []string {
	c.t.Helper()
	var list frrk8sv1beta1.FRRConfigurationList
	c.Expect(c.admin.List(c.t.Context(), &list, client.HasLabels{model.LabelGenerated})).To(Succeed())
	var names []string
	for i := range list.Items {
		names = append(names, list.Items[i].Name)
	}
	return names
}

// process is a pod's container, run here.
type process struct {
	*exec.Cmd
	logs  bytes.Buffer
	ended chan error
}

// run runs what the pod template says, as its service account, whose token
// comes from the API server as the kubelet gets it.
func (c *cluster) run(namespace string, pod *corev1.PodSpec) *process {
	c.t.Helper()
	program := "manager"
	if command := pod.Containers[0].Command; len(command) > 0 {
		program = filepath.Base(command[0])
	}
	return c.start(binary(c.t, program), namespace, pod)
}

// start is run with a binary of the caller's.
func (c *cluster) start(program, namespace string, pod *corev1.PodSpec) *process {
	c.t.Helper()
	container := pod.Containers[0]
	var environment []string
	for _, e := range container.Env {
		value := e.Value
		if e.ValueFrom != nil {
			switch field := e.ValueFrom.FieldRef.FieldPath; field {
			case "metadata.namespace":
				value = namespace
			default:
				c.t.Fatalf("this test doesn't know what the kubelet makes of %s", field)
			}
		}
		environment = append(environment, e.Name+"="+value)
	}
	p := &process{Cmd: exec.Command(program, container.Args...), ended: make(chan error, 1)}
	environment = append(environment, "KUBECONFIG="+c.account(namespace, pod.ServiceAccountName))
	p.Env = environment
	p.Stdout, p.Stderr = &p.logs, &p.logs
	c.Expect(p.Start()).To(Succeed())
	go func() { p.ended <- p.Wait() }()
	c.t.Cleanup(func() {
		_ = p.Process.Kill()
		if c.t.Failed() {
			c.t.Logf("%s:\n%s", strings.Join(p.Args, " "), p.logs.String())
		}
	})
	return p
}

func (p *process) stop(g *cluster) {
	g.t.Helper()
	g.Expect(p.Process.Signal(syscall.SIGTERM)).To(Succeed())
	g.Eventually(p.ended).Should(Receive(BeNil()))
}

// account writes a kubeconfig with a token of the service account.
func (c *cluster) account(namespace, name string) string {
	c.t.Helper()
	request := &authenticationv1.TokenRequest{}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	c.Expect(c.admin.SubResource("token").Create(c.t.Context(), account, request)).To(Succeed())
	path := filepath.Join(c.t.TempDir(), "account")
	c.Expect(clientcmd.WriteToFile(kubeconfig(c.Config, request.Status.Token), path)).To(Succeed())
	return path
}

func kubeconfig(server *rest.Config, token string) clientcmdapi.Config {
	return clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{"c": {Server: server.Host, CertificateAuthorityData: server.CAData}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{"u": {Token: token}},
		Contexts:       map[string]*clientcmdapi.Context{"x": {Cluster: "c", AuthInfo: "u"}},
		CurrentContext: "x",
	}
}

// deployed is the manager's pod as the cluster has it.
func (c *cluster) deployed() *corev1.PodSpec {
	c.t.Helper()
	var deployment appsv1.Deployment
	c.Expect(c.admin.Get(c.t.Context(), client.ObjectKey{Namespace: home, Name: "ovn-bgp-operator"}, &deployment)).To(Succeed())
	return &deployment.Spec.Template.Spec
}

// runCleanup applies a kustomization with a Job, and waits until that is done.
func (c *cluster) runCleanup(folder string) {
	c.t.Helper()
	c.kubectl("apply", "--kustomize="+folder)
	ctx, cancel := context.WithCancel(c.t.Context())
	wait := c.runJobs(ctx)
	c.kubectl("--namespace="+home, "wait", "--for=condition=complete", "--timeout=3m", "job/ovn-bgp-operator-cleanup")
	cancel()
	wait()
}

// runJobs does what the Job controller and a kubelet would, until ctx ends:
// it runs the Jobs that appear and tells what became of them.
func (c *cluster) runJobs(ctx context.Context) (wait func()) {
	c.t.Helper()
	var running sync.WaitGroup
	running.Go(func() {
		for ctx.Err() == nil {
			var jobs batchv1.JobList
			_ = c.admin.List(ctx, &jobs, client.InNamespace(home))
			for i := range jobs.Items {
				if job := &jobs.Items[i]; job.Status.StartTime == nil {
					c.runJob(ctx, job)
				}
			}
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	})
	return running.Wait
}

func (c *cluster) runJob(ctx context.Context, job *batchv1.Job) {
	now := metav1.Now()
	job.Status.StartTime = &now
	if err := c.admin.Status().Update(ctx, job); err != nil {
		return
	}
	p := c.run(home, &job.Spec.Template.Spec)
	err := <-p.ended
	c.t.Logf("%s: %s", job.Name, p.logs.String())
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		c.t.Errorf("the Job failed: %v", err)
		return
	}
	end := metav1.Now()
	job.Status.CompletionTime, job.Status.Succeeded = &end, 1
	job.Status.Conditions = []batchv1.JobCondition{
		{Type: batchv1.JobSuccessCriteriaMet, Status: corev1.ConditionTrue, LastTransitionTime: end, LastProbeTime: end, Reason: "CompletionsReached"},
		{Type: batchv1.JobComplete, Status: corev1.ConditionTrue, LastTransitionTime: end, LastProbeTime: end, Reason: "CompletionsReached"},
	}
	job.Status.UncountedTerminatedPods = &batchv1.UncountedTerminatedPods{}
	if err := c.admin.Status().Update(ctx, job); err != nil {
		c.t.Errorf("the Job's status: %v", err)
	}
}

// works waits until the installed manager advertises.
func (c *cluster) works() {
	c.t.Helper()
	c.Eventually(func() metav1.Condition { return c.condition(status.Accepted) }).Should(HaveField("Status", metav1.ConditionTrue))
	c.Eventually(func() metav1.Condition { return c.condition(status.Rendered) }).Should(HaveField("Status", metav1.ConditionTrue))
	c.Expect(c.generated()).To(ConsistOf("ovnbgp-node-1"))
	c.Eventually(c.annotated).Should(Equal(`["another","pods"]`))
}

// annotated is what stands at the default network.
func (c *cluster) annotated() string {
	var nad nadv1.NetworkAttachmentDefinition
	_ = c.admin.Get(c.t.Context(), client.ObjectKey{Namespace: "ovn-kubernetes", Name: "default"}, &nad)
	return nad.Annotations[ovnk.AnnotationRouteAdvertisements]
}

// gone waits until nothing of the operator's is left but CRDs and users' objects.
func (c *cluster) gone() {
	c.t.Helper()
	c.Expect(c.generated()).To(BeEmpty())
	var ra ovnv1.RouteAdvertisements
	c.Expect(c.admin.Get(c.t.Context(), client.ObjectKey{Name: "pods"}, &ra)).To(Succeed(), "users' objects stay")
	c.Expect(ra.Status.Status).To(BeEmpty())
	c.Expect(ra.Status.Conditions).To(BeEmpty())
	c.Expect(c.annotated()).To(Equal(`["another"]`), "what others wrote stays")
	c.Expect(c.admin.Get(c.t.Context(), client.ObjectKey{Namespace: "frr-k8s-system", Name: "fabric"}, &frrk8sv1beta1.FRRConfiguration{})).To(Succeed())
}

func TestKustomize(t *testing.T) {
	c := newCluster(t)
	c.kubectl("apply", "--server-side", "--kustomize=config/default")
	c.story()
	manager := c.run(home, c.deployed())
	c.works()

	t.Log("removing what it generated while it runs, as the README says")
	c.runCleanup("config/cleanup")
	c.Eventually(manager.ended).Should(Receive(HaveOccurred()), "the manager lost its lease")
	again := c.run(home, c.deployed())
	c.gone()
	c.kubectl("apply", "--dry-run=server", "--kustomize=config/agent-cleanup")
	for _, folder := range []string{"cleanup", "webhook", "agent", "operator"} {
		// Nobody here empties a namespace that is deleted.
		c.kubectl("delete", "--wait=false", "--kustomize=config/"+folder)
	}
	c.gone()
	again.stop(c)
	var left appsv1.DeploymentList
	c.Expect(c.admin.List(t.Context(), &left)).To(Succeed())
	c.Expect(left.Items).To(BeEmpty())
}

func TestObserveOnly(t *testing.T) {
	c := newCluster(t)
	c.kubectl("apply", "--server-side", "--kustomize=config/crd")
	c.kubectl("apply", "--server-side", "--kustomize=config/overlays/observe-only")
	c.story()
	manager := c.run(home, c.deployed())
	c.Eventually(func() metav1.Condition { return c.condition(status.Rendered) }).Should(And(
		HaveField("Reason", "ObserveOnly"), HaveField("Message", ContainSubstring("rendered on the one node"))))
	c.Expect(c.generated()).To(BeEmpty())
	c.Expect(c.condition(status.Accepted)).To(BeZero())
	manager.stop(c)
	c.Expect(manager.logs.String()).NotTo(ContainSubstring("forbidden"))
}

// olderChart is the chart with an older CRD.
func olderChart(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "chart")
	must(t, "cp", "-rL", chart, folder)
	path := filepath.Join(folder, "files", "crd", "k8s.ovn.org_routeadvertisements.yaml")
	now := file(t, path)
	before := regexp.MustCompile(`(controller-gen.kubebuilder.io/version:) \S+`).ReplaceAllString(now, "$1 older")
	if before == now {
		t.Fatal("the CRD has no version to be older than")
	}
	if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestHelm(t *testing.T) {
	c := newCluster(t)
	c.mustHelm("install", release, olderChart(t), "--create-namespace", "--set=agent.flags.cluster-subnets={10.244.0.0/16}")
	crd := func() string {
		return c.kubectl("get", "crd", "routeadvertisements.k8s.ovn.org", "--output=jsonpath={.metadata.annotations}")
	}
	c.Expect(crd()).To(ContainSubstring(`"older"`))
	c.story()
	manager := c.run(home, c.deployed())
	c.works()
	before := c.kubectl("get", "frrconfigurations", "--all-namespaces", "--output=jsonpath={.items[*].metadata.resourceVersion}")

	t.Log("upgrading, CRDs too")
	c.mustHelm("upgrade", release, chart, "--reuse-values", "--set=manager.flags.log-level=debug", "--set=agent.flags.manage-vrfs=true")
	c.Expect(crd()).NotTo(ContainSubstring(`"older"`))
	c.Expect(c.deployed().Containers[0].Args).To(ContainElement("--log-level=debug"))
	manager.stop(c)
	upgraded := c.run(home, c.deployed())
	c.Eventually(upgraded.logs.String).Should(ContainSubstring("DEBUG"))
	c.works()
	c.Expect(c.kubectl("get", "frrconfigurations", "--all-namespaces", "--output=jsonpath={.items[*].metadata.resourceVersion}")).To(Equal(before), "nothing was withdrawn or written again")

	t.Log("uninstalling, with the manager at work")
	ctx, cancel := context.WithCancel(t.Context())
	wait := c.runJobs(ctx)
	out, err := c.helm("uninstall", release, "--timeout=3m")
	cancel()
	wait()
	c.Expect(err).NotTo(HaveOccurred())
	t.Log(out)
	c.gone()
	c.Eventually(upgraded.ended).Should(Receive(HaveOccurred()), "the manager lost its lease")
	c.Expect(c.kubectl("get", "crd", "routeadvertisements.k8s.ovn.org", "--output=name")).NotTo(BeEmpty(), "CRDs are kept")
}

func TestHelmLeavesRoutesAdvertisedWhereThatIsWanted(t *testing.T) {
	c := newCluster(t)
	c.mustHelm("install", release, chart, "--create-namespace", "--set=uninstall.withdraw=false", "--set=agent.enabled=false")
	c.story()
	manager := c.run(home, c.deployed())
	c.works()
	c.mustHelm("uninstall", release)
	manager.stop(c)
	c.Expect(c.generated()).To(ConsistOf("ovnbgp-node-1"))
	c.Expect(c.condition(status.Accepted)).To(HaveField("Status", metav1.ConditionTrue))
}
