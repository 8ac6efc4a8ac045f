package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/kube"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/probe"
)

// labDemo is the lab and the parts of it that the demo shows.
type labDemo struct {
	*lab.Lab
	root, kubeconfig, kubectl string

	tor    *lab.Router
	node   *lab.Node
	server *lab.Server
	pod    *cni.Pod
}

// site are the server's subnets.
var site = []netip.Prefix{netip.MustParsePrefix("172.20.0.0/24"), netip.MustParsePrefix("fd00:172:20::/64")}

const picture = `
      server 172.20.0.10, fd00:172:20::a
         |
        tor  AS 64999, FRR         192.168.100.1, fd00:100::1
         |
    =====+========+=============+=====  the fabric
                  |             |
                node1         node2     192.168.100.11 and .12, fd00:100::b and ::c
                  |                     AS 64512: FRR, frr-k8s, OVN, the agent
                 pod
`

// tellInLab brings the lab up, runs the demo in it, and takes it down.
func tellInLab(ctx context.Context, once bool) (err error) {
	root, err := controlplane.RepositoryRoot()
	if err != nil {
		return err
	}
	d := &labDemo{root: root}
	folder := filepath.Join(root, ".cache", "demo")
	fmt.Println("Starting kube-apiserver, etcd, two nodes and a router ...")
	running, err := startIsolated(folder)
	if err != nil {
		return err
	}
	d.kubeconfig, d.kubectl = filepath.Join(folder, "kubeconfig"), running.Binaries.Kubectl
	defer func() { err = errors.Join(err, os.Remove(d.kubeconfig), running.Stop()) }()
	if err := d.start(ctx, folder); err != nil {
		return errors.Join(err, d.stop())
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	fmt.Print(picture)
	if err := d.tell(ctx); err != nil {
		if ctx.Err() != nil {
			return err
		}
		return fmt.Errorf("%w\n%s\nall logs are in %s", err, d.FirstBreak(ctx), filepath.Join(folder, "lab", "logs"))
	}
	if once {
		fmt.Println("\nEverything came out as expected.")
		return nil
	}
	return d.answer(ctx)
}

// startIsolated starts a control plane where lo is the only device.
func startIsolated(folder string) (*controlplane.ControlPlane, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	running, err := controlplane.Start(controlplane.Options{NADs: true, Configure: func(server *envtest.APIServer) {
		server.Configure().Set("advertise-address", "127.0.0.1").Set("endpoint-reconciler-type", "none")
	}})
	if err != nil {
		return nil, err
	}
	if err := running.WriteKubeconfig(filepath.Join(folder, "kubeconfig")); err != nil {
		return nil, errors.Join(err, running.Stop())
	}
	return running, nil
}

func (d *labDemo) start(ctx context.Context, folder string) error {
	binaries, err := lab.BinariesFolder()
	if err != nil {
		return err
	}
	cluster, err := kube.Connect(d.kubeconfig)
	if err != nil {
		return err
	}
	evidence := filepath.Join(folder, "lab")
	if err := os.RemoveAll(evidence); err != nil {
		return err
	}
	d.Lab, err = lab.Start(ctx, lab.Default(), lab.Options{Kube: cluster, Binaries: binaries, Evidence: evidence, Progress: os.Stdout})
	if err != nil {
		return err
	}
	d.tor, d.node = d.Router("tor"), d.Nodes[0]
	if d.server, err = d.tor.AddServer(ctx, "server", site...); err != nil {
		return err
	}
	if d.pod, err = d.CNI.AddPod(ctx, cni.PodSpec{Namespace: "default", Name: "pod", Node: d.node.Name}); err != nil {
		return err
	}
	_, err = probe.Serve(d.pod.Machine)
	return err
}

func (d *labDemo) stop() error {
	if d.Lab == nil {
		return nil
	}
	fmt.Println("\nStopping ...")
	return d.Close(context.Background())
}

// runKubectl runs kubectl as a user would, and shows both the command and its output.
func (d *labDemo) runKubectl(ctx context.Context, arguments ...string) error {
	fmt.Printf("\n   $ kubectl %s\n", strings.Join(arguments, " "))
	kubectl := exec.CommandContext(ctx, d.kubectl, append([]string{"--kubeconfig=" + d.kubeconfig}, arguments...)...)
	kubectl.Dir = d.root
	output, err := kubectl.CombinedOutput()
	show(string(output))
	if err != nil {
		return fmt.Errorf("kubectl %s: %w", strings.Join(arguments, " "), err)
	}
	return nil
}

// show indents a program's output.
func show(text string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, " \r\n"); line != "" {
			fmt.Println("     " + line)
		}
	}
}

// until waits for a condition, and says how long it took.
func until(ctx context.Context, what string, is func(context.Context) (bool, error)) error {
	began := time.Now()
	var last error
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, machine.Patience(toldWithin), true, func(ctx context.Context) (bool, error) {
		var done bool
		done, last = is(ctx)
		return done && last == nil, nil
	})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("not within %s: %s", machine.Patience(toldWithin), what), last)
	}
	fmt.Printf("\n   %s, after %.1f s\n", what, time.Since(began).Seconds())
	return nil
}
