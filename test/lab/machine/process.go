package machine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Cmd is an exec.Cmd that starts inside of a machine.
type Cmd struct {
	*exec.Cmd
	machine *Machine
}

// Command prepares a program to run inside.
func (m *Machine) Command(ctx context.Context, program string, args ...string) *Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	// A daemon that keeps its standard output would be waited for forever.
	cmd.WaitDelay = 2 * time.Second
	cmd.Env = append(os.Environ(), m.options.Env...)
	return &Cmd{Cmd: cmd, machine: m}
}

// Start starts the program.
func (c *Cmd) Start() error { return c.machine.Do(c.Cmd.Start) }

// Run runs the program to its end.
func (c *Cmd) Run() error {
	if err := c.Start(); err != nil {
		return err
	}
	err := c.Wait()
	// It ended well and left a child that holds its output.
	if errors.Is(err, exec.ErrWaitDelay) {
		return nil
	}
	return err
}

// Output runs the program and returns its standard output; the error carries
// what it said on standard error.
func (c *Cmd) Output() (string, error) {
	var out, trouble bytes.Buffer
	c.Stdout, c.Stderr = &out, &trouble
	if err := c.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: %s: %w\n%s", c.machine.Name, strings.Join(c.Args, " "), err,
			strings.TrimSpace(trouble.String()))
	}
	return out.String(), nil
}

// CombinedOutput runs the program and returns both of its outputs.
func (c *Cmd) CombinedOutput() ([]byte, error) {
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	return out.Bytes(), err
}

// Run runs a program to its end and returns its standard output; the error
// carries what it said on standard error.
func (m *Machine) Run(ctx context.Context, program string, args ...string) (string, error) {
	return m.Command(ctx, program, args...).Output()
}

// Process is a daemon inside of a machine.
type Process struct {
	Machine *Machine
	Label   string
	// Log is the file with its output.
	Log string

	cmd    *Cmd
	exited chan struct{}
	err    error
}

// Start starts a program that is to keep running. It has to stay in the
// foreground, and writes its output to a log of its own; a later process with
// the same label adds to it.
func (m *Machine) Start(ctx context.Context, label, program string, args ...string) (*Process, error) {
	return m.StartCommand(ctx, label, m.Command(context.WithoutCancel(ctx), program, args...))
}

// StartCommand is Start with a command that the caller has adjusted.
func (m *Machine) StartCommand(ctx context.Context, label string, cmd *Cmd) (*Process, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p := &Process{Machine: m, Label: label, cmd: cmd, exited: make(chan struct{})}
	p.Log = filepath.Join(m.options.Logs, m.Name+"-"+label+".log")
	log, err := os.OpenFile(p.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("start %s in %s: %w", label, m.Name, err)
	}
	defer log.Close() // The process has its own descriptor.
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s in %s: %w", label, m.Name, err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.exited)
	}()
	m.mutex.Lock()
	m.processes = append(m.processes, p)
	m.mutex.Unlock()
	return p, nil
}

// Exited is closed when the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Running tells whether the process has not ended yet.
func (p *Process) Running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// Wait waits for the end of the process.
func (p *Process) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return fmt.Errorf("%s in %s did not end: %w", p.Label, p.Machine.Name, context.Cause(ctx))
	case <-p.exited:
		return p.err
	}
}

// Memory is what the process has in memory, in bytes: VmRSS of proc_pid_status(5).
func (p *Process) Memory() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		var kib int64
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &kib); err == nil {
			return kib << 10, nil
		}
	}
	return 0, fmt.Errorf("%s in %s has no VmRSS", p.Label, p.Machine.Name)
}

// Signal sends a signal.
func (p *Process) Signal(signal os.Signal) error { return p.cmd.Process.Signal(signal) }

// Kill ends the process at once, as a crash would, and waits for its end.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// stopWithin is how long a process may take to end when asked to.
const stopWithin = 10 * time.Second

// Stop asks the process to end, and kills it if it does not.
func (p *Process) Stop() error {
	if err := p.Signal(syscall.SIGTERM); err != nil {
		return nil // It has ended already.
	}
	select {
	case <-p.exited:
		return nil
	case <-time.After(Patience(stopWithin)):
		p.Kill()
		return fmt.Errorf("%s in %s did not end within %s of SIGTERM and was killed: see %s",
			p.Label, p.Machine.Name, Patience(stopWithin), p.Log)
	}
}

// LastWords are the end of the process's log, for who has to tell that it
// failed.
func (p *Process) LastWords() string {
	const most = 2000
	log, err := os.ReadFile(p.Log)
	if err != nil {
		return err.Error()
	}
	return string(log[max(0, len(log)-most):])
}
