package ovnnb_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/ovnnb"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
)

const (
	blueNetwork = "cluster_udn_blue"
	blueSwitch  = "cluster_udn_blue_ovn_layer2_switch"
	bluePort    = "macvrf-cluster_udn_blue_ovn_layer2_switch"
)

var blueMACVRF = ovnnb.MACVRF{Network: blueNetwork, Gateways: []netip.Addr{netip.MustParseAddr("10.10.0.1"), netip.MustParseAddr("fd00:10::1")}}

// macVRFs are a node's, with a database of its own.
type macVRFs struct {
	*ovnnb.MACVRFs
	*nbserver.Server
	t       *testing.T
	chassis atomic.Value
	told    atomic.Int64
}

func startMACVRFs(t *testing.T, s *nbserver.Server, endpoint string) *macVRFs {
	t.Helper()
	m := &macVRFs{Server: s, t: t}
	m.chassis.Store("chassis-1")
	m.MACVRFs = ovnnb.NewMACVRFs(ovnnb.Options{Endpoints: []string{endpoint}, Node: "n1", Log: testr.New(t)},
		func() string { return m.chassis.Load().(string) }, func() { m.told.Add(1) })
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = m.MACVRFs.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-done })
	return m
}

func (m *macVRFs) addSwitch(network string) {
	m.t.Helper()
	m.Configure(m.t, "ls-add "+network+"_ovn_layer2_switch")
}

// addPod adds a port as OVN-Kubernetes does.
func (m *macVRFs) addPod(network, name, chassis, addresses string, columns ...string) {
	m.t.Helper()
	m.Configure(m.t, "lsp-add "+network+"_ovn_layer2_switch "+name, `lsp-set-addresses `+name+` "`+addresses+`"`,
		strings.Join(append([]string{"set logical_switch_port " + name + " external_ids:pod=true external_ids:k8s.ovn.org/network=" + network +
			" options:requested-chassis=" + chassis}, columns...), " "))
}

// list are values of a table, sorted, where a condition holds.
func (m *macVRFs) list(table, column string, where ...any) []string {
	m.t.Helper()
	var out []string
	for _, row := range m.Transact(m.t, map[string]any{"op": "select", "table": table, "where": append([]any{}, where...)})[0]["rows"].([]any) {
		out = append(out, fmt.Sprint(row.(map[string]any)[column]))
	}
	slices.Sort(out)
	return out
}

func (m *macVRFs) eventually(what string, condition func() bool) {
	m.t.Helper()
	nbserver.Eventually(m.t, 30*time.Second, what, condition)
}

func (m *macVRFs) joined() {
	m.t.Helper()
	m.eventually("the switch is joined", func() bool {
		return len(m.list("Logical_Switch_Port", "name", []any{"name", "==", bluePort})) == 1 && len(m.list("ACL", "match")) == 2 &&
			m.States()[blueNetwork].Problem == ""
	})
}

func (m *macVRFs) hosts() string {
	var out []string
	for _, h := range m.States()[blueNetwork].Hosts {
		out = append(out, fmt.Sprint(h.MAC, h.Addresses))
	}
	return strings.Join(out, " ")
}

func (m *macVRFs) expectHosts(want ...string) {
	m.t.Helper()
	m.eventually("hosts are "+strings.Join(want, " "), func() bool { return m.hosts() == strings.Join(want, " ") })
}

