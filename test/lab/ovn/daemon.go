package ovn

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

const (
	// answerWithin is how long a daemon that was just started may take to answer
	// on a quiet machine.
	answerWithin = time.Minute
	// longest is the same for commands that wait for daemons.
	longest = "--timeout=120"
)

// Daemon is a process on a machine that can be started again.
type Daemon struct {
	// Name is the label of its log, too.
	Name      string
	machine   *machine.Machine
	program   string
	arguments []string
	// ready is asked until it succeeds after a start.
	ready func(ctx context.Context) error

	process *machine.Process
}

// Start starts the daemon and waits until it answers.
func (d *Daemon) Start(ctx context.Context) error {
	if d.Running() {
		return nil
	}
	var err error
	if d.process, err = d.machine.Start(ctx, d.Name, d.program, d.arguments...); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, machine.Patience(answerWithin))
	defer cancel()
	// Asking costs the daemon time that it needs to start.
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 250*time.Millisecond) {
		err := d.ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-d.process.Exited():
			return fmt.Errorf("%s on %s ended at once: %s", d.Name, d.machine.Name, d.process.LastWords())
		case <-ctx.Done():
			return fmt.Errorf("%s on %s does not answer: %w; it said: %s", d.Name, d.machine.Name, err, d.process.LastWords())
		case <-time.After(pause):
		}
	}
}

// Running tells whether the process is there.
func (d *Daemon) Running() bool { return d.process != nil && d.process.Running() }

// Stop ends the daemon as its own stop command would.
func (d *Daemon) Stop() error {
	if !d.Running() {
		return nil
	}
	return d.process.Stop()
}

// Kill ends it without a chance to tidy up.
func (d *Daemon) Kill() {
	if d.Running() {
		d.process.Kill()
	}
}

// Signal sends any other signal, such as SIGSTOP.
func (d *Daemon) Signal(signal os.Signal) error {
	if !d.Running() {
		return fmt.Errorf("%s on %s does not run", d.Name, d.machine.Name)
	}
	return d.process.Signal(signal)
}

// Restart is Stop and Start.
func (d *Daemon) Restart(ctx context.Context) error {
	if err := d.Stop(); err != nil {
		return err
	}
	return d.Start(ctx)
}
