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

func addNAT(t *testing.T, s *nbserver.Server, kind, logical string) {
	t.Helper()
	s.Transact(t,
		map[string]any{"op": "insert", "table": "NAT", "uuid-name": "nat", "row": map[string]any{"type": kind, "logical_ip": logical, "external_ip": "172.18.0.1"}},
		map[string]any{"op": "mutate", "table": "Logical_Router", "where": []any{[]any{"name", "==", "GR_n1"}},
			"mutations": []any{[]any{"nat", "insert", []string{"named-uuid", "nat"}}}})
}

// A row's destinations are limited by match where the schema has that column,
// as the virtual machine's OVN has, and by reference otherwise.
func TestSNATIsLimitedAndSetBack(t *testing.T) {
	t.Run("by match", func(t *testing.T) { limitAndSetBack(t, nbserver.StartWithMatch(t)) })
	t.Run("by reference", func(t *testing.T) { limitAndSetBack(t, nbserver.StartWithoutMatch(t)) })
}

func limitAndSetBack(t *testing.T, s *nbserver.Server) {
	t.Helper()
	s.AddRouter(t, "GR_n1")
	addNAT(t, s, "snat", "10.244.0.0/16")
	addNAT(t, s, "snat", "100.64.0.0/16")
	addNAT(t, s, "dnat_and_snat", "10.244.1.7")
	c := ovnnb.New(ovnnb.Options{Endpoints: []string{s.Endpoint()}, Node: "n1", Log: testr.New(t), NAT: true})
	n := c.Watch("default", func() {})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = c.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-done })
	pods := []netip.Prefix{netip.MustParsePrefix("10.244.0.0/16")}
	state := func(limit bool, want ovnnb.SNAT) {
		t.Helper()
		nbserver.Eventually(t, 5*time.Second, "SNAT is as expected", func() bool {
			got := n.SNAT(pods, limit)
			return got.Rows == want.Rows && got.Limited == want.Limited && got.Changes == want.Changes && got.NoNodes == want.NoNodes
		})
	}
	state(true, ovnnb.SNAT{Rows: 1, NoNodes: true})
	s.Transact(t, map[string]any{"op": "insert", "table": "Address_Set", "row": map[string]any{"name": "a1", "addresses": []any{"set", []string{"172.18.0.2", "172.18.0.3"}},
		"external_ids": []any{"map", [][]string{{"k8s.ovn.org/name", "node-ips"}}}}})
	s.Transact(t, map[string]any{"op": "insert", "table": "Address_Set", "row": map[string]any{"name": "a2", "addresses": "fd00:18::2",
		"external_ids": []any{"map", [][]string{{"k8s.ovn.org/name", "node-ips"}}}}})
	state(true, ovnnb.SNAT{Rows: 1, Changes: 1})
	if err := n.CommitSNAT(ctx, n.SNAT(pods, true)); err != nil {
		t.Fatal(err)
	}
	state(true, ovnnb.SNAT{Rows: 1, Limited: 1})
	if got := s.LimitedSNAT(t); !got["10.244.0.0/16"] || got["100.64.0.0/16"] || got["10.244.1.7"] {
		t.Errorf("limited: %v", got)
	}

	// Somebody sets it back: it is to be limited again.
	s.FreeSNAT(t, nil)
	state(true, ovnnb.SNAT{Rows: 1, Changes: 1})
	if err := n.CommitSNAT(ctx, n.SNAT(pods, true)); err != nil {
		t.Fatal(err)
	}
	state(true, ovnnb.SNAT{Rows: 1, Limited: 1})
	// OVN-Kubernetes clears our mark, too.
	s.FreeSNAT(t, map[string]any{"external_ids": []any{"map", []any{}}})
	nbserver.Eventually(t, 5*time.Second, "it is told that somebody freed the row", func() bool { return n.SNAT(pods, true).Undone == 1 })
	if err := n.CommitSNAT(ctx, n.SNAT(pods, true)); err != nil {
		t.Fatal(err)
	}
	// It is no longer advertised.
	state(false, ovnnb.SNAT{Rows: 1, Changes: 1})
	if err := n.CommitSNAT(ctx, n.SNAT(pods, false)); err != nil {
		t.Fatal(err)
	}
	state(false, ovnnb.SNAT{Rows: 1})
	if got := s.LimitedSNAT(t); got["10.244.0.0/16"] {
		t.Errorf("limited: %v", got)
	}

	// What somebody else limited is left alone.
	s.Transact(t, map[string]any{"op": "update", "table": "NAT", "where": []any{[]any{"logical_ip", "==", "10.244.0.0/16"}},
		"row": map[string]any{"allowed_ext_ips": s.RowID(t, "Address_Set", "name", "a1")}})
	state(true, ovnnb.SNAT{Rows: 1, Limited: 1})
	state(false, ovnnb.SNAT{Rows: 1, Limited: 1})
}
