package ovn_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/ovn"
)

func TestMain(m *testing.M) { machine.Main(m) }

// patience is for what takes 4 s on an ordinary machine, 30 s in an emulated one.
const patience = 90 * time.Second

// cluster is one OVN on a machine of its own and two nodes, with a bridge
// between them, and a pod on each node by hand.
type cluster struct {
	central *ovn.Central
	nodes   []*ovn.Switch
	pods    []*machine.Machine
}

func start(t *testing.T) *cluster {
	t.Helper()
	ctx, logs := t.Context(), t.TempDir()
	newMachine := func(name string) *machine.Machine {
		m, err := machine.New(ctx, name, machine.Options{Logs: logs})
		must(t, err)
		t.Cleanup(func() { _ = m.Close() })
		return m
	}
	c := &cluster{}
	hub := newMachine("hub")
	must(t, hub.Bridge("br0", "192.0.2.100/24"))
	var err error
	c.central, err = ovn.StartCentral(ctx, hub, netip.MustParseAddr("192.0.2.100"))
	must(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			for name, text := range c.central.Dump(context.WithoutCancel(ctx)) {
				t.Logf("%s:\n%s", name, text)
			}
		}
	})
	for i, name := range []string{"node1", "node2"} {
		node := newMachine(name)
		must(t, machine.Link(machine.End{Machine: node, Name: "eth0"}, machine.End{Machine: hub, Name: name, Master: "br0"}))
		address := []string{"192.0.2.1/24", "192.0.2.2/24"}[i]
		s, err := ovn.StartSwitch(ctx, node, ovn.SwitchConfig{
			ChassisID: "chassis-" + name, Tunnel: netip.MustParsePrefix(address).Addr(), Central: c.central,
			Mappings: map[string]string{"physnet": "br-ex"},
		})
		must(t, err)
		must(t, s.AddBridge(ctx, "br-ex", "eth0"))
		must(t, node.AddAddresses("br-ex", address))
		pod, err := s.AddPort(ctx, ovn.Port{
			Name: "pod", LogicalPort: "pod-" + name, MTU: 1400,
			MAC:       []string{"0a:58:0a:00:00:01", "0a:58:0a:00:00:02"}[i],
			Addresses: []netip.Prefix{netip.MustParsePrefix([]string{"10.0.0.1/24", "10.0.0.2/24"}[i])},
		})
		must(t, err)
		c.nodes, c.pods = append(c.nodes, s), append(c.pods, pod)
	}
	_, err = c.central.NB(ctx, "ls-add", "pods",
		"--", "lsp-add", "pods", "pod-node1", "--", "lsp-set-addresses", "pod-node1", "0a:58:0a:00:00:01 10.0.0.1",
		"--", "lsp-add", "pods", "pod-node2", "--", "lsp-set-addresses", "pod-node2", "0a:58:0a:00:00:02 10.0.0.2")
	must(t, err)
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (c *cluster) pings(ctx context.Context) error {
	_, err := c.pods[0].Run(ctx, "ping", "-c1", "-W1", "10.0.0.2")
	return err
}

func TestPodsReachEachOtherThroughATunnel(t *testing.T) {
	g := NewWithT(t)
	began := time.Now()
	c := start(t)
	t.Logf("%s datapath on %s, up in %s", c.nodes[0].Datapath, machine.ThisKernel(), time.Since(began).Round(100*time.Millisecond))
	g.Eventually(c.pings).WithContext(t.Context()).WithTimeout(patience).Should(Succeed())
	t.Logf("pod to pod after %s", time.Since(began).Round(100*time.Millisecond))

	t.Run("TCP as well", func(t *testing.T) {
		// A checksum that nobody completes lets pings through, but not this.
		g := NewWithT(t)
		var listener net.Listener
		must(t, c.pods[1].Do(func() (err error) { listener, err = net.Listen("tcp", "10.0.0.2:80"); return err }))
		defer listener.Close()
		go func() {
			connection, err := listener.Accept()
			if err == nil {
				_, _ = connection.Write(bytes.Repeat([]byte("x"), 100<<10))
				_ = connection.Close()
			}
		}()
		var connection net.Conn
		must(t, c.pods[0].Do(func() (err error) { connection, err = net.DialTimeout("tcp", "10.0.0.2:80", patience); return err }))
		_ = connection.SetDeadline(time.Now().Add(patience))
		got, err := io.ReadAll(connection)
		must(t, err)
		g.Expect(got).To(HaveLen(100 << 10))
	})
	t.Run("a restarted ovn-controller goes on", func(t *testing.T) {
		g := NewWithT(t)
		c.nodes[1].Controller.Kill()
		g.Expect(c.nodes[1].Controller.Running()).To(BeFalse())
		must(t, c.nodes[1].Controller.Start(t.Context()))
		g.Eventually(c.pings).WithContext(t.Context()).WithTimeout(patience).Should(Succeed())
	})
	t.Run("the databases keep what they have when they are killed", func(t *testing.T) {
		g := NewWithT(t)
		c.central.Northbound.Kill()
		_, err := c.central.NB(t.Context(), "--timeout=1", "show")
		g.Expect(err).To(HaveOccurred())
		must(t, c.central.Northbound.Start(t.Context()))
		g.Expect(c.central.NB(t.Context(), "ls-list")).To(ContainSubstring("pods"))
		must(t, c.central.Sync(t.Context()))
	})
	t.Run("evidence has what a person looks for", func(t *testing.T) {
		g := NewWithT(t)
		dump := c.central.Dump(t.Context())
		g.Expect(dump["nb-show"]).To(ContainSubstring("pod-node2"))
		g.Expect(dump["sb-show"]).To(And(ContainSubstring("chassis-node1"), ContainSubstring("geneve")))
		g.Expect(c.nodes[0].Dump(t.Context())["ovs-show"]).To(ContainSubstring("br-ex"))
	})
}
