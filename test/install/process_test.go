package install

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	. "github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

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
