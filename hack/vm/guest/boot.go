package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/hack/vm/internal/evidence"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/hack/vm/internal/forward"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/hack/vm/internal/worklist"
)

// preloaded are the modules that nothing asks for by itself: creating a VRF
// device loads its module, but net.vrf.strict_mode is there only afterwards.
var preloaded = []string{"vrf", "dummy"}

// boot is the life of the virtual machine. It ends by stopping the machine; the
// host also takes a machine that stops early for a failure.
func boot() {
	events, err := start()
	if err != nil {
		fmt.Println("guest:", err)
		stop()
	}
	send := func(e worklist.Event) {
		if err := json.NewEncoder(events).Encode(e); err != nil {
			fmt.Println("guest: write an event:", err)
			stop()
		}
	}
	if err := work(send); err != nil {
		send(worklist.Event{Trouble: err.Error()})
	}
	send(worklist.Event{Done: true})
	// The host ends the machine once it has read the last event. Ending it
	// here could lose what is still under way.
	for {
		_ = unix.Pause()
	}
}

func stop() {
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
}

func start() (io.Writer, error) {
	if err := switchRoot(); err != nil {
		return nil, err
	}
	if err := loadModules(preloaded); err != nil {
		return nil, err
	}
	return openPort(worklist.EventPort, unix.O_WRONLY)
}

// switchRoot goes from the initramfs to the root disk.
func switchRoot() error {
	const root = "/mnt"
	for _, folder := range []string{"/dev", root} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
	}
	if err := mount("devtmpfs", "/dev", "devtmpfs", 0, ""); err != nil {
		return err
	}
	if err := loadBootModules("/modules"); err != nil {
		return err
	}
	if err := mountDisk("/dev/vda", root); err != nil {
		return err
	}
	if err := mountDisk("/dev/vdb", root+worklist.Payload); err != nil {
		return err
	}
	if err := mount("devtmpfs", root+"/dev", "devtmpfs", 0, ""); err != nil {
		return err
	}
	for _, m := range []struct{ kind, at string }{{"proc", "/proc"}, {"sysfs", "/sys"}} {
		if err := mount(m.kind, root+m.at, m.kind, 0, ""); err != nil {
			return err
		}
	}
	if err := os.Chdir(root); err != nil {
		return err
	}
	if err := mount(".", "/", "", unix.MS_MOVE, ""); err != nil {
		return err
	}
	// The kernel's own modprobe shares the root of process 1, so it finds
	// its modules from here on.
	if err := unix.Chroot("."); err != nil {
		return err
	}
	return os.Chdir("/")
}

func loadBootModules(folder string) error {
	// Numbered in the order of their dependencies.
	modules, err := filepath.Glob(folder + "/*.ko")
	if err != nil {
		return err
	}
	for _, path := range modules {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		err = unix.FinitModule(int(f.Fd()), "", 0)
		_ = f.Close()
		if err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("load %s: %w", path, err)
		}
	}
	return nil
}

// mountDisk waits for the disk, which the kernel finds in its own time.
func mountDisk(device, at string) error {
	var err error
	await(func() bool {
		err = mount(device, at, "ext4", unix.MS_RDONLY|unix.MS_NOATIME, "")
		return !errors.Is(err, unix.ENOENT)
	})
	return err
}

func work(send func(worklist.Event)) error {
	var uname unix.Utsname
	if err := unix.Uname(&uname); err != nil {
		return err
	}
	send(worklist.Event{Kernel: unix.ByteSliceToString(uname.Release[:])})
	list, err := worklist.Read(worklist.Payload)
	if err != nil {
		return err
	}
	if err := loadModules(list.Modules); err != nil {
		return err
	}
	dial, err := wire(list)
	if err != nil {
		return fmt.Errorf("connect to the host: %w", err)
	}
	if list.Evidence {
		if err := mount("tmpfs", evidenceFolder, "tmpfs", 0, "mode=755"); err != nil {
			return err
		}
		defer func() {
			if err := sendEvidence(send); err != nil {
				send(worklist.Event{Trouble: err.Error()})
			}
		}()
	}
	if list.Shell {
		return shell(dial)
	}
	for i, test := range list.Tests {
		code, err := run(i, test, dial, func(piece []byte) { send(worklist.Event{Test: i, Output: piece}) })
		if err != nil {
			return fmt.Errorf("run the tests of %s: %w", test.Package, err)
		}
		send(worklist.Event{Test: i, Exit: &code})
	}
	return nil
}

var evidenceFolder = filepath.Join(worklist.Payload, worklist.Evidence)

func sendEvidence(send func(worklist.Event)) error {
	pieces := bufio.NewWriterSize(writer(func(piece []byte) { send(worklist.Event{Evidence: piece}) }), 32<<10)
	if err := evidence.Pack(evidenceFolder, pieces); err != nil {
		return err
	}
	return pieces.Flush()
}

type writer func([]byte)

func (w writer) Write(piece []byte) (int, error) { w(piece); return len(piece), nil }

func loadModules(names []string) error {
	if len(names) == 0 {
		return nil
	}
	if out, err := exec.Command("/sbin/modprobe", append([]string{"-a"}, names...)...).CombinedOutput(); err != nil {
		return fmt.Errorf("modprobe %v: %w: %s", names, err, out)
	}
	return nil
}

// wire is the way to the host's addresses; nil if tests need none.
func wire(list worklist.Worklist) (forward.Dialer, error) {
	if len(list.Forward) == 0 {
		return nil, nil
	}
	port, err := openPort(worklist.ForwardPort, unix.O_RDWR)
	if err != nil {
		return nil, err
	}
	return forward.Wire(port)
}

func run(index int, test worklist.Test, dial forward.Dialer, output func([]byte)) (int, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer read.Close()
	cmd := enterCommand(index)
	cmd.Stdout, cmd.Stderr = write, write
	entered, err := forward.Start(cmd, dial)
	_ = write.Close()
	if err != nil {
		return 0, err
	}
	defer entered.Close()
	timer := time.AfterFunc(test.Limit, func() {
		output(fmt.Appendf(nil, "\nkilled after %s, with all that it had started\n", test.Limit))
		_ = cmd.Process.Kill()
	})
	defer timer.Stop()
	// The pipe ends with the process namespace: no daemon that a test leaves
	// behind can hold it open.
	buffer := make([]byte, 32<<10)
	for {
		n, err := read.Read(buffer)
		if n > 0 {
			output(buffer[:n])
		}
		if err != nil {
			break
		}
	}
	return exitCode(cmd.Wait())
}

func shell(dial forward.Dialer) error {
	console, err := os.OpenFile("/dev/ttyS0", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	cmd := enterCommand(-1)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = console, console, console
	entered, err := forward.Start(cmd, dial)
	if err != nil {
		return err
	}
	defer entered.Close()
	_, err = exitCode(cmd.Wait())
	return err
}

func exitCode(err error) (int, error) {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return 0, err
	}
	if code := exit.ExitCode(); code >= 0 {
		return code, nil
	}
	return exitTrouble, nil
}