func TestSwitchIsJoinedAndLeft(t *testing.T) {
	s := nbserver.Start(t)
	m := startMACVRFs(t, s, s.Endpoint())
	m.addSwitch(blueNetwork)
	m.Configure(t, "set logical_switch "+blueSwitch+" other_config:subnet=10.10.0.0/16 other_config:mcast_snoop=false",
		`pg-add a1`, `set port_group a1 external_ids:k8s.ovn.org/name=clusterRtrPortGroup external_ids:k8s.ovn.org/owner-controller=`+blueNetwork+`-network-controller`)
	m.Apply([]ovnnb.MACVRF{blueMACVRF})
	m.joined()
	if got, want := m.list("ACL", "match"), []string{
		`outport == "` + bluePort + `" && arp && arp.op == 1 && arp.tpa == 10.10.0.1`,
		`outport == "` + bluePort + `" && nd_ns && nd.target == fd00:10::1`,
	}; !slices.Equal(got, want) {
		t.Errorf("ACLs are %q", got)
	}
	m.eventually("the switch forwards multicast", func() bool {
		return m.list("Logical_Switch", "other_config")[0] == "[map [[mcast_flood_unregistered true] [mcast_querier false] [mcast_snoop true] [subnet 10.10.0.0/16]]]"
	})
	id := s.RowID(t, "Logical_Switch_Port", "name", bluePort)
	m.eventually("the port is in the group", func() bool { return m.list("Port_Group", "ports")[0] == fmt.Sprint(id) })
	if on := m.list("Logical_Switch", "ports"); on[0] != fmt.Sprint(id) {
		t.Errorf("the switch has the ports %s, and not %v", on, id)
	}
	m.Apply(nil)
	m.eventually("the switch is left", func() bool { return len(m.list("Logical_Switch_Port", "name"))+len(m.list("ACL", "match")) == 0 })
	if members := m.list("Port_Group", "ports")[0]; members != "[set []]" {
		t.Errorf("in the group are %s", members)
	}
}

// What somebody changes or deletes is put back; what is as it should be isn't written.
func TestJoinedSwitchIsKept(t *testing.T) {
	s := nbserver.Start(t)
	m := startMACVRFs(t, s, s.Endpoint())
	m.addSwitch(blueNetwork)
	m.Apply([]ovnnb.MACVRF{blueMACVRF})
	m.joined()
	contents := func() string {
		return fmt.Sprint(m.list("Logical_Switch_Port", "addresses"), m.list("Logical_Switch_Port", "type"), m.list("Logical_Switch_Port", "enabled"),
			m.list("Logical_Switch_Port", "options"), m.list("ACL", "match"), m.list("ACL", "action"), m.list("Logical_Switch", "other_config"))
	}
	before := contents()
	for name, commands := range map[string][]string{
		"port deleted":  {"lsp-del " + bluePort},
		"addresses":     {`lsp-set-addresses ` + bluePort + ` "0a:58:0a:0a:00:05 10.10.0.5"`},
		"port disabled": {"lsp-set-enabled " + bluePort + " disabled"},
		"port's type":   {"lsp-set-type " + bluePort + " localport"},
		"ACLs deleted":  {"acl-del " + blueSwitch},
		"multicast":     {"remove logical_switch " + blueSwitch + " other_config mcast_querier"},
	} {
		t.Run(name, func(t *testing.T) {
			s.Configure(t, commands...)
			nbserver.Eventually(t, 30*time.Second, "it is put back", func() bool { return contents() == before })
		})
	}
}

func TestForeignPortIsLeftAlone(t *testing.T) {
	s := nbserver.Start(t)
	m := startMACVRFs(t, s, s.Endpoint())
	m.addSwitch(blueNetwork)
	m.Configure(t, "lsp-add "+blueSwitch+" "+bluePort, "set logical_switch_port "+bluePort+" external_ids:k8s.ovn.org/network="+blueNetwork+" addresses=unknown")
	m.addSwitch("cluster_udn_red")
	m.Apply([]ovnnb.MACVRF{blueMACVRF, {Network: "cluster_udn_red"}})
	m.eventually("the other network is joined", func() bool {
		return len(m.list("Logical_Switch_Port", "name", []any{"name", "==", "macvrf-cluster_udn_red_ovn_layer2_switch"})) == 1
	})
	if got := m.list("Logical_Switch", "other_config", []any{"name", "==", blueSwitch}); got[0] != "[map []]" {
		t.Errorf("the switch has %s", got)
	}
	m.Apply(nil)
	m.eventually("the other network is left", func() bool { return len(m.list("Logical_Switch_Port", "name")) == 1 })
	if got := m.list("Logical_Switch_Port", "name"); got[0] != bluePort {
		t.Errorf("left is %s", got)
	}
}

