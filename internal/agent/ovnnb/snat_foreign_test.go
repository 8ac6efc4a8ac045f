package ovnnb_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/ovnnb"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
)

// addNATRow inserts a row as it is given, with other rows of the transaction
// before it, which it can refer to.
func addNATRow(t *testing.T, s *nbserver.Server, row map[string]any, before ...any) {
	t.Helper()
	row["type"] = "snat"
	s.Transact(t, append(before,
		map[string]any{"op": "insert", "table": "NAT", "uuid-name": "nat", "row": row},
		map[string]any{"op": "mutate", "table": "Logical_Router", "where": []any{[]any{"name", "==", "GR_n1"}},
			"mutations": []any{[]any{"nat", "insert", []string{"named-uuid", "nat"}}}})...)
}

func addressSet(name, known, owner string, addresses ...string) map[string]any {
	ids := [][]string{{"k8s.ovn.org/name", known}}
	if owner != "" {
		ids = append(ids, []string{"k8s.ovn.org/owner-type", owner})
	}
	return map[string]any{"op": "insert", "table": "Address_Set", "uuid-name": name, "row": map[string]any{
		"name": name, "addresses": []any{"set", addresses}, "external_ids": []any{"map", ids}}}
}

// natRows are match and whether the destinations are limited by a reference,
// by external address.
func natRows(t *testing.T, s *nbserver.Server) map[string][2]string {
	t.Helper()
	out := map[string][2]string{}
	answer := s.Transact(t, map[string]any{"op": "select", "table": "NAT", "where": []any{}, "columns": []string{"external_ip", "match", "allowed_ext_ips"}})
	for _, r := range answer[0]["rows"].([]any) {
		row := r.(map[string]any)
		allowed := ""
		if row["allowed_ext_ips"].([]any)[0] == "uuid" {
			allowed = "allowed"
		}
		out[row["external_ip"].(string)] = [2]string{row["match"].(string), allowed}
	}
	return out
}

func watchSNAT(t *testing.T, s *nbserver.Server) (context.Context, *ovnnb.Network) {
	t.Helper()
	c := ovnnb.New(ovnnb.Options{Endpoints: []string{s.Endpoint()}, Node: "n1", Log: testr.New(t), NAT: true})
	n := c.Watch("default", func() {})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = c.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-done })
	nbserver.Eventually(t, 5*time.Second, "the router is known", func() bool { return n.State().Present })
	return ctx, n
}

// Rows as OVN-Kubernetes writes them: only the network's own SNAT is limited,
// by match, and what an earlier version did to others is undone.
func TestOnlyTheNetworksOwnSNATIsLimited(t *testing.T) {
	s := nbserver.StartWithMatch(t)
	s.AddRouter(t, "GR_n1")
	const subnet = "10.244.0.0/16"
	old := []any{"map", [][]string{{"ovnbgp.io/snat", "to-nodes"}}}
	s.Transact(t, addressSet("older", "node-ips", "", "172.18.0.2"), addressSet("a700", "node-ips", "ClusterNodeIPs", "172.18.0.2", "172.18.0.3"))
	addNATRow(t, s, map[string]any{"logical_ip": subnet, "external_ip": "1.0.0.1"})
	addNATRow(t, s, map[string]any{"logical_ip": subnet, "external_ip": "1.0.0.2", "match": `outport == "rtoe-GR_n1"`})
	addNATRow(t, s, map[string]any{"logical_ip": subnet, "external_ip": "1.0.0.3", "match": "ip4.dst == $a700"})
	egress := []any{"map", [][]string{{"k8s.ovn.org/owner-type", "EgressIP"}, {"ovnbgp.io/snat", "to-nodes"}}}
	addNATRow(t, s, map[string]any{"logical_ip": "10.244.1.7", "external_ip": "1.0.0.4", "logical_port": "k8s-n1", "external_ids": egress,
		"allowed_ext_ips": s.RowID(t, "Address_Set", "name", "older")})
	addNATRow(t, s, map[string]any{"logical_ip": subnet, "external_ip": "1.0.0.5", "exempted_ext_ips": []any{"named-uuid", "exempt"}},
		addressSet("exempt", "blue-no-overlay-snat-exemption", "", subnet))
	addNATRow(t, s, map[string]any{"logical_ip": "10.244.1.9", "external_ip": "1.0.0.6"})
	addNATRow(t, s, map[string]any{"logical_ip": subnet, "external_ip": "1.0.0.7", "external_ids": old, "allowed_ext_ips": s.RowID(t, "Address_Set", "name", "older")})
	ctx, n := watchSNAT(t, s)
	pods := []netip.Prefix{netip.MustParsePrefix(subnet)}
	if found := n.SNAT(pods, true); found.Rows != 4 || found.Limited != 1 || found.Changes != 4 || found.OfPods != 1 {
		t.Errorf("found %+v", found)
	}
	expect := func(want map[string][2]string) {
		t.Helper()
		got := natRows(t, s)
		for external, row := range want {
			if got[external] != row {
				t.Errorf("%s is %q, want %q", external, got[external], row)
			}
		}
	}
	commit := func(limit bool) {
		t.Helper()
		if err := n.CommitSNAT(ctx, n.SNAT(pods, limit)); err != nil {
			t.Fatal(err)
		}
		nbserver.Eventually(t, 5*time.Second, "nothing is left to do", func() bool { return n.SNAT(pods, limit).Changes == 0 })
	}
	others := map[string][2]string{"1.0.0.3": {"ip4.dst == $a700", ""}, "1.0.0.4": {}, "1.0.0.5": {}, "1.0.0.6": {}}
	commit(true)
	expect(others)
	expect(map[string][2]string{
		"1.0.0.1": {"ip4.dst == $a700", ""}, "1.0.0.2": {`outport == "rtoe-GR_n1" && ip4.dst == $a700`, ""}, "1.0.0.7": {"ip4.dst == $a700", ""},
	})

	// No row keeps a set from being removed. Without any, there is no limit.
	s.Transact(t, map[string]any{"op": "delete", "table": "Address_Set", "where": []any{[]any{"name", "==", "a700"}}})
	nbserver.Eventually(t, 5*time.Second, "the other set is taken", func() bool { return n.SNAT(pods, true).Changes == 3 })
	s.Transact(t, map[string]any{"op": "delete", "table": "Address_Set", "where": []any{[]any{"name", "==", "older"}}})
	nbserver.Eventually(t, 5*time.Second, "there is no set", func() bool { return n.SNAT(pods, true).NoNodes })
	commit(true)
	expect(map[string][2]string{"1.0.0.1": {}, "1.0.0.2": {`outport == "rtoe-GR_n1"`, ""}, "1.0.0.7": {}})
	expect(others)

	s.Transact(t, addressSet("a701", "node-ips", "ClusterNodeIPs", "172.18.0.2"))
	nbserver.Eventually(t, 5*time.Second, "the set is known", func() bool { return !n.SNAT(pods, true).NoNodes })
	commit(true)
	commit(false)
	expect(map[string][2]string{"1.0.0.1": {}, "1.0.0.2": {`outport == "rtoe-GR_n1"`, ""}, "1.0.0.7": {}})

	// Cleanup leaves nothing of it either.
	commit(true)
	if _, err := ovnnb.Remove(ctx, ovnnb.Options{Endpoints: []string{s.Endpoint()}, Node: "n1", Log: testr.New(t)}, false); err != nil {
		t.Fatal(err)
	}
	expect(map[string][2]string{"1.0.0.1": {}, "1.0.0.2": {`outport == "rtoe-GR_n1"`, ""}, "1.0.0.7": {}})
	expect(others)
}
