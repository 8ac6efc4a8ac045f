package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// cache is one built state in .cache/vm: the root as a folder and as a disk,
// the kernel and the modules that it needs to find the disk.
type cache struct {
	module string // the repository
	base   string // .cache/vm
	folder string // .cache/vm/<stamp>
	lock   *os.File
}

func (c *cache) root() string        { return filepath.Join(c.folder, "root") }
func (c *cache) disk() string        { return filepath.Join(c.folder, "root.ext4") }
func (c *cache) kernel() string      { return filepath.Join(c.folder, "vmlinux") }
func (c *cache) bootModules() string { return filepath.Join(c.folder, "boot-modules") }

// stamp changes with whatever makes another root. Newer packages in Debian's
// archive do not: remove .cache/vm for those.
func stamp() string {
	recipe := fmt.Sprint(suite, kernelPackage, rootPackages, excluded, keptModules, bootModules, mountPoints, cacheFormat)
	return fmt.Sprintf("%x", sha256.Sum256([]byte(recipe)))[:16]
}

// openCache builds what is missing, and holds the result against removal until
// close.
func openCache(ctx context.Context) (*cache, error) {
	if runtime.GOARCH != "amd64" {
		return nil, fmt.Errorf("the root is built for amd64; this machine is %s", runtime.GOARCH)
	}
	gomod, err := output(exec.CommandContext(ctx, "go", "env", "GOMOD"))
	if err != nil {
		return nil, err
	}
	module := filepath.Dir(strings.TrimSpace(gomod))
	base := filepath.Join(module, ".cache", "vm")
	if err := os.MkdirAll(base, 0o755); err != nil {
		return nil, err
	}
	c := &cache{module: module, base: base, folder: filepath.Join(base, stamp())}
	if c.lock, err = os.OpenFile(filepath.Join(base, "lock"), os.O_CREATE|os.O_RDWR, 0o644); err != nil {
		return nil, err
	}
	c.removeRemains()
	for {
		if err := c.flock(ctx, unix.LOCK_SH); err != nil {
			return nil, err
		}
		if _, err := os.Stat(c.folder); err == nil {
			return c, nil
		}
		// Going from shared to exclusive lets the lock go in between, so
		// somebody else may have built it meanwhile.
		if err := c.flock(ctx, unix.LOCK_EX); err != nil {
			return nil, err
		}
		if _, err := os.Stat(c.folder); errors.Is(err, os.ErrNotExist) {
			if err := c.build(ctx); err != nil {
				return nil, err
			}
		}
	}
}

func (c *cache) close() { _ = c.lock.Close() }

// flock polls, as a blocked flock(2) could not be interrupted.
func (c *cache) flock(ctx context.Context, how int) error {
	for told := false; ; {
		err := unix.Flock(int(c.lock.Fd()), how|unix.LOCK_NB)
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return err
		}
		if !told {
			fmt.Println("vm: waiting for another run that uses", c.base)
			told = true
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// build makes everything in a folder of another name, so that what was
// interrupted is never taken for complete.
func (c *cache) build(ctx context.Context) error {
	if err := c.removeOthers(); err != nil {
		return err
	}
	started := time.Now()
	final := c.folder
	c.folder = final + ".partial"
	defer func() { c.folder = final }()
	if err := os.MkdirAll(c.folder, 0o755); err != nil {
		return err
	}
	fmt.Printf("vm: building the root from Debian's packages (a minute or two, once)\n")
	if err := needs(ctx, "mmdebstrap", "mke2fs", "dpkg-deb", "xz", "zstd"); err != nil {
		return err
	}
	if err := c.bootstrap(ctx); err != nil {
		return err
	}
	if err := c.installKernel(ctx); err != nil {
		return err
	}
	if err := makeDisk(ctx, c.root(), c.disk(), 32<<20); err != nil {
		return err
	}
	if err := os.Rename(c.folder, final); err != nil {
		return err
	}
	fmt.Printf("vm: built in %s\n", since(started))
	return nil
}

// removeRemains drops what killed runs have left, if no run is under way.
func (c *cache) removeRemains() {
	if unix.Flock(int(c.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		return
	}
	runs, _ := filepath.Glob(filepath.Join(c.base, "run-*"))
	for _, run := range runs {
		_ = c.removeTree(run)
	}
}

// removeOthers drops earlier states and remains. Nobody uses them: the lock is
// exclusive.
func (c *cache) removeOthers() error {
	entries, err := os.ReadDir(c.base)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() && e.Name() != "bin" {
			if err := c.removeTree(filepath.Join(c.base, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
