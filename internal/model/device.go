package model

import (
	"fmt"
	"strings"
	"unicode"
)

// maxDeviceName is how many bytes Linux takes: IFNAMSIZ without its terminator.
const maxDeviceName = 15

// reservedDevices can't be made: the loopback device is there already, and the
// sysctl folders of these names stand for all devices and for new ones.
var reservedDevices = map[string]string{
	"lo": "the loopback device's", "all": "what the kernel calls all devices", "default": "what the kernel calls new devices",
}

// DeviceNameFault says why no network device, and so no VRF, can have the name (the
// kernel's dev_valid_name), "" if one can. The text continues a sentence that begins
// with the name.
func DeviceNameFault(name string) string {
	switch {
	case name == "":
		return "is empty"
	case len(name) > maxDeviceName:
		return fmt.Sprintf("has %d characters, and a device's name at most %d", len(name), maxDeviceName)
	case name == ".", name == "..":
		return "is a folder's"
	case reservedDevices[name] != "":
		return "is " + reservedDevices[name]
	}
	for _, r := range name {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			return "has white space or a control character"
		case strings.ContainsRune("/:%", r):
			return fmt.Sprintf("has a %q", r)
		}
	}
	return ""
}
