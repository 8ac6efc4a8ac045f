package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/hack/vm/internal/forward"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/hack/vm/internal/worklist"
)

// exitTrouble is the exit code for what is not the test's own fault. Go's test
// binaries use 0, 1 and 2.
const exitTrouble = 125

// empty are the folders that every test finds empty and may write to. The rest
// of the root is read-only, so that no test sees another one's leftovers.
var empty = []string{
	"/run", "/tmp", "/root", "/var/tmp", "/var/log",
	"/var/lib/frr", "/var/lib/openvswitch", "/var/lib/ovn",
	"/etc/frr", "/etc/openvswitch", "/etc/ovn",
}

func enterCommand(index int) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", "enter", "", "", strconv.Itoa(index))
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWPID | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC,
	}
	return cmd
}

// enter furnishes the namespaces that it was started in and runs one test of
// the worklist there; index -1 is a shell. Root and payload are folders of the
// host; empty, they are in place already.
func enter(root, payload string, index int) int {
	if err := furnish(root, payload); err != nil {
		fmt.Fprintln(os.Stderr, "guest enter:", err)
		return exitTrouble
	}
	list, err := worklist.Read(worklist.Payload)
	if err != nil {
		fmt.Fprintln(os.Stderr, "guest enter:", err)
		return exitTrouble
	}
	if len(list.Forward) > 0 {
		if err := forward.HandOver(list.Forward); err != nil {
			fmt.Fprintln(os.Stderr, "guest enter:", err)
			return exitTrouble
		}
	}
	test := worklist.Test{Binary: "../bin/bash", Args: []string{"-l"}}
	if index >= 0 {
		test = list.Tests[index]
	}
	env := append([]string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=/root", "TMPDIR=/tmp", "LANG=C.UTF-8", "TERM=linux", "OVNBGP_VM=1",
		// All that tests may need is here: what is missing is a fault.
		"VRF_REQUIRED=1", "NETNS_REQUIRED=1", "NORTHBOUND_REQUIRED=1", "LAB_REQUIRED=1",
	}, list.Env...)
	if root == "" {
		// The clock is the virtual machine's own, and everything takes longer.
		env = append(env, "CLOCK_MAY_JUMP=1", "OVNBGP_LAB_TIER=vm")
	}
	code, err := first(test, env, index < 0)
	if err != nil {
		fmt.Fprintln(os.Stderr, "guest enter:", err)
		return exitTrouble
	}
	return code
}

func furnish(root, payload string) error {
	// Without this what is mounted here would show up outside.
	if err := mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if root != "" {
		if err := changeRoot(root, payload); err != nil {
			return err
		}
	}
	// Both show the namespaces of the process that mounted them, so mount them again.
	if err := mount("proc", "/proc", "proc", 0, ""); err != nil {
		return err
	}
	if err := mount("sysfs", "/sys", "sysfs", 0, ""); err != nil {
		return err
	}
	// For `ip vrf exec`, which binds a process to a VRF by its cgroup.
	if err := mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, ""); err != nil {
		return err
	}
	for _, folder := range empty {
		if err := mountEmpty(folder); err != nil {
			return err
		}
	}
	if err := furnishRun(); err != nil {
		return err
	}
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find lo: %w", err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("set lo up: %w", err)
	}
	return unix.Sethostname([]byte("vm"))
}

func changeRoot(root, payload string) error {
	if err := mount(root, root, "", unix.MS_BIND, ""); err != nil {
		return err
	}
	if err := mount("/dev", filepath.Join(root, "dev"), "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return err
	}
	if err := mount(payload, filepath.Join(root, worklist.Payload), "", unix.MS_BIND, ""); err != nil {
		return err
	}
	// Before what is around it becomes read-only.
	evidence := filepath.Join(payload, worklist.Evidence)
	if _, err := os.Stat(evidence); err == nil {
		if err := mount(evidence, filepath.Join(root, evidenceFolder), "", unix.MS_BIND, ""); err != nil {
			return err
		}
	}
	for _, folder := range []string{root, filepath.Join(root, worklist.Payload)} {
		if err := mount("", folder, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
			return err
		}
	}
	if err := os.Chdir(root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("change the root to %s: %w", root, err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leave the old root: %w", err)
	}
	return os.Chdir("/")
}

// mountEmpty keeps the folder's owner and mode: FRR's daemons give up root
// early and write to theirs afterwards.
func mountEmpty(folder string) error {
	var stat unix.Stat_t
	if err := unix.Stat(folder, &stat); err != nil {
		return fmt.Errorf("look at %s: %w", folder, err)
	}
	return mount("tmpfs", folder, "tmpfs", 0,
		fmt.Sprintf("mode=%o,uid=%d,gid=%d", stat.Mode&0o7777, stat.Uid, stat.Gid))
}

// furnishRun makes the folders that systemd makes elsewhere.
func furnishRun() error {
	for _, folder := range []string{"/run/lock", "/run/netns", "/run/openvswitch", "/run/ovn", "/run/frr"} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
	}
	frr, err := user.Lookup("frr")
	if err != nil {
		return err
	}
	uid, err := strconv.Atoi(frr.Uid)
	if err != nil {
		return err
	}
	gid, err := strconv.Atoi(frr.Gid)
	if err != nil {
		return err
	}
	return os.Chown("/run/frr", uid, gid)
}

// first runs the test as a child and takes in orphans, as the first process of
// a namespace has to. When it returns, the kernel ends whatever is left.
func first(test worklist.Test, env []string, terminal bool) (int, error) {
	binary := filepath.Join(worklist.Payload, test.Binary)
	child, err := os.StartProcess(binary, append([]string{binary}, test.Args...), &os.ProcAttr{
		Dir:   filepath.Join(worklist.Payload, test.Dir),
		Env:   env,
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
		Sys:   &syscall.SysProcAttr{Setsid: true, Setctty: terminal},
	})
	if err != nil {
		return 0, err
	}
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return 0, fmt.Errorf("wait for %s: %w", test.Package, err)
		case pid != child.Pid:
		case status.Signaled():
			fmt.Fprintf(os.Stderr, "\nended by signal %d (%s)\n", status.Signal(), status.Signal())
			return 128 + int(status.Signal()), nil
		default:
			return status.ExitStatus(), nil
		}
	}
}

func mount(source, at, kind string, flags uintptr, options string) error {
	if err := unix.Mount(source, at, kind, flags, options); err != nil {
		return fmt.Errorf("mount %s %s at %s: %w", kind, source, at, err)
	}
	return nil
}
