package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// serviceAccount is the manager's user, which config/rbac binds its roles to.
const serviceAccount = "system:serviceaccount:ovn-bgp-operator-system:ovn-bgp-operator"

const (
	readyWithin = time.Minute
	stopWithin  = 30 * time.Second
)

// manager is the operator's process.
type manager struct {
	path, log string
	command   *exec.Cmd
	// ctx ends with the process or with the demo; exited is closed when the process
	// ends.
	ctx    context.Context
	exited chan struct{}
}

func (c *cluster) startManager(ctx context.Context, path string) (*manager, error) {
	user, err := c.running.AddUser(serviceAccount, "system:serviceaccounts")
	if err != nil {
		return nil, err
	}
	kubeconfig := c.kubeconfig + "-manager"
	if err := user.WriteKubeconfig(kubeconfig); err != nil {
		return nil, err
	}
	probes, err := freeAddress()
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(c.folder, "manager.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close() // The process has its own descriptor.

	command := exec.Command(path, "--kubeconfig="+kubeconfig, "--leader-elect=false",
		"--metrics-bind-address=0", "--health-probe-bind-address="+probes, "--log-format=text")
	command.Stdout, command.Stderr = log, log
	// A process group of its own, so that Ctrl-C reaches only the demo, which then
	// stops the manager and the API server, in this order.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("starting the manager: %w", err)
	}
	began := time.Now()
	watched, ended := context.WithCancelCause(ctx)
	m := &manager{path: path, log: log.Name(), command: command, ctx: watched, exited: make(chan struct{})}
	go func() {
		_ = command.Wait() // Its state is in the message.
		close(m.exited)
		ended(fmt.Errorf("the manager ended by itself (%s):\n%s", command.ProcessState, m.lastWords()))
	}()
	if err := m.waitReady("http://" + probes + "/readyz"); err != nil {
		_ = m.stop()
		return nil, err
	}
	fmt.Printf("  ready after %.1f s, process %d\n", time.Since(began).Seconds(), command.Process.Pid)
	return m, nil
}

func (m *manager) waitReady(url string) error {
	err := wait.PollUntilContextTimeout(m.ctx, 50*time.Millisecond, readyWithin, true,
		func(ctx context.Context) (bool, error) {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
			if err != nil {
				return false, err
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				return false, nil // Not listening yet.
			}
			defer response.Body.Close()
			return response.StatusCode == http.StatusOK, nil
		})
	if m.ctx.Err() != nil {
		return context.Cause(m.ctx)
	}
	if err != nil {
		return fmt.Errorf("the manager was not ready within %s: see %s", readyWithin, m.log)
	}
	return nil
}

// stop asks the process to end, and kills it if it doesn't.
func (m *manager) stop() error {
	if err := m.command.Process.Signal(syscall.SIGTERM); err != nil {
		return nil // It has ended already.
	}
	select {
	case <-m.exited:
		return nil
	case <-time.After(stopWithin):
		_ = m.command.Process.Kill()
		return fmt.Errorf("the manager did not end within %s of SIGTERM and was killed: see %s", stopWithin, m.log)
	}
}

// lastWords returns the end of the log, for the message about a process that failed.
func (m *manager) lastWords() string {
	const most = 2000
	log, err := os.ReadFile(m.log)
	if err != nil {
		return err.Error()
	}
	return string(log[max(0, len(log)-most):])
}

// freeAddress is a port of the loopback interface that was free just now.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}
