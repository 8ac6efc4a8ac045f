package testns

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/vishvananda/netns"
)

// RequiredVariable in the environment turns a missing right or tool from a
// reason to skip into a failure, as in CI.
const RequiredVariable = "NETNS_REQUIRED"

var made atomic.Int64

// Namespace is a network namespace that ends with the test.
type Namespace struct {
	Name   string
	Handle netns.NsHandle
}

// New makes a namespace with a link gw0 (172.18.0.1/16, fd00:18::1/64) whose
// other end is out0, as a gateway's bridge would be, and a second one other0
// (172.19.0.1/16).
func New(t testing.TB) *Namespace {
	t.Helper()
	complain := t.Skipf
	if os.Getenv(RequiredVariable) != "" {
		complain = t.Fatalf
	}
	if os.Geteuid() != 0 {
		complain("NOT TESTED: network namespaces need root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		complain("NOT TESTED: ip is missing; install the package iproute2")
	}
	n := &Namespace{Name: fmt.Sprintf("agent-%d-%d", os.Getpid(), made.Add(1))}
	if out, err := exec.Command("ip", "netns", "add", n.Name).CombinedOutput(); err != nil {
		complain("NOT TESTED: cannot make a network namespace: %v: %s", err, out)
	}
	t.Cleanup(func() {
		_ = n.Handle.Close()
		_ = exec.Command("ip", "netns", "del", n.Name).Run()
	})
	var err error
	if n.Handle, err = netns.GetFromName(n.Name); err != nil {
		t.Fatal(err)
	}
	n.IP(t,
		"link set lo up",
		"link add gw0 type veth peer name out0", "link set gw0 up", "link set out0 up",
		"addr add 172.18.0.1/16 dev gw0", "addr add fd00:18::1/64 dev gw0 nodad",
		"link add other0 type veth peer name out1", "link set other0 up", "link set out1 up",
		"addr add 172.19.0.1/16 dev other0",
	)
	return n
}

// IP runs commands of ip in the namespace, as one batch.
func (n *Namespace) IP(t testing.TB, commands ...string) {
	t.Helper()
	if out, err := n.Try(commands...); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// Try is IP for commands that may fail; those after a failed one are run too.
func (n *Namespace) Try(commands ...string) (string, error) {
	command := exec.Command("ip", "-n", n.Name, "-force", "-batch", "-")
	command.Stdin = strings.NewReader(strings.Join(commands, "\n") + "\n")
	out, err := command.CombinedOutput()
	return string(out), err
}

// Exec runs a program in the namespace.
func (n *Namespace) Exec(t testing.TB, name string, arguments ...string) string {
	t.Helper()
	out, err := exec.Command("ip", append([]string{"netns", "exec", n.Name, name}, arguments...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v: %s", name, arguments, err, out)
	}
	return string(out)
}

// VRFRequiredVariable in the environment turns a kernel without VRF devices
// from a reason to skip into a failure, as in the virtual machine.
const VRFRequiredVariable = "VRF_REQUIRED"

// RequireVRF skips the test where the kernel has no VRF devices.
func RequireVRF(t testing.TB, n *Namespace) {
	t.Helper()
	require(t, n, "VRF", "vrf table 4321")
}

// RequireDummy skips the test where the kernel has no dummy devices.
func RequireDummy(t testing.TB, n *Namespace) {
	t.Helper()
	require(t, n, "dummy", "dummy")
}

func require(t testing.TB, n *Namespace, what, kind string) {
	t.Helper()
	out, err := n.Try("link add probe type "+kind, "link del probe")
	if err == nil {
		return
	}
	if os.Getenv(VRFRequiredVariable) != "" {
		t.Fatalf("the kernel has no %s devices: %s", what, out)
	}
	t.Skipf("NOT TESTED: this kernel has no %s devices; `make test-vm` tests it in a virtual machine", what)
}
