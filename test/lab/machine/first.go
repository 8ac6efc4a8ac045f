package machine

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func ignoreInterrupts() { signal.Ignore(os.Interrupt, syscall.SIGQUIT) }

// first is the first process of an enclosure. It furnishes the enclosure, runs
// the program as a child, and takes in orphans.
func first() int {
	root, checkout, folder, args := os.Args[1], os.Args[2], os.Args[3], os.Args[4:]
	ignoreInterrupts()
	program, err := os.Open("/proc/self/exe")
	if err == nil {
		err = furnish(root, checkout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "lab: cannot make the enclosure:", err)
		return exitTrouble
	}
	_ = os.Setenv("PATH", searchPath)
	if os.Getenv("GOROOT") != "" {
		_ = os.Setenv("GOROOT", goRoot)
		_ = os.Setenv("PATH", searchPath+":"+goRoot+"/bin")
	}
	_ = os.Setenv(insideVariable, strings.Join(visibleFolders(checkout), ":"))
	child, err := os.StartProcess(fmt.Sprintf("/proc/self/fd/%d", program.Fd()), args, &os.ProcAttr{
		Dir: folder, Env: os.Environ(), Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "lab: cannot start the program inside of the enclosure:", err)
		return exitTrouble
	}
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case err == unix.EINTR, err == nil && pid != child.Pid:
		case err != nil:
			fmt.Fprintln(os.Stderr, "lab:", err)
			return exitTrouble
		case status.Signaled():
			fmt.Fprintf(os.Stderr, "\nended by signal %d (%s)\n", status.Signal(), status.Signal())
			return 128 + int(status.Signal())
		default:
			return status.ExitStatus()
		}
	}
}

// goRoot is where Go is seen inside. Tests ask it where modules are.
const goRoot = "/usr/local/go"

const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// ofRoot are the folders that come, read-only, from the Debian root. All others
// are empty, and exist for the sake of mounts.
var ofRoot = []string{"etc", "usr", "var", "opt"}

// furnish makes a root of tmpfs, so that the checkout can be mounted wherever
// it is outside.
func furnish(root, checkout string) error {
	// Without this what is mounted here would show up outside.
	if err := mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	// Mounted anywhere that exists: it becomes the root at once.
	const top = "/mnt"
	if err := mount("tmpfs", top, "tmpfs", 0, "mode=755"); err != nil {
		return err
	}
	if err := furnishTop(root, top); err != nil {
		return err
	}
	for _, folder := range append([]string{"/usr/local"}, emptyFolders...) {
		if err := mountEmpty(top, folder); err != nil {
			return err
		}
	}
	for _, folder := range visibleFolders(checkout) {
		if err := bind(folder, top+folder); err != nil {
			return err
		}
	}
	if outside := os.Getenv("GOROOT"); outside != "" {
		if err := bind(outside, top+goRoot); err != nil {
			return err
		}
	}
	if err := os.Chdir(top); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("change the root to %s: %w", root, err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leave the old root: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return err
	}
	return unix.Sethostname([]byte("lab"))
}

// visibleFolders are those of the host that are seen inside, at their own
// paths: the checkout, and what Go and the tests were told to look at.
func visibleFolders(checkout string) []string {
	visible := []string{checkout}
	for _, name := range []string{"GOMODCACHE", "KUBEBUILDER_ASSETS", "FRRK8S_ASSETS"} {
		folder := os.Getenv(name)
		if below, err := filepath.Rel(checkout, folder); err == nil && filepath.IsLocal(below) {
			continue
		}
		if _, err := os.Stat(folder); err == nil && filepath.IsAbs(folder) {
			visible = append(visible, folder)
		}
	}
	return visible
}

func furnishTop(root, top string) error {
	entries, err := os.ReadDir(root)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		path := filepath.Join(top, entry.Name())
		if entry.Type()&os.ModeSymlink != 0 {
			target, err := os.Readlink(filepath.Join(root, entry.Name()))
			if err != nil {
				return err
			}
			if err := os.Symlink(target, path); err != nil {
				return err
			}
			continue
		}
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
	}
	for _, name := range ofRoot {
		for _, flags := range []uintptr{unix.MS_BIND, unix.MS_BIND | unix.MS_REMOUNT | unix.MS_RDONLY} {
			if err := mount(filepath.Join(root, name), filepath.Join(top, name), "", flags, ""); err != nil {
				return err
			}
		}
	}
	if err := mount("/dev", top+"/dev", "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return err
	}
	if err := mount("proc", top+"/proc", "proc", 0, ""); err != nil {
		return err
	}
	return mountSys(top)
}

func bind(folder, at string) error {
	if err := os.MkdirAll(at, 0o755); err != nil {
		return fmt.Errorf("a place for %s: %w", folder, err)
	}
	return mount(folder, at, "", unix.MS_BIND|unix.MS_REC, "")
}

func mount(source, at, kind string, flags uintptr, options string) error {
	if err := unix.Mount(source, at, kind, flags, options); err != nil {
		return fmt.Errorf("mount %s %s at %s: %w", kind, source, at, err)
	}
	return nil
}
