package ovnnb_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/ovnnb"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
)

// With --disable-requestedchassis OVN-Kubernetes says of no pod where it is. Only in a
// database of the node's own there is no other place.
func TestHostsWithoutARequestedChassis(t *testing.T) {
	s := nbserver.Start(t)
	m := startMACVRFs(t, s, s.Endpoint())
	m.addSwitch(blueNetwork)
	m.Configure(t, "set nb_global . name=global")
	m.Apply([]ovnnb.MACVRF{blueMACVRF})
	m.addPod(blueNetwork, "here", "chassis-1", "0a:58:0a:0a:00:05 10.10.0.5")
	m.addPod(blueNetwork, "anywhere", "x", "0a:58:0a:0a:00:06 10.10.0.6")
	m.Configure(t, "clear logical_switch_port anywhere options")
	m.eventually("it is told", func() bool {
		problem := m.States()[blueNetwork].Problem
		return strings.Contains(problem, "such as anywhere") && strings.Contains(problem, `zone "global"`) && strings.Contains(problem, "--disable-requestedchassis")
	})
	m.expectHosts("0a:58:0a:0a:00:05[10.10.0.5]")
	m.Configure(t, "set nb_global . name=n1")
	m.expectHosts("0a:58:0a:0a:00:05[10.10.0.5]", "0a:58:0a:0a:00:06[10.10.0.6]")
	m.joined()
}

// What other CNIs' live migration writes: the port is on the first chassis until it moved.
func TestHostOfTwoChassisIsOnTheFirst(t *testing.T) {
	s := nbserver.Start(t)
	m := startMACVRFs(t, s, s.Endpoint())
	m.addSwitch(blueNetwork)
	m.Apply([]ovnnb.MACVRF{blueMACVRF})
	move := func(to string) {
		m.Configure(t, `set logical_switch_port vm "options:requested-chassis=""`+to+`""" options:activation-strategy=rarp`)
	}
	m.addPod(blueNetwork, "vm", "chassis-2", "0a:58:0a:0a:00:05 10.10.0.5")
	m.addPod(blueNetwork, "one", "chassis-1", "0a:58:0a:0a:00:06 10.10.0.6")
	for _, step := range []struct {
		to   string
		here bool
	}{{"chassis-2,chassis-1", false}, {"chassis-1", true}, {"chassis-1,chassis-2", true}, {"chassis-2", false}} {
		move(step.to)
		want := []string{"0a:58:0a:0a:00:06[10.10.0.6]"}
		if step.here {
			want = slices.Insert(want, 0, "0a:58:0a:0a:00:05[10.10.0.5]")
		}
		// Something else that changes shows that this is not the state of before.
		m.addPod(blueNetwork, "mark", "chassis-1", "0a:58:0a:0a:00:07 10.10.0.7")
		m.expectHosts(append(want, "0a:58:0a:0a:00:07[10.10.0.7]")...)
		m.Configure(t, "lsp-del mark")
		m.expectHosts(want...)
	}
}

// One port that is odd costs no other its entries.
func TestOddAddressesLoseNothingElse(t *testing.T) {
	s := nbserver.Start(t)
	m := startMACVRFs(t, s, s.Endpoint())
	m.addSwitch(blueNetwork)
	m.Apply([]ovnnb.MACVRF{blueMACVRF})
	for i, addresses := range []string{
		"unknown", "dynamic", "router", "01:00:5e:00:00:05 10.10.0.40", "00:00:00:00:00:00 10.10.0.41",
		"0a:58:0a:0a:00:0x 10.10.0.42", "0a:58:0a:0a:00:05 10.10.0.5 10.10.0 10.10.0.1 fd00:10::1 dynamic",
		"0a:58:0a:0a:00:05 10.10.0.6 10.10.0.5", "0a:58:0a:0a:00:07 10.10.0.7 fe80::7 ::ffff:10.10.0.7 224.0.0.1 0.0.0.0 fe80::1%eth0",
	} {
		name := fmt.Sprintf("pod%d", i)
		m.addPod(blueNetwork, name, "chassis-1", "0a:58:0a:0a:01:01")
		s.Transact(t, map[string]any{"op": "update", "table": "Logical_Switch_Port", "where": []any{[]any{"name", "==", name}},
			"row": map[string]any{"addresses": addresses}})
	}
	// The router's port has a network, too, and is no pod.
	m.Configure(t, "lsp-add "+blueSwitch+" stor", `lsp-set-addresses stor "0a:58:0a:0a:00:01 10.10.0.1"`,
		"set logical_switch_port stor external_ids:k8s.ovn.org/network="+blueNetwork)
	m.expectHosts("0a:58:0a:0a:00:05[10.10.0.5 10.10.0.6]", "0a:58:0a:0a:00:07[10.10.0.7 fe80::7]")
}

func TestPortOfNobodyIsToldOf(t *testing.T) {
	s := nbserver.Start(t)
	m := startMACVRFs(t, s, s.Endpoint())
	m.addSwitch(blueNetwork)
	m.Configure(t, "lsp-add "+blueSwitch+" "+bluePort)
	m.addPod(blueNetwork, "one", "chassis-1", "0a:58:0a:0a:00:05 10.10.0.5")
	m.Apply([]ovnnb.MACVRF{blueMACVRF})
	m.eventually("it is told", func() bool {
		problem := m.States()[blueNetwork].Problem
		return strings.Contains(problem, bluePort) && strings.Contains(problem, "ovn-nbctl lsp-del")
	})
	m.expectHosts()
	if ids := m.list("Logical_Switch_Port", "external_ids", []any{"name", "==", bluePort}); ids[0] != "[map []]" || len(m.list("ACL", "match")) > 0 {
		t.Errorf("the port has %s, and there are %s", ids, m.list("ACL", "match"))
	}
	m.Configure(t, "lsp-del "+bluePort)
	m.joined()
}

// An OVN-Kubernetes that learns of EVPN by an upgrade writes its own port over ours, as it
// finds it by its name, and ACLs of its own.
func TestPortThatOVNKubernetesTakesOver(t *testing.T) {
	s := nbserver.Start(t)
	m := startMACVRFs(t, s, s.Endpoint())
	m.addSwitch(blueNetwork)
	m.Apply([]ovnnb.MACVRF{blueMACVRF})
	m.joined()
	m.Configure(t, "clear logical_switch_port "+bluePort+" external_ids", "set logical_switch_port "+bluePort+" external_ids:k8s.ovn.org/network="+blueNetwork,
		"acl-add "+blueSwitch+" to-lport 1000 arp drop")
	m.eventually("only its own ACL is left", func() bool { return slices.Equal(m.list("ACL", "match"), []string{"arp"}) })
	m.Apply(nil)
	m.addSwitch("cluster_udn_red")
	m.Apply([]ovnnb.MACVRF{{Network: "cluster_udn_red"}})
	m.eventually("another network is joined", func() bool { return len(m.list("Logical_Switch_Port", "name")) == 2 })
	if got := m.list("Logical_Switch_Port", "name", []any{"name", "==", bluePort}); len(got) != 1 {
		t.Error("its port is gone")
	}
}
