package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// writeInitramfs writes what the kernel starts from: the guest's binary as
// /init, and the boot modules.
func writeInitramfs(to, guest, modules string) error {
	var archive cpio
	archive.folder("dev")
	// The kernel opens it for /init before anything is mounted.
	archive.device("dev/console", 5, 1)
	archive.folder("modules")
	init, err := os.ReadFile(guest)
	if err != nil {
		return err
	}
	archive.file("init", init)
	paths, err := filepath.Glob(modules + "/*.ko")
	if err != nil {
		return err
	}
	for _, path := range paths {
		module, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		archive.file("modules/"+filepath.Base(path), module)
	}
	return os.WriteFile(to, archive.end(), 0o644)
}

// cpio writes the "newc" format of the kernel's early user space
// (Documentation/driver-api/early-userspace/buffer-format.rst).
type cpio struct {
	bytes.Buffer
	inode int
}

const (
	modeFolder = 0o040755
	modeFile   = 0o100755
	modeDevice = 0o020600
)

func (c *cpio) folder(name string)             { c.entry(name, modeFolder, 0, 0, nil) }
func (c *cpio) file(name string, text []byte)  { c.entry(name, modeFile, 0, 0, text) }
func (c *cpio) device(name string, ma, mi int) { c.entry(name, modeDevice, ma, mi, nil) }
func (c *cpio) end() []byte                    { c.entry("TRAILER!!!", 0, 0, 0, nil); return c.Bytes() }

func (c *cpio) entry(name string, mode, major, minor int, text []byte) {
	c.inode++
	fmt.Fprintf(c, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
		c.inode, mode, 0, 0, 1, 0, len(text), 0, 0, major, minor, len(name)+1, 0)
	c.WriteString(name + "\x00")
	c.pad()
	c.Write(text)
	c.pad()
}

func (c *cpio) pad() {
	for c.Len()%4 != 0 {
		c.WriteByte(0)
	}
}
