package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sys/unix"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/hack/vm/internal/worklist"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
)

// controlPlane is an etcd and a kube-apiserver on the host's loopback. They run
// natively also where the tests run in the virtual machine: emulated, the API
// server alone would take half a minute to start.
type controlPlane struct {
	cmd     *exec.Cmd
	answers *json.Decoder
	began   time.Time
}

// serving is what the process of the control plane says once it serves.
type serving struct {
	Address string
	Trouble string
}

// startControlPlane starts it as the first process of a process namespace, so
// that nothing of it outlives this process, however that ends.
func startControlPlane(ctx context.Context, stage stage) (*controlPlane, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	scratch := filepath.Join(stage.folder, "controlplane")
	if err := os.MkdirAll(scratch, 0o755); err != nil {
		return nil, err
	}
	p := &controlPlane{cmd: exec.CommandContext(ctx, self, "serve-controlplane", stage.payload()), began: time.Now()}
	p.cmd.Env = append(os.Environ(), "TMPDIR="+scratch)
	p.cmd.Stderr = os.Stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID, Pdeathsig: syscall.SIGKILL}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.answers = json.NewDecoder(out)
	return p, p.cmd.Start()
}

// address waits until the API server serves and says where.
func (p *controlPlane) address() (string, error) {
	var s serving
	if err := p.answers.Decode(&s); err != nil {
		return "", fmt.Errorf("the control plane ended before it served: %w", err)
	}
	if s.Trouble != "" {
		return "", errors.New(s.Trouble)
	}
	fmt.Printf("vm: the API server serves on %s, %s after its start\n", s.Address, since(p.began))
	return s.Address, nil
}

func (p *controlPlane) stop() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// serveControlPlane is the process that startControlPlane starts. It stays
// until it is killed, and all that it started goes with it.
func serveControlPlane(folder string) error {
	say := json.NewEncoder(os.Stdout)
	// Unset, it complains on standard error.
	ctrl.SetLogger(logr.Discard())
	running, err := controlplane.Start(controlplane.Options{NADs: true})
	if err != nil {
		return say.Encode(serving{Trouble: err.Error()})
	}
	if err := running.WriteKubeconfig(filepath.Join(folder, worklist.Kubeconfig)); err != nil {
		return say.Encode(serving{Trouble: err.Error()})
	}
	server, err := url.Parse(running.Config.Host)
	if err != nil {
		return say.Encode(serving{Trouble: err.Error()})
	}
	if err := say.Encode(serving{Address: server.Host}); err != nil {
		return err
	}
	select {}
}
