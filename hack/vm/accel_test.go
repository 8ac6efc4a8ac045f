package main

import (
	"io/fs"
	"os"
	"strings"
	"testing"
)

func TestChooseAccelerator(t *testing.T) {
	denied := &fs.PathError{Op: "open", Path: "/dev/kvm", Err: os.ErrPermission}
	missing := &fs.PathError{Op: "open", Path: "/dev/kvm", Err: os.ErrNotExist}
	intel, amd, neither := []string{"fpu", "vmx"}, []string{"svm"}, []string{"fpu", "hypervisor"}
	for name, c := range map[string]struct {
		flag string
		host kvmHost
		want accelerator
		why  string
	}{
		"Intel":                         {"auto", kvmHost{flags: intel}, kvm, "/dev/kvm is there"},
		"AMD":                           {"auto", kvmHost{flags: amd}, kvm, "/dev/kvm is there"},
		"no device":                     {"auto", kvmHost{open: missing, flags: intel}, tcg, "no /dev/kvm"},
		"no right to the device":        {"auto", kvmHost{open: denied, flags: intel}, tcg, "permission denied"},
		"KVM without the processor":     {"auto", kvmHost{flags: neither}, tcg, "neither vmx nor svm"},
		"a processor without any flags": {"auto", kvmHost{}, tcg, "neither vmx nor svm"},
		"emulation although there is":   {"tcg", kvmHost{flags: intel}, tcg, "asked for"},
		"KVM although there is none":    {"kvm", kvmHost{open: missing}, kvm, "asked for"},
	} {
		got, why, err := c.host.choose(c.flag)
		if err != nil || got != c.want || !strings.Contains(why, c.why) {
			t.Errorf("%s: %s because %q (%v), want %s because %q", name, got, why, err, c.want, c.why)
		}
	}
	if _, _, err := (kvmHost{}).choose("hvf"); err == nil {
		t.Error("an accelerator that QEMU has elsewhere is taken")
	}
}

func TestProcessorFlags(t *testing.T) {
	text := "processor\t: 0\nvmx flags\t: vnmi\nflags\t\t: fpu vmx sse\nbugs\t\t:\n\nprocessor\t: 1\nflags\t\t: fpu\n"
	if got := strings.Join(processorFlags(strings.NewReader(text)), " "); got != "fpu vmx sse" {
		t.Errorf("the flags are %q", got)
	}
}

func TestAnotherBoot(t *testing.T) {
	for name, c := range map[string]struct {
		flag  string
		accel accelerator
		boot  int
		want  accelerator
		again bool
	}{
		"a dead emulated kernel is booted again": {"auto", tcg, 1, tcg, true},
		"three times in all":                     {"auto", tcg, boots, "", false},
		"KVM that does not work is left":         {"auto", kvm, 1, tcg, true},
		"KVM that was asked for is kept":         {"kvm", kvm, 1, kvm, true},
		"and reported in the end":                {"kvm", kvm, boots, "", false},
	} {
		o := options{accel: c.flag}
		if got, again := o.another(c.accel, c.boot); got != c.want || again != c.again {
			t.Errorf("%s: %q, %v; want %q, %v", name, got, again, c.want, c.again)
		}
	}
}
