package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// keptModules are the parts of the kernel's module tree that tests can use.
// Everything network-like stays, so that a test that needs geneve or MPLS does
// not need another root.
var keptModules = []string{
	"net/", "lib/", "crypto/", "arch/x86/crypto/",
	"drivers/net/vrf.ko", "drivers/net/dummy.ko", "drivers/net/veth.ko", "drivers/net/vxlan/",
	"drivers/net/geneve.ko", "drivers/net/macvlan.ko", "drivers/net/ifb.ko", "drivers/net/tun.ko",
	"drivers/net/bareudp.ko", "drivers/net/bonding/", "drivers/block/virtio_blk.ko",
}

// bootModules are what the kernel needs to find its disks. ext4, virtio's PCI
// transport and the virtio console are built in.
var bootModules = []string{"virtio_blk"}

// installKernel turns the fetched package into an uncompressed kernel and the
// module tree of the root.
func (c *cache) installKernel(ctx context.Context) error {
	packages, err := filepath.Glob(c.root() + "/boot/*.deb")
	if err != nil || len(packages) != 1 {
		return fmt.Errorf("want one kernel package in the new root's /boot, found %v", packages)
	}
	unpacked := filepath.Join(c.folder, "kernel")
	if _, err := output(niced(ctx, "dpkg-deb", "-x", packages[0], unpacked)); err != nil {
		return err
	}
	if err := os.Remove(packages[0]); err != nil {
		return err
	}
	images, err := filepath.Glob(unpacked + "/boot/vmlinuz-*")
	if err != nil || len(images) != 1 {
		return fmt.Errorf("want one kernel in %s, found %v", kernelPackage, images)
	}
	if err := unpackKernel(ctx, images[0], c.kernel()); err != nil {
		return fmt.Errorf("unpack %s: %w", images[0], err)
	}
	release := strings.TrimPrefix(filepath.Base(images[0]), "vmlinuz-")
	if err := c.installModules(ctx, unpacked, release); err != nil {
		return err
	}
	if err := c.copyBootModules(release); err != nil {
		return err
	}
	return os.RemoveAll(unpacked)
}

// unpackKernel takes the ELF image out of a bzImage, because QEMU starts it by
// its PVH entry at once, while the bzImage would unpack itself in emulation.
// Offsets: the x86 boot protocol, 2.08 and later.
func unpackKernel(ctx context.Context, bzImage, to string) error {
	image, err := os.ReadFile(bzImage)
	if err != nil {
		return err
	}
	if len(image) < 0x250 || string(image[0x202:0x206]) != "HdrS" {
		return errors.New("it is not a bzImage")
	}
	sectors := int(image[0x1f1])
	if sectors == 0 {
		sectors = 4
	}
	start := (sectors+1)*512 + int(binary.LittleEndian.Uint32(image[0x248:]))
	end := start + int(binary.LittleEndian.Uint32(image[0x24c:]))
	if end > len(image) || end-start < 8 {
		return errors.New("its payload lies outside of it")
	}
	// The last four bytes are the unpacked size, and foreign to the packer.
	packed := image[start : end-4]
	program := "zstd"
	if bytes.HasPrefix(packed, []byte("\xfd7zXZ\x00")) {
		program = "xz"
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	cmd := niced(ctx, program, "-dc")
	cmd.Stdin, cmd.Stdout = bytes.NewReader(packed), out
	var trouble bytes.Buffer
	cmd.Stderr = &trouble
	if err := cmd.Run(); err != nil {
		_ = out.Close()
		return fmt.Errorf("%s: %w: %s", program, err, trouble.String())
	}
	return out.Close()
}

// installModules copies what is kept, unpacked: loading them unpacked saves
// time that the emulation does not have.
func (c *cache) installModules(ctx context.Context, unpacked, release string) error {
	from := filepath.Join(unpacked, "usr/lib/modules", release)
	if _, err := os.Stat(from); err != nil {
		from = filepath.Join(unpacked, "lib/modules", release)
	}
	to := filepath.Join(c.root(), "usr/lib/modules", release)
	var packed []string
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		below, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		inTree := strings.TrimPrefix(below, "kernel/")
		if inTree != below && !slices.ContainsFunc(keptModules, func(kept string) bool { return strings.HasPrefix(inTree, kept) }) {
			return nil
		}
		target := filepath.Join(to, below)
		if strings.HasSuffix(below, ".xz") {
			packed = append(packed, target)
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		return copyFile(path, target)
	})
	if err != nil {
		return err
	}
	if len(packed) > 0 {
		if _, err := output(niced(ctx, "xz", append([]string{"-d"}, packed...)...)); err != nil {
			return err
		}
	}
	_, err = output(niced(ctx, "chroot", c.root(), "depmod", release))
	return err
}

// copyBootModules puts them beside the kernel, numbered in the order in which
// they can be loaded.
func (c *cache) copyBootModules(release string) error {
	tree := filepath.Join(c.root(), "usr/lib/modules", release)
	text, err := os.ReadFile(filepath.Join(tree, "modules.dep"))
	if err != nil {
		return err
	}
	var order []string
	for _, name := range bootModules {
		found := false
		for entry := range strings.Lines(string(text)) {
			path, needed, _ := strings.Cut(strings.TrimSpace(entry), ":")
			if strings.TrimSuffix(filepath.Base(path), ".ko") != name {
				continue
			}
			found = true
			// depmod lists dependencies last first.
			paths := append([]string{path}, strings.Fields(needed)...)
			slices.Reverse(paths)
			for _, p := range paths {
				if !slices.Contains(order, p) {
					order = append(order, p)
				}
			}
		}
		if !found {
			return fmt.Errorf("kernel %s has no module %s", release, name)
		}
	}
	if err := os.MkdirAll(c.bootModules(), 0o755); err != nil {
		return err
	}
	for i, path := range order {
		to := filepath.Join(c.bootModules(), fmt.Sprintf("%02d-%s", i, filepath.Base(path)))
		if err := copyFile(filepath.Join(tree, path), to); err != nil {
			return err
		}
	}
	return nil
}
