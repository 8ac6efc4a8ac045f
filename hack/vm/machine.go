package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/hack/vm/internal/forward"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/hack/vm/internal/worklist"
)

type machine struct {
	cmd *exec.Cmd
	// events comes from the guest, addresses carries its connections.
	events    net.Conn
	addresses net.Conn
	console   string
	// evidence takes what tests leave; nil if nobody asked for it.
	evidence io.Writer
}

// runInGuest boots a machine, hands its events to the verdicts, and ends it.
// Without verdicts it serves a shell.
func (o options) runInGuest(ctx context.Context, cache *cache, stage stage, v *verdicts) error {
	if err := needs(ctx, "qemu-system-x86_64"); err != nil {
		return err
	}
	initrd := filepath.Join(stage.folder, "initrd")
	if err := writeInitramfs(initrd, stage.guest(), cache.bootModules()); err != nil {
		return fmt.Errorf("write the initramfs: %w", err)
	}
	disk := filepath.Join(stage.folder, "payload.ext4")
	if err := makeDisk(ctx, stage.payload(), disk, 8<<20); err != nil {
		return err
	}
	accel, why, err := askHost().choose(o.accel)
	if err != nil {
		return err
	}
	fmt.Printf("vm: the accelerator is %s: %s\n", accel, why)
	limit := boots * tcg.bootLimit()
	for _, test := range stage.list.Tests {
		limit += test.Limit
	}
	if !stage.list.Shell {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, fmt.Errorf("the virtual machine did not end by itself within %s", limit))
		defer cancel()
	}
	for boot := 1; ; boot++ {
		err := o.bootAndFollow(ctx, cache, stage, v, accel)
		next, again := o.another(accel, boot)
		if !errors.Is(err, errNotUp) || ctx.Err() != nil || !again {
			return err
		}
		fmt.Printf("vm: boot %d of at most %d, by %s: %v\n", boot, boots, accel, err)
		accel = next
	}
}

// boots is how often a machine is started that does not come up. A kernel that
// patches its code while the other processor runs it may meet half of the patch
// under QEMU's emulation ("Oops: int3"), one boot in some twenty. No test has
// run by then, so that nothing is covered up.
const boots = 3

var errNotUp = errors.New("the virtual machine did not come up")

// another says whether and how to boot again after a boot that failed. A KVM
// that was not asked for is tried once only.
func (o options) another(failed accelerator, boot int) (accel accelerator, again bool) {
	if boot == boots {
		return "", false
	}
	if failed == kvm && o.accel == "auto" {
		return tcg, true
	}
	return failed, true
}

func (o options) bootAndFollow(ctx context.Context, cache *cache, stage stage, v *verdicts, accel accelerator) error {
	started := time.Now()
	m, err := o.startMachine(ctx, cache, stage, accel)
	if err != nil {
		return err
	}
	defer m.addresses.Close()
	if dial := stage.dialer(); dial != nil {
		go func() { _ = forward.Answer(m.addresses, dial, len(stage.list.Forward)) }()
	}
	kept := o.receiveEvidence(m)
	err = m.follow(v, started, accel.bootLimit())
	_ = m.cmd.Process.Kill()
	_ = m.cmd.Wait()
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		err = fmt.Errorf("%w%s", err, m.lastWords())
	}
	return errors.Join(err, kept())
}

// receiveEvidence unpacks while the machine sends. The function that it
// returns waits for the end.
func (o options) receiveEvidence(m *machine) func() error {
	if o.evidence == "" {
		return func() error { return nil }
	}
	read, write := io.Pipe()
	m.evidence = write
	done := make(chan error, 1)
	go func() {
		done <- o.keepEvidence(read)
		// An archive ends before its stream does.
		_, _ = io.Copy(io.Discard, read)
	}()
	return func() error {
		_ = write.Close()
		return <-done
	}
}

