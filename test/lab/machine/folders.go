package machine

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// emptyFolders are each machine's own, and the enclosure's. They keep the owner
// and mode that Debian gives them: FRR's daemons give up root early and write
// to theirs afterwards.
var emptyFolders = []string{
	"/run", "/tmp", "/root", "/home", "/var/tmp", "/var/log",
	"/var/lib/frr", "/var/lib/openvswitch", "/var/lib/ovn",
	"/etc/frr", "/etc/frr_reloader", "/etc/openvswitch", "/etc/ovn",
}

// furnishMachine runs on a thread inside of a new machine.
func furnishMachine(hostname string) error {
	if err := unix.Sethostname([]byte(hostname)); err != nil {
		return err
	}
	if err := mountSys(""); err != nil {
		return err
	}
	// A new /tmp would hide a checkout below the old one.
	kept := map[string]int{}
	for folder := range strings.SplitSeq(os.Getenv(insideVariable), ":") {
		if !filepath.IsAbs(folder) {
			continue
		}
		tree, err := unix.OpenTree(unix.AT_FDCWD, folder, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
		if err != nil {
			return fmt.Errorf("keep hold of %s: %w", folder, err)
		}
		defer unix.Close(tree) //nolint:gocritic // Held until all are mounted again; there are two or three.
		kept[folder] = tree
	}
	for _, folder := range emptyFolders {
		if err := mountEmpty("", folder); err != nil {
			return err
		}
	}
	for folder, tree := range kept {
		if _, err := os.Stat(folder); err == nil {
			continue
		}
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		if err := unix.MoveMount(tree, "", unix.AT_FDCWD, folder, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
			return fmt.Errorf("mount %s again: %w", folder, err)
		}
	}
	return furnishRun()
}

// mountSys mounts what shows the namespaces of who mounts it.
func mountSys(top string) error {
	if err := mount("sysfs", top+"/sys", "sysfs", 0, ""); err != nil {
		return err
	}
	// For `ip vrf exec`, which binds a process to a VRF by its cgroup. There
	// are systems without the second version of cgroups, and they have no VRF.
	_ = unix.Mount("cgroup2", top+"/sys/fs/cgroup", "cgroup2", 0, "")
	return nil
}

func mountEmpty(top, folder string) error {
	var stat unix.Stat_t
	if err := unix.Stat(top+folder, &stat); err != nil {
		if errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("the Debian root has no %s: build it again with `make lab-root`", folder)
		}
		return fmt.Errorf("look at %s: %w", folder, err)
	}
	return mount("tmpfs", top+folder, "tmpfs", 0,
		fmt.Sprintf("mode=%o,uid=%d,gid=%d", stat.Mode&0o7777, stat.Uid, stat.Gid))
}

// furnishRun makes the folders that systemd makes elsewhere.
func furnishRun() error {
	for _, folder := range []string{
		"/run/lock", "/run/netns", "/run/openvswitch", "/run/ovn", "/run/frr",
		"/var/tmp/frr", "/var/log/frr", "/var/log/openvswitch", "/var/log/ovn",
	} {
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
	for _, folder := range []string{"/run/frr", "/var/tmp/frr", "/var/log/frr"} {
		if err := os.Chown(folder, uid, gid); err != nil {
			return err
		}
	}
	return nil
}
