package selftest

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
)

// TestFRRInstallsRoutes runs two FRR routers, each in a network namespace, and
// lets one learn a route from two addresses of the other: what the agent
// imports in real life.
func TestFRRInstallsRoutes(t *testing.T) {
	inside(t)
	newNamespace(t)
	up(t, &netlink.Vrf{LinkAttrs: named("blue"), Table: table})
	ip(t, "netns", "add", "tor")
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "delete", "tor").Run() })
	for _, i := range []string{"1", "2"} {
		ip(t, "link", "add", "eth"+i, "type", "veth", "peer", "name", "tor"+i, "netns", "tor")
		ip(t, "link", "set", "eth"+i, "master", "blue", "up")
		ip(t, "address", "add", "10.5"+i+".0.11/24", "dev", "eth"+i)
		ip(t, "-n", "tor", "link", "set", "tor"+i, "up")
		ip(t, "-n", "tor", "address", "add", "10.5"+i+".0.1/24", "dev", "tor"+i)
	}
	frr(t, "tor", `
router bgp 64999
 bgp router-id 192.0.2.1
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor 10.51.0.11 remote-as 64512
 neighbor 10.52.0.11 remote-as 64512
 neighbor 10.51.0.11 timers connect 1
 neighbor 10.52.0.11 timers connect 1
 address-family ipv4 unicast
  network 172.21.0.0/16
`, "ip", "netns", "exec", "tor")
	frr(t, "node", `
router bgp 64512 vrf blue
 bgp router-id 192.0.2.2
 no bgp ebgp-requires-policy
 neighbor 10.51.0.1 remote-as 64999
 neighbor 10.52.0.1 remote-as 64999
 neighbor 10.51.0.1 timers connect 1
 neighbor 10.52.0.1 timers connect 1
`)
	eventually(t, func() bool { return len(bgpRoutes(t)["172.21.0.0/16"].MultiPath) == 2 })
	if route := bgpRoutes(t)["172.21.0.0/16"]; route.NHID == 0 {
		t.Errorf("FRR installed %s without a nexthop object", route)
	}
}

// frr starts zebra and bgpd, under a command that enters a namespace. -N keeps
// the routers' sockets apart, in /run/frr/<name>.
func frr(t *testing.T, name, config string, enter ...string) {
	t.Helper()
	path := "/etc/frr/" + name
	command(t, "install", "-d", "-o", "frr", "-g", "frr", path, "/run/frr/"+name)
	file := path + "/frr.conf"
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, daemon := range []string{"zebra", "mgmtd", "bgpd"} {
		line := slices.Concat(enter, []string{"/usr/lib/frr/" + daemon, "-N", name, "-d", "-A", "127.0.0.1", "--log", "file:/tmp/" + name + ".log"})
		if daemon == "zebra" {
			line = append(line, "-s", "90000000")
		}
		// With a pipe for its output the daemon would keep Run waiting.
		if err := exec.Command(line[0], line[1:]...).Run(); err != nil {
			t.Fatalf("start %v: %v", line, err)
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			log, _ := os.ReadFile("/tmp/" + name + ".log")
			t.Logf("FRR of %s:\n%s", name, log)
		}
		for _, daemon := range []string{"bgpd", "mgmtd", "zebra"} {
			if pid, err := os.ReadFile(fmt.Sprintf("/run/frr/%s/%s.pid", name, daemon)); err == nil {
				_ = exec.Command("kill", strings.TrimSpace(string(pid))).Run()
			}
		}
	})
	command(t, "vtysh", "-N", name, "-f", file)
}
