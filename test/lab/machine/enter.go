package machine

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const (
	// requiredVariable turns a missing right or root from a reason to skip
	// into a failure, as under make and in CI.
	requiredVariable = "LAB_REQUIRED"
	// rootVariable names a Debian 13 root other than that of hack/vm.
	rootVariable = "OVNBGP_LAB_ROOT"
	// insideVariable is set inside of the enclosure, to the host's folders that
	// are seen there.
	insideVariable = "OVNBGP_LAB_INSIDE"
	// vmVariable is set by hack/vm, whose namespaces are an enclosure.
	vmVariable = "OVNBGP_VM"

	// firstProcess is the name under which the program is started as the
	// enclosure's first process.
	firstProcess = "ovn-bgp-lab-init"

	exitTrouble = 125
)

// Main runs tests inside of an enclosure. Where there can be none the tests
// are skipped, loudly, or fail if LAB_REQUIRED is set.
func Main(m *testing.M) {
	if err := Enter(); err != nil {
		if os.Getenv(requiredVariable) != "" {
			fmt.Fprintln(os.Stderr, "FAIL:", err)
			os.Exit(1)
		}
		fmt.Fprintln(os.Stderr, "SKIPPED, NOT PASSED:", err)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Enter has to be called before anything else in a program that makes
// machines. It returns inside of an enclosure, or with an error that says what
// is missing for one. In the process that was started outside it does not
// return: the program runs once more inside, and its exit code is passed on.
func Enter() error {
	if os.Args[0] == firstProcess {
		os.Exit(first())
	}
	if os.Getenv(insideVariable) != "" || os.Getenv(vmVariable) != "" {
		catchIgnored()
		return nil
	}
	if os.Geteuid() != 0 {
		return errors.New("a lab is made of namespaces, and these need root: run this as root")
	}
	checkout, err := checkoutAbove()
	if err != nil {
		return err
	}
	root, lock, err := findRoot(checkout)
	if err != nil {
		return err
	}
	code, err := enclose(checkout, root)
	_ = lock.Close()
	if err != nil {
		return err
	}
	os.Exit(code)
	return nil
}

func checkoutAbove() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for folder := start; folder != "/"; folder = filepath.Dir(folder) {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder, nil
		}
	}
	return "", fmt.Errorf("%s is in no checkout: start from there", start)
}

// findRoot finds what hack/vm has built, and holds it against removal.
func findRoot(checkout string) (string, *os.File, error) {
	base := filepath.Join(checkout, ".cache", "vm")
	missing := fmt.Errorf("there is no Debian root in %s: run `make lab-root`, or name one in %s", base, rootVariable)
	lock, err := os.OpenFile(filepath.Join(base, "lock"), os.O_RDWR, 0)
	if root := os.Getenv(rootVariable); root != "" {
		return root, lock, nil
	}
	if err != nil {
		return "", nil, missing
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_SH); err != nil {
		return "", nil, err
	}
	roots, _ := filepath.Glob(filepath.Join(base, "*", "root"))
	for _, root := range roots {
		if !strings.HasSuffix(filepath.Dir(root), ".partial") {
			return root, lock, nil
		}
	}
	return "", nil, missing
}

// enclose runs the program again, as it was started, inside of an enclosure.
func enclose(checkout, root string) (int, error) {
	folder, err := os.Getwd()
	if err != nil {
		return 0, err
	}
	again := exec.Command("/proc/self/exe")
	again.Args = append([]string{firstProcess, root, checkout, folder}, inside(os.Args)...)
	again.Env = environment()
	again.Stdin, again.Stdout, again.Stderr = os.Stdin, os.Stdout, os.Stderr
	again.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWPID | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC,
		Pdeathsig:  syscall.SIGKILL,
	}
	// The signal comes with the death of the thread that started the child.
	runtime.LockOSThread()
	// Ctrl-C reaches the whole foreground group: the program inside decides.
	ignoreInterrupts()
	if err := again.Start(); err != nil {
		return 0, fmt.Errorf("this system gives no namespaces for a lab: %w", err)
	}
	err = again.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 0, err
	}
	if status, ok := again.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return again.ProcessState.ExitCode(), nil
}

// inside drops what go test adds for its own cache: these files are outside.
func inside(args []string) []string {
	var kept []string
	for _, arg := range args {
		if !strings.HasPrefix(arg, "-test.testlogfile") {
			kept = append(kept, arg)
		}
	}
	return kept
}

// environment is the caller's, with what Go was told by its own files, which
// stay outside.
func environment() []string {
	env := os.Environ()
	for _, name := range []string{"GOROOT", "GOMODCACHE", "GOPROXY", "GONOSUMDB", "GOFLAGS"} {
		value, err := exec.Command("go", "env", name).Output()
		if err != nil {
			break
		}
		env = append(env, name+"="+strings.TrimSpace(string(value)))
	}
	return env
}