func (o options) startMachine(ctx context.Context, cache *cache, stage stage, accel accelerator) (*machine, error) {
	shell := stage.list.Shell
	events, itsEvents, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer itsEvents.Close()
	addresses, itsAddresses, err := socketPair()
	if err != nil {
		_ = events.Close()
		return nil, err
	}
	defer itsAddresses.Close()
	m := &machine{events: events, addresses: addresses, console: filepath.Join(stage.folder, "console.log")}
	console := "file,id=console,path=" + m.console
	if shell {
		console = "stdio,id=console,signal=off"
	}
	m.cmd = exec.CommandContext(ctx, "qemu-system-x86_64", append(accel.arguments(),
		"-name", "ovn-bgp-test", "-M", "q35", "-smp", "2", "-m", strconv.Itoa(o.memory),
		// No network card at all: nothing that a test sends can leave.
		"-nodefaults", "-no-user-config", "-nic", "none", "-display", "none", "-no-reboot",
		"-kernel", cache.kernel(), "-initrd", filepath.Join(stage.folder, "initrd"),
		"-append", "console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off nokaslr random.trust_cpu=on"+accel.kernelParameters(),
		"-drive", "id=root,if=none,format=raw,readonly=on,file="+cache.disk(),
		"-device", "virtio-blk-pci,drive=root",
		"-drive", "id=payload,if=none,format=raw,readonly=on,file="+filepath.Join(stage.folder, "payload.ext4"),
		"-device", "virtio-blk-pci,drive=payload",
		"-device", "virtio-rng-pci",
		"-chardev", console, "-serial", "chardev:console",
		"-device", "virtio-serial-pci",
		"-chardev", "socket,id=events,fd=3",
		"-device", "virtserialport,chardev=events,name="+worklist.EventPort,
		"-chardev", "socket,id=forward,fd=4",
		"-device", "virtserialport,chardev=forward,name="+worklist.ForwardPort,
	)...)
	m.cmd.ExtraFiles = []*os.File{itsEvents, itsAddresses}
	m.cmd.Stdin, m.cmd.Stdout, m.cmd.Stderr = nil, os.Stdout, os.Stderr
	if shell {
		m.cmd.Stdin = os.Stdin
	}
	// However this process ends, the machine is not to outlive it.
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := m.cmd.Start(); err != nil {
		_ = events.Close()
		_ = addresses.Close()
		return nil, err
	}
	return m, nil
}

func socketPair() (net.Conn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	ours := os.NewFile(uintptr(fds[0]), "events")
	defer ours.Close()
	theirs := os.NewFile(uintptr(fds[1]), "events of the guest")
	conn, err := net.FileConn(ours)
	if err != nil {
		_ = theirs.Close()
		return nil, nil, err
	}
	return conn, theirs, nil
}

// follow reads events until the last one.
func (m *machine) follow(v *verdicts, started time.Time, bootLimit time.Duration) error {
	defer m.events.Close()
	if err := m.events.SetReadDeadline(started.Add(bootLimit)); err != nil {
		return err
	}
	var trouble error
	up := false
	for decoder := json.NewDecoder(m.events); ; {
		var e worklist.Event
		switch err := decoder.Decode(&e); {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return fmt.Errorf("%w within %s", errNotUp, bootLimit)
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
			if !up {
				return fmt.Errorf("%w: it died", errNotUp)
			}
			return errors.New("the virtual machine ended early")
		case err != nil:
			return fmt.Errorf("read the guest's events: %w", err)
		}
		switch {
		case e.Kernel != "":
			fmt.Printf("vm: Linux %s is up after %s\n", e.Kernel, since(started))
			up = true
			if err := m.events.SetReadDeadline(time.Time{}); err != nil {
				return err
			}
		case e.Trouble != "":
			trouble = fmt.Errorf("in the guest: %s", e.Trouble)
		case e.Done:
			return trouble
		case e.Evidence != nil:
			if m.evidence == nil {
				continue
			}
			if _, err := m.evidence.Write(e.Evidence); err != nil {
				return err
			}
		case v == nil:
		case e.Exit != nil:
			v.exit(e.Test, *e.Exit)
		case len(e.Output) > 0:
			v.output(e.Test, e.Output)
		}
	}
}

// lastWords is the part of the console where a kernel says why it died, or its
// end.
func (m *machine) lastWords() string {
	text, err := os.ReadFile(m.console)
	if err != nil || len(text) == 0 {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	start := slices.IndexFunc(lines, func(line string) bool { return death.MatchString(line) })
	if start < 0 {
		start = max(0, len(lines)-wordLines)
	}
	return "\nits console:\n  " + strings.Join(lines[start:min(len(lines), start+wordLines)], "\n  ")
}

const wordLines = 30

var death = regexp.MustCompile(`Kernel panic|Oops|BUG:|general protection|guest:`)
