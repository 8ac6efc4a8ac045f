package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// openPort opens a virtio-serial port once the host's end is there: until then
// the kernel takes writes for lost and tells readers of an end.
func openPort(name string, mode int) (*os.File, error) {
	var device string
	await(func() bool {
		names, _ := filepath.Glob("/sys/class/virtio-ports/*/name")
		for _, path := range names {
			found, err := os.ReadFile(path)
			if err == nil && strings.TrimSpace(string(found)) == name {
				device = "/dev/" + filepath.Base(filepath.Dir(path))
			}
		}
		return device != ""
	})
	if device == "" {
		return nil, fmt.Errorf("there is no virtio-serial port %q", name)
	}
	// Without O_NONBLOCK a write would spin until the host has taken it.
	fd, err := unix.Open(device, mode|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", device, err)
	}
	await(func() bool {
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		n, err := unix.Poll(poll, 0)
		return err == nil && n == 1 && poll[0].Revents&unix.POLLHUP == 0
	})
	return os.NewFile(uintptr(fd), device), nil
}

// await gives the kernel time to find a device.
func await(condition func() bool) {
	deadline := time.After(20 * time.Second)
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for !condition() {
		select {
		case <-deadline:
			return
		case <-again.C:
		}
	}
}