func TestOneDatabaseForAllNodesIsRefused(t *testing.T) {
	s := nbserver.Start(t)
	m := startMACVRFs(t, s, s.Endpoint())
	m.addSwitch(blueNetwork)
	m.Configure(t, "lsp-add "+blueSwitch+" "+bluePort, "set logical_switch_port "+bluePort+" external_ids:k8s.ovn.org/network="+blueNetwork+
		" external_ids:ovnbgp.io/owner=agent external_ids:ovnbgp.io/node=n2 external_ids:ovnbgp.io/network="+blueNetwork)
	m.Apply([]ovnnb.MACVRF{blueMACVRF})
	m.addPod(blueNetwork, "one", "chassis-1", "0a:58:0a:0a:00:05 10.10.0.5")
	m.eventually("it is told", func() bool { return strings.Contains(m.States()[blueNetwork].Problem, "the agent of node n2 has") })
	m.Configure(t, "lsp-del "+bluePort)
	m.expectHosts("0a:58:0a:0a:00:05[10.10.0.5]")
	m.joined()
}

func TestSwitchThatComesLater(t *testing.T) {
	s := nbserver.Start(t)
	m := startMACVRFs(t, s, s.Endpoint())
	m.Apply([]ovnnb.MACVRF{blueMACVRF})
	m.eventually("it is told", func() bool { return strings.Contains(m.States()[blueNetwork].Problem, "no switch "+blueSwitch) })
	m.addSwitch(blueNetwork)
	m.joined()
}

func TestHostsAreThoseOfTheNode(t *testing.T) {
	s := nbserver.Start(t)
	m := startMACVRFs(t, s, s.Endpoint())
	m.addSwitch(blueNetwork)
	m.addSwitch("cluster_udn_red")
	m.Apply([]ovnnb.MACVRF{blueMACVRF})
	m.joined()
	m.addPod(blueNetwork, "one", "chassis-1", "0a:58:0a:0a:00:05 10.10.0.5 fd00:10::5")
	m.addPod(blueNetwork, "two", "chassis-2", "0a:58:0a:0a:00:06 10.10.0.6")
	m.addPod("cluster_udn_red", "red", "chassis-1", "0a:58:0a:0a:00:07 10.10.0.7")
	m.addPod(blueNetwork, "remote", "chassis-1", "0a:58:0a:0a:00:08 10.10.0.8", "type=remote")
	m.expectHosts("0a:58:0a:0a:00:05[10.10.0.5 fd00:10::5]")
	m.addPod(blueNetwork, "named", "n1", "0A:58:0A:0A:00:04 10.10.0.4")
	m.expectHosts("0a:58:0a:0a:00:04[10.10.0.4]", "0a:58:0a:0a:00:05[10.10.0.5 fd00:10::5]")

	// A virtual machine arrives: its port is there before it is.
	m.addPod(blueNetwork, "vm", "chassis-1", "0a:58:0a:0a:00:09 10.10.0.9", "enabled=false")
	m.Configure(t, "lsp-del named")
	m.expectHosts("0a:58:0a:0a:00:05[10.10.0.5 fd00:10::5]")
	m.Configure(t, "lsp-set-enabled vm enabled")
	m.expectHosts("0a:58:0a:0a:00:05[10.10.0.5 fd00:10::5]", "0a:58:0a:0a:00:09[10.10.0.9]")
	m.Configure(t, "lsp-set-enabled vm disabled")
	m.expectHosts("0a:58:0a:0a:00:05[10.10.0.5 fd00:10::5]")

	told := m.told.Load()
	m.addPod(blueNetwork, "last", "chassis-1", "0a:58:0a:0a:00:0a 10.10.0.10")
	m.expectHosts("0a:58:0a:0a:00:05[10.10.0.5 fd00:10::5]", "0a:58:0a:0a:00:0a[10.10.0.10]")
	m.eventually("the new host is told", func() bool { return m.told.Load() > told })
}

