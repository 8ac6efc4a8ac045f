// Package metallb runs MetalLB next to the operator: its unmodified controller and
// speakers, which pass what they announce to the lab's frr-k8s, with only the rights
// that MetalLB's own manifests grant.
//
// There are no Kubernetes controllers and no kubelet: the programs run without their
// Deployment and DaemonSet, and without their webhook, which nothing here calls.
package metallb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/frrk8s"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/kube"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// Namespace is MetalLB's own, where it looks for its configuration.
const Namespace = "metallb-system"

// probes is where its programs say that they are well.
const probes = "127.0.0.1:17472"

// readyWithin is for one program, or for the API server to serve a new kind.
const readyWithin = 2 * time.Minute

// Options are where MetalLB runs.
type Options struct {
	Kube *kube.Cluster
	// Binaries has metallb-controller, metallb-speaker and metallb.yaml, which
	// hack/metallb builds.
	Binaries string
	// Controller is the machine of the controller, Nodes those of the speakers,
	// under the names of their nodes. All reach the API server.
	Controller *machine.Machine
	Nodes      []*machine.Machine
}

// MetalLB is a running MetalLB.
type MetalLB struct {
	Controller *machine.Process
	Speakers   []*machine.Process

	options Options
}

// Start installs MetalLB and starts its programs. Stop has to be called on it,
// also after an error.
func Start(ctx context.Context, options Options) (*MetalLB, error) {
	m := &MetalLB{options: options}
	if err := m.install(ctx); err != nil {
		return m, fmt.Errorf("install MetalLB: %w", err)
	}
	var err error
	if m.Controller, err = m.start(ctx, options.Controller, "controller", "controller",
		"--webhook-mode=disabled", "--disable-cert-rotation"); err != nil {
		return m, err
	}
	for _, node := range options.Nodes {
		speaker, err := m.start(ctx, node, "speaker", "speaker-"+node.Name, "--node-name="+node.Name, "--frrk8s-namespace="+frrk8s.Namespace)
		if err != nil {
			return m, err
		}
		m.Speakers = append(m.Speakers, speaker)
	}
	return m, nil
}

// Stop ends the programs and removes what only they would remove.
func (m *MetalLB) Stop(ctx context.Context) error {
	for _, process := range append(slices.Clone(m.Speakers), m.Controller) {
		if process != nil {
			process.Kill()
		}
	}
	var troubles []error
	for _, node := range m.options.Nodes {
		config := &unstructured.Unstructured{}
		config.SetAPIVersion("frrk8s.metallb.io/v1beta1")
		config.SetKind("FRRConfiguration")
		config.SetNamespace(frrk8s.Namespace)
		config.SetName(ConfigurationName(node.Name))
		troubles = append(troubles, client.IgnoreNotFound(m.options.Kube.Client.Delete(ctx, config)))
	}
	return errors.Join(troubles...)
}

// ConfigurationName is that of the FRRConfiguration that a node's speaker
// writes.
func ConfigurationName(node string) string { return "metallb-" + node }

// leftOut of its manifests is what would have Kubernetes run it, and what
// belongs to its webhook.
var leftOut = []string{"Deployment", "DaemonSet", "Service", "Secret", "ValidatingWebhookConfiguration"}

func (m *MetalLB) install(ctx context.Context) error {
	text, err := os.ReadFile(filepath.Join(m.options.Binaries, "metallb.yaml"))
	if err != nil {
		return fmt.Errorf("%w; run `make metallb`", err)
	}
	objects, err := kube.Parse(string(text))
	if err != nil {
		return err
	}
	for _, object := range objects {
		if slices.Contains(leftOut, object.GetKind()) {
			continue
		}
		// Between versions, of which only one is used here.
		unstructured.RemoveNestedField(object.Object, "spec", "conversion")
		err := m.options.Kube.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), client.FieldOwner("metallb"), client.ForceOwnership)
		if err != nil {
			return fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err)
		}
		if object.GetKind() == "CustomResourceDefinition" {
			if err := m.awaitKind(ctx, object); err != nil {
				return err
			}
		}
	}
	return nil
}

// awaitKind waits until the API server serves a new kind.
func (m *MetalLB) awaitKind(ctx context.Context, crd *unstructured.Unstructured) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		if err := m.options.Kube.Client.Get(ctx, client.ObjectKeyFromObject(crd), crd); err != nil {
			return err
		}
		// They are null at first, which is no slice.
		conditions, _, _ := unstructured.NestedSlice(crd.Object, "status", "conditions")
		for _, condition := range conditions {
			if c, ok := condition.(map[string]any); ok && c["type"] == "Established" && c["status"] == "True" {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the API server does not serve %s: %w", crd.GetName(), ctx.Err())
		case <-again.C:
		}
	}
}

// start starts one of its programs as the Pod of that name.
func (m *MetalLB) start(ctx context.Context, on *machine.Machine, program, pod string, args ...string) (*machine.Process, error) {
	own := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: pod, Labels: map[string]string{"app": "metallb", "component": program}},
		Spec:       corev1.PodSpec{NodeName: on.Name, HostNetwork: true, Containers: []corev1.Container{{Name: program, Image: "metallb"}}},
	}
	if err := m.options.Kube.Client.Create(ctx, own); err != nil && !apierrors.IsAlreadyExists(err) {
		return nil, fmt.Errorf("create MetalLB's Pod %s: %w", pod, err)
	}
	kubeconfig, err := m.options.Kube.Admit(ctx, on, types.NamespacedName{Namespace: Namespace, Name: program})
	if err != nil {
		return nil, err
	}
	cmd := on.Command(context.WithoutCancel(ctx), filepath.Join(m.options.Binaries, "metallb-"+program),
		append([]string{"--namespace=" + Namespace, "--pod-name=" + pod, "--log-level=debug"}, args...)...)
	cmd.Env = append(cmd.Env, "KUBECONFIG="+kubeconfig, "METALLB_BGP_TYPE=frr-k8s")
	process, err := on.StartCommand(ctx, "metallb-"+program, cmd)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	return process, on.AwaitHTTP(ctx, "http://"+probes+"/readyz", process)
}
