package frr

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// startWithin is how long all daemons together may take to answer on a quiet
// machine. In a busy emulated one mgmtd alone has taken 50 s.
const startWithin = time.Minute

// configFile is where vtysh, and so frr-k8s' reloader, keeps it.
const configFile = "/etc/frr/frr.conf"

// FRR is the daemons of one machine.
type FRR struct {
	Machine *machine.Machine
	Daemons []*machine.Process
}

// daemons in the order in which they start, with the flags of frr-k8s' own
// deployment; bgpd listens, as OVN-Kubernetes deploys it for sessions between
// nodes. All stay in the foreground.
var daemons = []struct {
	name string
	args []string
}{
	{"mgmtd", nil},
	// Routes of a zebra that died stay in the kernel for two minutes.
	{"zebra", []string{"-K", "120", "-s", "90000000"}},
	{"staticd", nil},
	{"bfdd", nil},
	{"bgpd", nil},
}

// Start starts FRR with a configuration and returns when all daemons answer.
func Start(ctx context.Context, m *machine.Machine, config string) (*FRR, error) {
	f := &FRR{Machine: m}
	if err := m.WriteFile(configFile, config); err != nil {
		return nil, err
	}
	// With it vtysh reads and writes one file for all daemons.
	if err := m.WriteFile("/etc/frr/vtysh.conf", "service integrated-vtysh-config\n"); err != nil {
		return nil, err
	}
	// FRR's daemons give up root before they write to it.
	if _, err := m.Run(ctx, "chown", "-R", "frr:frr", "/etc/frr"); err != nil {
		return nil, err
	}
	err := f.Restart(ctx)
	return f, err
}

// Restart starts all daemons, ending those that run, and has them read the
// configuration file.
func (f *FRR) Restart(ctx context.Context) error {
	f.Kill()
	ctx, cancel := context.WithTimeout(ctx, machine.Patience(startWithin))
	defer cancel()
	for _, d := range daemons {
		args := append([]string{"-A", "127.0.0.1", "--limit-fds", "10000", "--log", "stdout"}, d.args...)
		process, err := f.Machine.Start(ctx, d.name, "/usr/lib/frr/"+d.name, args...)
		if err != nil {
			return err
		}
		f.Daemons = append(f.Daemons, process)
		// Daemons that come to a mgmtd that is busy with itself keep it so for
		// seconds, and all of them want zebra.
		if d.name == "mgmtd" || d.name == "zebra" {
			if err := f.await(ctx, process); err != nil {
				return err
			}
		}
	}
	for _, process := range f.Daemons {
		if err := f.await(ctx, process); err != nil {
			return err
		}
	}
	_, err := f.Machine.Run(ctx, "vtysh", "-b")
	return err
}

func (f *FRR) await(ctx context.Context, daemon *machine.Process) error {
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		_, err := f.ask(ctx, daemon.Label, "show version")
		if err == nil {
			return nil
		}
		select {
		case <-daemon.Exited():
			return fmt.Errorf("%s of %s ended at once: %s", daemon.Label, f.Machine.Name, daemon.LastWords())
		case <-ctx.Done():
			return fmt.Errorf("%s of %s does not answer: %w; see %s", daemon.Label, f.Machine.Name, err, daemon.Log)
		case <-again.C:
		}
	}
}

// Kill ends all daemons at once, without a word to neighbors.
func (f *FRR) Kill() {
	for _, process := range f.Daemons {
		process.Kill()
	}
	f.Daemons = nil
}

// Daemon is one of the daemons by its name, such as bgpd.
func (f *FRR) Daemon(name string) *machine.Process {
	for _, process := range f.Daemons {
		if process.Label == name {
			return process
		}
	}
	return nil
}

// Configure enters configuration commands; indentation and order are those of
// a configuration file. A command that FRR refuses is an error.
func (f *FRR) Configure(ctx context.Context, commands ...string) error {
	args := []string{"-c", "configure terminal"}
	for _, command := range commands {
		for line := range strings.Lines(command) {
			if line = strings.TrimSpace(line); line != "" {
				args = append(args, "-c", line)
			}
		}
	}
	out, err := f.Machine.Command(ctx, "vtysh", args...).CombinedOutput()
	if err != nil || strings.Contains(string(out), "% ") {
		return fmt.Errorf("%s refuses %q: %w%s", f.Machine.Name, commands, err, out)
	}
	return nil
}

// RunningConfig is what vtysh shows.
func (f *FRR) RunningConfig(ctx context.Context) (string, error) {
	return f.Machine.Run(ctx, "vtysh", "-c", "show running-config")
}

// BGPConfig is bgpd's own part of it, with the filters. It costs no process.
func (f *FRR) BGPConfig(ctx context.Context) (string, error) {
	return f.ask(ctx, "bgpd", "show running-config")
}
