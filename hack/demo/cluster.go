package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
)

// cluster is the control plane of the demo and how to talk to it.
type cluster struct {
	root, folder string
	kubeconfig   string
	binaries     controlplane.Binaries
	running      *controlplane.ControlPlane
	client       client.Client
}

func startCluster(ctx context.Context, root, folder string) (*cluster, error) {
	began := time.Now()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	running, err := controlplane.Start(controlplane.Options{NADs: true})
	if err != nil {
		return nil, err
	}
	c := &cluster{
		root: root, folder: folder,
		kubeconfig: filepath.Join(folder, "kubeconfig"),
		binaries:   running.Binaries,
		running:    running,
	}
	if err := c.connect(ctx); err != nil {
		_ = running.Stop()
		return nil, err
	}
	fmt.Printf("  %s, with CRDs, after %.1f s\n", running.Config.Host, time.Since(began).Seconds())
	return c, nil
}

// connect makes the clients and what every story needs.
func (c *cluster) connect(ctx context.Context) error {
	if err := c.running.WriteKubeconfig(c.kubeconfig); err != nil {
		return err
	}
	scheme := runtime.NewScheme()
	if err := ovnv1.AddToScheme(scheme); err != nil {
		return err
	}
	if err := frrk8sv1beta1.AddToScheme(scheme); err != nil {
		return err
	}
	var err error
	if c.client, err = client.New(c.running.Config, client.Options{Scheme: scheme}); err != nil {
		return err
	}
	// The Deployment is only an object here, as nothing runs pods; what counts
	// are the manager's rights.
	return c.apply(ctx, "--kustomize", "config/operator")
}

// apply applies a folder of the repository as a user would.
func (c *cluster) apply(ctx context.Context, option, folder string) error {
	kubectl := exec.CommandContext(ctx, c.binaries.Kubectl,
		"--kubeconfig="+c.kubeconfig, "apply", "--server-side", option, folder)
	kubectl.Dir = c.root
	if output, err := kubectl.CombinedOutput(); err != nil {
		return fmt.Errorf("kubectl apply %s %s: %w: %s", option, folder, err, output)
	}
	return nil
}

// stop ends the control plane and removes the credentials for it.
func (c *cluster) stop() error {
	_ = os.Remove(c.kubeconfig)
	_ = os.Remove(c.kubeconfig + "-manager")
	return c.running.Stop()
}
