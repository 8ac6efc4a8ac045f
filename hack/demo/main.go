package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
)

func main() {
	once := flag.Bool("once", false, "run the demo and exit, with exit code 0 only if everything came out as expected")
	where := flag.String("stage", string(stageAuto), "lab: packets through real FRR, frr-k8s and OVN, as root; controlplane: objects only; auto: the lab if it can run here")
	binaries := flag.String("binaries", "", "folder with manager and kubectl-ra (required)")
	flag.Parse()
	chosen, err := stage(*where).choose()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err = chosen.tell(ctx, *binaries, *once)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
	}
	stop()
	if err != nil {
		os.Exit(1)
	}
}

// run starts everything, applies the samples, and stops everything again.
func run(ctx context.Context, binaries string, once bool) (err error) {
	if binaries == "" {
		return errors.New("--binaries is missing: run `make demo`, which builds them and sets it")
	}
	root, err := controlplane.RepositoryRoot()
	if err != nil {
		return err
	}
	folder := filepath.Join(root, ".cache", "demo")

	fmt.Println("Starting kube-apiserver and etcd ...")
	demo, err := startCluster(ctx, root, folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, demo.stop()) }()

	fmt.Println("Starting the manager, with only the rights of config/rbac ...")
	running, err := demo.startManager(ctx, filepath.Join(binaries, "manager"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, running.stop()) }()

	if err := demo.tell(running.ctx); err != nil {
		return fmt.Errorf("%w\nthe manager's log is %s", err, running.log)
	}
	if err := demo.showPlan(running.ctx, filepath.Join(binaries, "kubectl-ra")); err != nil {
		return err
	}
	if once {
		fmt.Printf("\nAll %d samples came out as expected.\n", len(stories))
		return nil
	}
	demo.invite(running)
	select {
	case <-running.ctx.Done():
	case <-endOfInput():
	}
	fmt.Println("\nStopping ...")
	if ctx.Err() == nil {
		return context.Cause(running.ctx)
	}
	return nil
}

// endOfInput is closed when no one can type any more: after Ctrl-D, or without a
// terminal.
func endOfInput() <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, os.Stdin)
	}()
	return ended
}

// invite says what to try.
func (c *cluster) invite(m *manager) {
	fmt.Printf(`
Everything keeps running until Ctrl-C or Ctrl-D. In another terminal:

  export KUBECONFIG=%s PATH=%s:%s:$PATH

  kubectl get ra                                   # the status of each
  kubectl describe ra default                      # its conditions and events
  kubectl get frrconfigurations -n frr-k8s-system  # templates and, per node, the generated ones
  kubectl get frrconfigurations -n frr-k8s-system -l ovnbgp.io/generated -o yaml
  kubectl label node worker-1 egress-nodes=bgp     # one more node for egress IPs
  kubectl delete ra extranet                       # withdraw its routes
  kubectl ra plan                                  # the table above again
  kubectl ra plan -o diff -f FILE                  # what FILE would change
  tail -f %s
`, c.kubeconfig, filepath.Dir(m.path), filepath.Dir(c.binaries.Kubectl), m.log)
}
