package agent

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/vishvananda/netns"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
)

func ctx() context.Context { return context.Background() }

func must(out []byte, err error) []byte {
	GinkgoHelper()
	Expect(err).NotTo(HaveOccurred(), string(out))
	return out
}

func adminOf(plane *controlplane.ControlPlane) string {
	path := filepath.Join(GinkgoT().TempDir(), "admin")
	Expect(plane.WriteKubeconfig(path)).To(Succeed())
	return path
}

// relay makes the API server, which listens on the machine's loopback, answer
// at the same address in the node's namespace.
func relay(n *node, plane *controlplane.ControlPlane) {
	GinkgoHelper()
	server, err := url.Parse(plane.Config.Host)
	Expect(err).NotTo(HaveOccurred())
	address := server.Host
	if address == "" {
		address = plane.Config.Host
	}
	listener, err := listenIn(n, address)
	if err != nil && strings.Contains(err.Error(), "address already in use") {
		return
	}
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(listener.Close)
	go func() {
		for {
			inside, err := listener.Accept()
			if err != nil {
				return
			}
			outside, err := net.Dial("tcp", address)
			if err != nil {
				_ = inside.Close()
				continue
			}
			pipe := func(to, from net.Conn) {
				_, _ = io.Copy(to, from)
				_, _ = to.Close(), from.Close()
			}
			go pipe(inside, outside)
			go pipe(outside, inside)
		}
	}()
}

// listenIn listens in the node's namespace.
func listenIn(n *node, address string) (listener net.Listener, err error) {
	err = within(n, func() (err error) {
		listener, err = net.Listen("tcp", address)
		return err
	})
	return listener, err
}

// within opens a socket in the node's namespace, where it then stays.
func within(n *node, open func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	own, err := netns.Get()
	if err != nil {
		return err
	}
	defer func() { _ = own.Close() }()
	if err := netns.Set(n.ns.Handle); err != nil {
		return err
	}
	defer func() { _ = netns.Set(own) }()
	return open()
}

// peakMemory is the largest resident size that a process had, in MiB. `ip
// netns exec` becomes the process itself.
func peakMemory(pid int) float64 {
	GinkgoHelper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	Expect(err).NotTo(HaveOccurred())
	for _, line := range strings.Split(string(status), "\n") {
		if value, found := strings.CutPrefix(line, "VmHWM:"); found {
			kib, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64)
			Expect(err).NotTo(HaveOccurred())
			return kib / 1024
		}
	}
	Fail("no VmHWM in " + string(status))
	return 0
}
