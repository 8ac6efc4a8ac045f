package selftest

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestNodesInOneKernel runs two nodes as the lab does: each in network, mount
// and uts namespaces of its own, with an Open vSwitch on the kernel's datapath.
// Their pods reach each other by geneve.
func TestNodesInOneKernel(t *testing.T) {
	inside(t)
	if _, err := os.Stat("/sys/module/openvswitch"); err != nil {
		t.Skip("SKIPPED, NOT PASSED: the kernel has no openvswitch loaded; run with `vm run -modules openvswitch,vport-geneve`")
	}
	node1, node2 := newNode(t, "node1"), newNode(t, "node2")
	ip(t, "link", "add", "eth0", "netns", "node1", "type", "veth", "peer", "name", "eth0", "netns", "node2")
	for i, node := range []node{node1, node2} {
		own, other := strconv.Itoa(i+1), strconv.Itoa(2-i)
		node.run(t, "ip", "address", "add", "192.0.2."+own+"/24", "dev", "eth0")
		node.run(t, "ip", "link", "set", "eth0", "up")
		node.run(t, "ovs-vsctl", "--timeout=60", "add-br", "br-int", "--",
			"add-port", "br-int", "geneve", "--", "set", "interface", "geneve", "type=geneve", "options:remote_ip=192.0.2."+other, "--",
			"add-port", "br-int", "pod"+own, "--", "set", "interface", "pod"+own, "type=internal")
		if kind := strings.TrimSpace(node.run(t, "ovs-vsctl", "get", "bridge", "br-int", "datapath_type")); kind != `""` {
			t.Errorf("the datapath of %s is of type %s, want the kernel's", node.name, kind)
		}
		ip(t, "netns", "add", "pod"+own)
		ip(t, "-n", node.name, "link", "set", "pod"+own, "netns", "pod"+own)
		ip(t, "-n", "pod"+own, "address", "add", "10.244.0."+own+"/24", "dev", "pod"+own)
		ip(t, "-n", "pod"+own, "link", "set", "pod"+own, "up")
	}
	eventually(t, func() bool {
		return exec.Command("ip", "netns", "exec", "pod1", "ping", "-c", "1", "-W", "1", "10.244.0.2").Run() == nil
	})
	for _, node := range []node{node1, node2} {
		if shown := node.run(t, "ovs-dpctl", "show"); !strings.Contains(shown, "system@ovs-system") || !strings.Contains(shown, "genev_sys") {
			t.Errorf("%s has no geneve port on the kernel's datapath:\n%s", node.name, shown)
		}
	}
	vrfOfNode(t, node1)
}

// vrfOfNode: what a node does with VRFs works in its namespaces too.
func vrfOfNode(t *testing.T, n node) {
	t.Helper()
	n.run(t, "sysctl", "-qw", "net.vrf.strict_mode=1")
	n.run(t, "ip", "link", "add", "blue", "type", "vrf", "table", strconv.Itoa(table))
	n.run(t, "ip", "link", "set", "blue", "up")
	if out := n.run(t, "ip", "vrf", "exec", "blue", "ip", "vrf", "identify"); out != "blue\n" {
		t.Errorf("a process of %s under ip vrf exec is in VRF %q, want blue", n.name, out)
	}
}

// furnishing makes a mount namespace a node's: what differs between nodes is
// empty and its own. The namespaces last as long as the shell that reads on.
const furnishing = `set -e
hostname "$1"
mount -t sysfs sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
for folder in /run /etc/openvswitch /var/lib/openvswitch /var/log; do mount -t tmpfs tmpfs $folder; done
mkdir /run/openvswitch
ip link set lo up
ovsdb-tool create /etc/openvswitch/conf.db /usr/share/openvswitch/vswitch.ovsschema
ovsdb-server /etc/openvswitch/conf.db --detach --no-chdir --pidfile --remote=punix:/run/openvswitch/db.sock >&2
ovs-vsctl --no-wait init
ovs-vswitchd --detach --no-chdir --pidfile --log-file=/run/vswitchd.log >&2
echo furnished
cat
`

type node struct {
	name string
	pid  string
}

func newNode(t *testing.T, name string) node {
	t.Helper()
	ip(t, "netns", "add", name)
	script := filepath.Join(t.TempDir(), "furnish")
	if err := os.WriteFile(script, []byte(furnishing), 0o600); err != nil {
		t.Fatal(err)
	}
	shell := exec.Command("nsenter", "--net=/run/netns/"+name, "unshare", "--mount", "--uts", "--propagation", "private",
		"bash", script, name)
	stdin, err := shell.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := shell.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	shell.Stderr = os.Stderr
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	n := node{name: name, pid: strconv.Itoa(shell.Process.Pid)}
	t.Cleanup(func() {
		n.run(t, "bash", "-c", "kill $(cat /run/openvswitch/*.pid)")
		_ = stdin.Close()
		_ = shell.Wait()
		ip(t, "netns", "delete", name)
	})
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "furnished\n" {
		t.Fatalf("%s is not furnished: %q, %v", name, line, err)
	}
	return n
}

func (n node) run(t testing.TB, args ...string) string {
	t.Helper()
	return command(t, "nsenter", append([]string{"--target", n.pid, "--net", "--mount", "--uts"}, args...)...)
}

func BenchmarkForkExec(b *testing.B) {
	inside(b)
	for b.Loop() {
		if err := exec.Command("/bin/true").Run(); err != nil {
			b.Fatal(err)
		}
	}
}
