package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// lackingKinds tries the kinds of device that tests cannot do without, in a
// network namespace that is thrown away, and names the first that the kernel
// does not have.
func lackingKinds() string {
	result := make(chan string)
	go func() {
		// Never unlocked: the thread ends with the goroutine, and the
		// namespace with the thread.
		runtime.LockOSThread()
		result <- tryKinds()
	}()
	return <-result
}

func tryKinds() string {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return "network namespaces, so no"
	}
	attrs := func(name string) netlink.LinkAttrs {
		a := netlink.NewLinkAttrs()
		a.Name = name
		return a
	}
	for _, link := range []netlink.Link{
		&netlink.Vrf{LinkAttrs: attrs("try-vrf"), Table: 1001},
		&netlink.Dummy{LinkAttrs: attrs("try-dummy")},
		&netlink.Veth{LinkAttrs: attrs("try-veth"), PeerName: "try-peer"},
		&netlink.Bridge{LinkAttrs: attrs("try-bridge")},
	} {
		if err := netlink.LinkAdd(link); err != nil {
			return link.Type()
		}
	}
	return ""
}

// lackingModule loads modules of the host's kernel and names the first that it
// does not have.
func lackingModule(ctx context.Context, names []string) string {
	for _, name := range names {
		if _, err := os.Stat(filepath.Join("/sys/module", strings.ReplaceAll(name, "-", "_"))); err == nil {
			continue
		}
		if exec.CommandContext(ctx, "modprobe", name).Run() != nil {
			return "module " + name
		}
	}
	return ""
}
