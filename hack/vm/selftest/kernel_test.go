package selftest

import (
	"flag"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

const (
	table = 1010
	// bgp is RTPROT_BGP of the kernel's rtnetlink.h.
	bgp = 186
)

// broken lets anybody see that a failure in here comes out as one:
//
//	go run ./hack/vm run -- ./hack/vm/selftest -args -broken
var broken = flag.Bool("broken", false, "fail")

func TestFailureComesOut(t *testing.T) {
	inside(t)
	if *broken {
		t.Error("failing, as -broken asks for it")
	}
}

func TestNoWayOut(t *testing.T) {
	inside(t)
	links, err := netlink.LinkList()
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		// Some kernels give every namespace a tunnel device of each kind,
		// down and without a peer.
		if link.Attrs().Name != "lo" && link.Attrs().Flags&net.FlagUp != 0 {
			t.Errorf("there is a device %s (%s) that could lead out", link.Attrs().Name, link.Type())
		}
	}
	routes, err := netlink.RouteList(nil, netlink.FAMILY_ALL)
	if err != nil {
		t.Fatal(err)
	}
	for _, route := range routes {
		if route.Gw != nil {
			t.Errorf("there is a route that could lead out: %s", route)
		}
	}
}

func TestVRFRoutes(t *testing.T) {
	inside(t)
	newNamespace(t)
	up(t, &netlink.Vrf{LinkAttrs: named("blue"), Table: table})
	up(t, &netlink.Dummy{LinkAttrs: named("lower0")})
	lower := up(t, &netlink.Veth{LinkAttrs: named("lower1"), PeerName: "peer1"})
	ip(t, "link", "set", "peer1", "up")
	for device, address := range map[string]string{"lower0": "10.50.0.11/24", "lower1": "10.51.0.11/24"} {
		ip(t, "link", "set", device, "master", "blue")
		ip(t, "address", "add", address, "dev", device)
	}
	ip(t, "-6", "address", "add", "2001:db8:50::b/64", "dev", "lower0", "nodad")
	blue, err := netlink.LinkByName("blue")
	if err != nil {
		t.Fatal(err)
	}
	if got := blue.(*netlink.Vrf).Table; got != table {
		t.Fatalf("the VRF's table is %d, want %d", got, table)
	}
	if again, err := netlink.LinkByIndex(lower.Attrs().Index); err != nil || again.Attrs().MasterIndex != blue.Attrs().Index {
		t.Fatalf("lower1 is not enslaved to the VRF: %v, %v", again, err)
	}

	ip(t, "route", "add", "172.21.0.0/16", "via", "10.50.0.1", "vrf", "blue", "proto", "bgp")
	ip(t, "-6", "route", "add", "2001:db8:21::/48", "via", "2001:db8:50::1", "vrf", "blue", "proto", "bgp")
	ip(t, "route", "add", "172.22.0.0/16", "vrf", "blue", "proto", "bgp",
		"nexthop", "via", "10.50.0.1", "nexthop", "via", "10.51.0.1")
	ip(t, "nexthop", "add", "id", "11", "via", "10.50.0.1", "dev", "lower0", "proto", "bgp")
	ip(t, "nexthop", "add", "id", "12", "via", "10.51.0.1", "dev", "lower1", "proto", "bgp")
	ip(t, "nexthop", "add", "id", "20", "group", "11/12", "proto", "bgp")
	ip(t, "route", "add", "172.23.0.0/16", "nhid", "20", "vrf", "blue", "proto", "bgp")
	ip(t, "route", "add", "blackhole", "172.24.0.0/16", "vrf", "blue", "proto", "bgp")

	routes := bgpRoutes(t)
	for prefix, nextHops := range map[string]int{
		"172.21.0.0/16": 0, "2001:db8:21::/48": 0, "172.22.0.0/16": 2, "172.23.0.0/16": 2, "172.24.0.0/16": 0,
	} {
		route, ok := routes[prefix]
		if !ok {
			t.Errorf("%s is not among the routes of protocol bgp in table %d", prefix, table)
		} else if len(route.MultiPath) != nextHops {
			t.Errorf("%s has %d paths, want %d", prefix, len(route.MultiPath), nextHops)
		}
	}
	if got := routes["172.23.0.0/16"].NHID; got != 20 {
		t.Errorf("172.23.0.0/16 uses nexthop object %d, want 20", got)
	}
	if len(routes) != 5 {
		t.Errorf("there are %d routes of protocol bgp, want 5", len(routes))
	}

	ip(t, "nexthop", "del", "id", "20")
	if _, ok := bgpRoutes(t)["172.23.0.0/16"]; ok {
		t.Error("172.23.0.0/16 outlived its nexthop object")
	}
}

