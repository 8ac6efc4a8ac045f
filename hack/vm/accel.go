package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// accelerator is how QEMU runs the guest's processors.
type accelerator string

const (
	tcg accelerator = "tcg"
	kvm accelerator = "kvm"
)

// kvmHost is what the host says of KVM.
type kvmHost struct {
	// open is why /dev/kvm can't be opened, nil if it can.
	open error
	// flags are the processor's.
	flags []string
}

// askHost opens /dev/kvm as QEMU does, for reading and writing: without the
// right to it the device is still there.
func askHost() kvmHost {
	var host kvmHost
	device, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err == nil {
		err = device.Close()
	}
	host.open = err
	if cpuinfo, err := os.Open("/proc/cpuinfo"); err == nil {
		defer cpuinfo.Close()
		host.flags = processorFlags(cpuinfo)
	}
	return host
}

// processorFlags reads those of the first processor in /proc/cpuinfo.
func processorFlags(cpuinfo io.Reader) []string {
	lines := bufio.NewScanner(cpuinfo)
	for lines.Scan() {
		if name, value, found := strings.Cut(lines.Text(), ":"); found && strings.TrimSpace(name) == "flags" {
			return strings.Fields(value)
		}
	}
	return nil
}

// choose returns the accelerator for what the flag -accel says, and why.
func (host kvmHost) choose(flag string) (accelerator, string, error) {
	switch flag {
	case string(tcg), string(kvm):
		return accelerator(flag), "asked for", nil
	case "auto":
	default:
		return "", "", fmt.Errorf("-accel is auto, kvm or tcg, not %q", flag)
	}
	switch {
	case errors.Is(host.open, os.ErrNotExist):
		return tcg, "there is no /dev/kvm", nil
	case host.open != nil:
		return tcg, host.open.Error(), nil
	// A KVM without the processor's help takes QEMU's machine all the same, and
	// then interprets each instruction of a kernel that was not made for it
	// (PVM): ten times slower than QEMU's own translation.
	case !slices.Contains(host.flags, "vmx") && !slices.Contains(host.flags, "svm"):
		return tcg, "/dev/kvm is there, but the processor has neither vmx nor svm", nil
	}
	return kvm, "/dev/kvm is there", nil
}

// bootLimit is how long a kernel may take to come up. Emulation on a busy
// machine takes ten times longer than on a quiet one, where it takes 7 s.
func (a accelerator) bootLimit() time.Duration {
	if a == kvm {
		return 30 * time.Second
	}
	return 2 * time.Minute
}

// arguments are QEMU's. With cmpxchg16b 6 emulated boots of 25 died under QEMU
// 7.2, without it none of 50. The kernels died right behind that instruction
// with senseless flags in EFLAGS, so its emulation seems to be at fault; without
// the feature the kernel's allocator takes another path.
func (a accelerator) arguments() []string {
	if a == kvm {
		return []string{"-accel", "kvm", "-cpu", "host"}
	}
	return []string{"-accel", "tcg,thread=multi,tb-size=512", "-cpu", "max,-cx16"}
}

// kernelParameters spare an emulated kernel what it would calibrate. With KVM it
// has a clock that also survives a host whose processors disagree.
func (a accelerator) kernelParameters() string {
	if a == kvm {
		return ""
	}
	return " tsc=reliable clocksource=tsc no_timer_check"
}
