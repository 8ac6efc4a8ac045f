package model

import (
	"strings"
	"testing"
)

func TestDeviceNameFault(t *testing.T) {
	for name, want := range map[string]string{
		"blue": "", "a.b": "", "Default": "", "auto": "", strings.Repeat("x", 15): "", "...": "",
		strings.Repeat("x", 16): "has 16 characters, and a device's name at most 15",
		"":                      "is empty", ".": "is a folder's", "..": "is a folder's",
		"a/b": "has a '/'", "a:1": "has a ':'", "vrf%d": "has a '%'", "a b": "has white space or a control character", "a\u00a0b": "has white space or a control character",
		"a\x1b[": "has white space or a control character",
		"lo":     "is the loopback device's", "all": "is what the kernel calls all devices", "default": "is what the kernel calls new devices",
	} {
		if got := DeviceNameFault(name); got != want {
			t.Errorf("DeviceNameFault(%q) = %q, want %q", name, got, want)
		}
	}
}