func TestVRFExec(t *testing.T) {
	inside(t)
	newNamespace(t)
	up(t, &netlink.Vrf{LinkAttrs: named("blue"), Table: table})
	if err := os.WriteFile("/proc/sys/net/vrf/strict_mode", []byte("1"), 0); err != nil {
		t.Errorf("strict mode: %v", err)
	}
	if out := ip(t, "vrf", "exec", "blue", "ip", "vrf", "identify"); out != "blue\n" {
		t.Errorf("a process under ip vrf exec is in VRF %q, want blue", out)
	}
}

// TestModulesLoad asks for modules that nothing has loaded before, by way of the
// kernel.
func TestModulesLoad(t *testing.T) {
	inside(t)
	newNamespace(t)
	up(t, &netlink.Bridge{LinkAttrs: named("bridge")})
	up(t, &netlink.Vxlan{LinkAttrs: named("vxlan"), VxlanId: 100, Port: 4789})
	ip(t, "link", "set", "bridge", "type", "bridge", "vlan_filtering", "1")
	ip(t, "link", "add", "geneve", "type", "geneve", "external")
}

func TestNothingIsKept(t *testing.T) {
	inside(t)
	if err := os.WriteFile("/usr/kept", nil, 0o600); err == nil {
		t.Error("the root can be written to, so tests could see each other's leftovers")
	}
	for _, folder := range []string{"/etc/frr", "/var/lib/frr", "/run/frr", "/etc/openvswitch", "/var/lib/ovn", "/tmp"} {
		path := filepath.Join(folder, "written")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Error(err)
		}
	}
}

func inside(t testing.TB) {
	t.Helper()
	if os.Getenv("OVNBGP_VM") == "" {
		t.Skip("runs under `make test-vm` only")
	}
}

// newNamespace moves the test to a network namespace of its own. The thread is
// not given back, so that it ends with the test.
func newNamespace(t *testing.T) {
	t.Helper()
	runtime.LockOSThread()
	handle, err := netns.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = handle.Close() })
}

func named(name string) netlink.LinkAttrs {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	return attrs
}

func up(t *testing.T, link netlink.Link) netlink.Link {
	t.Helper()
	if err := netlink.LinkAdd(link); err != nil {
		t.Fatalf("add %s device %s: %v", link.Type(), link.Attrs().Name, err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		t.Fatalf("set %s up: %v", link.Attrs().Name, err)
	}
	return link
}

func ip(t testing.TB, args ...string) string {
	t.Helper()
	return command(t, "ip", args...)
}

func command(t testing.TB, name string, args ...string) string {
	t.Helper()
	var trouble strings.Builder
	cmd := exec.Command(name, args...)
	cmd.Stderr = &trouble
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s%s", name, args, err, out, trouble.String())
	}
	return string(out)
}

func bgpRoutes(t *testing.T) map[string]netlink.Route {
	t.Helper()
	found := map[string]netlink.Route{}
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		routes, err := netlink.RouteListFiltered(family,
			&netlink.Route{Table: table, Protocol: bgp}, netlink.RT_FILTER_TABLE|netlink.RT_FILTER_PROTOCOL)
		if err != nil {
			t.Fatal(err)
		}
		for _, route := range routes {
			found[route.Dst.String()] = route
		}
	}
	return found
}

// TestEvidenceIsKept leaves a file that the runner has to say it brought back.
func TestEvidenceIsKept(t *testing.T) {
	inside(t)
	folder := os.Getenv("OVNBGP_LAB_EVIDENCE")
	if folder == "" {
		t.Skip("SKIPPED, NOT PASSED: nobody wants evidence; run with `vm run -evidence FOLDER`")
	}
	if err := os.WriteFile(filepath.Join(folder, "selftest.txt"), []byte("left by the self-test\n"), 0o600); err != nil {
		t.Error(err)
	}
}
