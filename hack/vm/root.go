package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/hack/vm/internal/worklist"
)

const (
	suite         = "trixie"
	kernelPackage = "linux-image-cloud-amd64"
	// cacheFormat is raised when the code makes something else out of the
	// same names.
	cacheFormat = 1
)

// rootPackages: FRR to put real routes into the kernel, OVN's ovsdb-server and
// schemas, and what a person wants who looks into a failing test.
var rootPackages = []string{
	"iproute2", "kmod", "nftables", "iputils-ping", "tcpdump", "procps", "ethtool", "conntrack",
	"frr", "frr-pythontools",
	"openvswitch-switch", "ovn-central", "ovn-host",
}

var excluded = []string{"/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*"}

// mountPoints must be there, as the root is read-only when it is in use.
var mountPoints = []string{worklist.Payload, "/etc/frr", "/etc/frr_reloader", "/etc/openvswitch", "/etc/ovn", "/var/lib/frr", "/var/lib/openvswitch", "/var/lib/ovn"}

// bootstrap makes the root. The kernel is only fetched: installed, it would
// pull in an initramfs generator that takes longer than all the rest.
func (c *cache) bootstrap(ctx context.Context) error {
	from, err := mirror(ctx)
	if err != nil {
		return err
	}
	fetch := `chroot "$1" sh -ec 'cd /boot; apt-get -o APT::Sandbox::User=root download ` +
		`"$(apt-cache depends ` + kernelPackage + ` | sed -n "s/^ *Depends: //p")"'`
	args := []string{
		"--variant=minbase", "--architectures=amd64",
		"--include=" + strings.Join(rootPackages, ","),
		`--aptopt=APT::Install-Recommends "false"`,
		"--customize-hook=" + fetch,
	}
	for _, path := range excluded {
		args = append(args, "--dpkgopt=path-exclude="+path)
	}
	args = append(args, suite, c.root())
	if from != "" {
		args = append(args, from)
	}
	mmdebstrap := niced(ctx, "mmdebstrap", args...)
	// What it mounts in the root is seen by nobody else, and gone with it however
	// it ends.
	mmdebstrap.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}
	if out, err := mmdebstrap.CombinedOutput(); err != nil {
		return fmt.Errorf("mmdebstrap: %w\n%s", err, out)
	}
	for _, folder := range mountPoints {
		if err := os.MkdirAll(filepath.Join(c.root(), folder), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// makeDisk makes an ext4 image of a folder. It is as large as its contents and
// never grows, as all disks are read-only.
func makeDisk(ctx context.Context, folder, disk string, spare int64) error {
	if err := needs(ctx, "mke2fs"); err != nil {
		return err
	}
	size, inodes := spare, 64
	err := filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		// A block of slack for each file, and an inode.
		size += info.Size() + 4096 + 256
		inodes++
		return nil
	})
	if err != nil {
		return err
	}
	// 3 % for the file system's own tables.
	size += size / 32
	_, err = output(niced(ctx, "mke2fs", "-q", "-t", "ext4", "-F", "-O", "^has_journal,^resize_inode", "-m", "0",
		// By itself it would choose by size, and a lot of inodes for a small disk.
		"-b", "4096", "-N", strconv.Itoa(inodes), "-d", folder, disk, strconv.FormatInt(size>>10, 10)+"k"))
	return err
}