// Which pods are here is not known before the chassis is.
func TestHostsWithoutAChassis(t *testing.T) {
	s := nbserver.Start(t)
	m := startMACVRFs(t, s, s.Endpoint())
	m.chassis.Store("")
	m.addSwitch(blueNetwork)
	m.addPod(blueNetwork, "one", "chassis-1", "0a:58:0a:0a:00:05 10.10.0.5")
	m.Apply([]ovnnb.MACVRF{blueMACVRF})
	m.eventually("the switch is joined", func() bool { return len(m.list("ACL", "match")) == 2 })
	if states := m.States(); states != nil {
		t.Errorf("states are %+v", states)
	}
	m.chassis.Store("chassis-1")
	m.Poke()
	m.expectHosts("0a:58:0a:0a:00:05[10.10.0.5]")
}

// Without a server what was known stays.
func TestServerOfMACVRFsRestarts(t *testing.T) {
	s := nbserver.Start(t)
	m := startMACVRFs(t, s, s.Endpoint())
	m.addSwitch(blueNetwork)
	m.addPod(blueNetwork, "one", "chassis-1", "0a:58:0a:0a:00:05 10.10.0.5")
	m.Apply([]ovnnb.MACVRF{blueMACVRF})
	m.joined()
	m.expectHosts("0a:58:0a:0a:00:05[10.10.0.5]")
	told := m.told.Load()
	s.Kill()
	if m.hosts() != "0a:58:0a:0a:00:05[10.10.0.5]" {
		t.Errorf("without a server the hosts are %s", m.hosts())
	}
	s.Run(t)
	m.addPod(blueNetwork, "two", "chassis-1", "0a:58:0a:0a:00:06 10.10.0.6")
	m.expectHosts("0a:58:0a:0a:00:05[10.10.0.5]", "0a:58:0a:0a:00:06[10.10.0.6]")
	m.eventually("the new host is told", func() bool { return m.told.Load() > told })
}

// Another agent makes the port between our look and our transaction.
func TestPortMadeMeanwhile(t *testing.T) {
	s := nbserver.Start(t)
	var begun, made atomic.Bool
	m := startMACVRFs(t, s, s.Relay(t, func(message []byte) []byte {
		if strings.Contains(string(message), `"op":"insert"`) && !begun.Swap(true) {
			s.Configure(t, "lsp-add "+blueSwitch+" "+bluePort, "set logical_switch_port "+bluePort+" external_ids:k8s.ovn.org/network="+blueNetwork)
			made.Store(true)
		}
		return message
	}))
	m.addSwitch(blueNetwork)
	m.Apply([]ovnnb.MACVRF{blueMACVRF})
	m.eventually("theirs is found", func() bool {
		state, known := m.States()[blueNetwork]
		return made.Load() && known && state.Problem == ""
	})
	if ids := m.list("Logical_Switch_Port", "external_ids"); len(ids) != 1 || strings.Contains(ids[0], "ovnbgp.io") || len(m.list("ACL", "match")) > 0 {
		t.Errorf("there are %s and %s", ids, m.list("ACL", "match"))
	}
}

func TestLeave(t *testing.T) {
	s := nbserver.Start(t)
	ctx, cancel := context.WithCancel(t.Context())
	options := ovnnb.Options{Endpoints: []string{s.Endpoint()}, Node: "n1", Log: testr.New(t)}
	m := &macVRFs{Server: s, t: t, MACVRFs: ovnnb.NewMACVRFs(options, func() string { return "chassis-1" }, func() {})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = m.MACVRFs.Run(ctx)
	}()
	m.addSwitch(blueNetwork)
	m.Apply([]ovnnb.MACVRF{blueMACVRF})
	m.joined()
	cancel()
	<-done
	for _, step := range []struct {
		dryRun      bool
		found, left int
	}{{true, 1, 1}, {false, 1, 0}, {false, 0, 0}} {
		last := ovnnb.NewMACVRFs(options, func() string { return "" }, func() {})
		found, err := last.Leave(t.Context(), step.dryRun)
		if left := len(m.list("Logical_Switch_Port", "name")); err != nil || found != step.found || left != step.left {
			t.Errorf("%+v: found %d, left %d (%v)", step, found, left, err)
		}
	}
}
