package lab

import (
	"context"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/kube"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// Manager is this operator's manager, on a machine of its own.
type Manager struct {
	*machine.Process
	Machine *machine.Machine

	lab *Lab
}

// Restart starts the manager, ending it first if it runs, and waits until it
// is ready.
func (m *Manager) Restart(ctx context.Context) error {
	if m.Process != nil {
		m.Process.Kill()
	}
	kubeconfig, err := m.lab.Kube.Admit(ctx, m.Machine, kube.ManagerAccount)
	if err != nil {
		return err
	}
	const probes = "127.0.0.1:8081"
	flags := []string{
		"--kubeconfig=" + kubeconfig, "--leader-elect=false", "--metrics-bind-address=0",
		"--health-probe-bind-address=" + probes, "--log-format=text", "--log-level=debug",
	}
	flags = append(flags, m.lab.ManagerArgs...)
	if m.lab.NoOverlay {
		flags = append(flags, "--default-network-no-overlay-subnets="+m.lab.clusterSubnets())
	}
	if m.Process, err = m.Machine.Start(ctx, "manager", m.lab.program("manager"), flags...); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, machine.Patience(startWithin))
	defer cancel()
	return m.Machine.AwaitHTTP(ctx, "http://"+probes+"/readyz", m.Process)
}
