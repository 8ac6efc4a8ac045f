package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestRemovingStopsAtAMount(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED, NOT PASSED: only root can mount; run this as root")
	}
	// Never unlocked: the thread ends with the test, and its mounts with it.
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS); err != nil {
		t.Skip("SKIPPED, NOT PASSED: this system gives no mount namespaces: ", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(t.TempDir(), "16 digits.partial", "root")
	inside := filepath.Join(root, "a mount")
	if err := os.MkdirAll(inside, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", inside, "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	precious := filepath.Join(inside, "precious")
	if err := os.WriteFile(precious, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	module, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	c := &cache{module: module}
	if err := c.removeTree(filepath.Dir(root)); err == nil || !strings.Contains(err.Error(), inside) {
		t.Errorf("with a mount inside: %v", err)
	}
	if _, err := os.Stat(precious); err != nil {
		t.Errorf("it went through the mount: %v", err)
	}
	if err := unix.Unmount(inside, 0); err != nil {
		t.Fatal(err)
	}
	if err := c.removeTree(filepath.Dir(root)); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(root); !os.IsNotExist(err) {
		t.Errorf("it is still there: %v", err)
	}
	if err := c.removeTree(root); err != nil {
		t.Errorf("what is gone already: %v", err)
	}
}
