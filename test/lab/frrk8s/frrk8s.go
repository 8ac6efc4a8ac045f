// Package frrk8s runs the unmodified frr-k8s daemon of a node: its controller, the
// reloader that makes FRR load what the controller wrote, and the reporter of FRR's
// state.
package frrk8s

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

const (
	// Namespace is where frr-k8s looks for FRRConfigurations.
	Namespace = "frr-k8s-system"

	// ConfigFile is what the controller writes and the reloader reads.
	ConfigFile = "/etc/frr_reloader/frr.conf"

	reloaderPID = "/etc/frr_reloader/reloader.pid"
	startWithin = time.Minute
)

// PodName is that of a node's daemon; the reporter wants to find the Pod.
func PodName(node string) string { return "frr-k8s-" + node }

// Options say how a node's daemon is started.
type Options struct {
	// Binaries is the folder that hack/frrk8s fills.
	Binaries   string
	Kubeconfig string
	// Debounce is how long changes are collected before a reload; 3 s unless
	// set, as frr-k8s has it.
	Debounce time.Duration
	// Poll is how often FRR's state is reported without a cause.
	Poll time.Duration
}

// FRRK8s is a node's daemon.
type FRRK8s struct {
	Machine                      *machine.Machine
	Reloader, Controller, Status *machine.Process

	options Options
}

// Start starts all three processes; FRR has to run already.
func Start(ctx context.Context, m *machine.Machine, options Options) (*FRRK8s, error) {
	f := &FRRK8s{Machine: m, options: options}
	err := f.Restart(ctx)
	return f, err
}

// Restart starts all of them, ending those that run.
func (f *FRRK8s) Restart(ctx context.Context) error {
	f.Kill()
	ctx, cancel := context.WithTimeout(ctx, machine.Patience(startWithin))
	defer cancel()
	if err := f.startReloader(ctx); err != nil {
		return err
	}
	if err := f.StartController(ctx); err != nil {
		return err
	}
	return f.startStatus(ctx)
}

func (f *FRRK8s) startReloader(ctx context.Context) error {
	if _, err := f.Machine.Run(ctx, "rm", "-f", reloaderPID); err != nil {
		return err
	}
	var err error
	if f.Reloader, err = f.Machine.Start(ctx, "frr-reloader", "bash", filepath.Join(f.options.Binaries, "frr-reloader.sh")); err != nil {
		return err
	}
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		if text, err := f.Machine.ReadFile(reloaderPID); err == nil && text != "" {
			return nil
		}
		select {
		case <-f.Reloader.Exited():
			return fmt.Errorf("frr-k8s' reloader of %s ended at once: %s", f.Machine.Name, f.Reloader.LastWords())
		case <-ctx.Done():
			return fmt.Errorf("frr-k8s' reloader of %s did not start: %w", f.Machine.Name, ctx.Err())
		case <-again.C:
		}
	}
}

// StartController starts the controller by itself, after a Kill of it.
func (f *FRRK8s) StartController(ctx context.Context) error {
	const probes = "127.0.0.1:7572"
	cmd := f.command("frr-k8s-controller", "--health-probe-bind-address="+probes, "--metrics-bind-address=0")
	if f.options.Debounce != 0 {
		cmd.Args = append(cmd.Args, "--bgp-debounce-timeout="+strconv.FormatInt(f.options.Debounce.Milliseconds(), 10))
	}
	var err error
	if f.Controller, err = f.Machine.StartCommand(ctx, "frr-k8s", cmd); err != nil {
		return err
	}
	return f.Machine.AwaitHTTP(ctx, "http://"+probes+"/healthz", f.Controller)
}

func (f *FRRK8s) startStatus(ctx context.Context) error {
	cmd := f.command("frr-status", "--pod-name="+PodName(f.Machine.Name))
	if f.options.Poll != 0 {
		cmd.Args = append(cmd.Args, "--poll-interval="+f.options.Poll.String())
	}
	var err error
	f.Status, err = f.Machine.StartCommand(ctx, "frr-status", cmd)
	return err
}

func (f *FRRK8s) command(program string, args ...string) *machine.Cmd {
	cmd := f.Machine.Command(context.Background(), filepath.Join(f.options.Binaries, program),
		append([]string{"--node-name=" + f.Machine.Name, "--namespace=" + Namespace}, args...)...)
	cmd.Env = append(cmd.Env, "KUBECONFIG="+f.options.Kubeconfig,
		"FRR_CONFIG_FILE="+ConfigFile, "FRR_RELOADER_PID_FILE="+reloaderPID)
	return cmd
}

// Kill ends all three at once.
func (f *FRRK8s) Kill() {
	for _, process := range []*machine.Process{f.Status, f.Controller, f.Reloader} {
		if process != nil {
			process.Kill()
		}
	}
}
