package ovnnb_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/ovnnb"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
)

const ownerKey = "ovnbgp.io/owner"

// start returns a client that watches the default network on node n1.
func start(t *testing.T, endpoints ...string) (*ovnnb.Client, *ovnnb.Network, *atomic.Int64) {
	t.Helper()
	c := ovnnb.New(ovnnb.Options{
		Endpoints: endpoints, Node: "n1", Log: testr.New(t), Silence: 500 * time.Millisecond, Timeout: 20 * time.Second,
	})
	var told atomic.Int64
	n := c.Watch("default", func() { told.Add(1) })
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = c.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return c, n, &told
}

func known(t *testing.T, n *ovnnb.Network) {
	t.Helper()
	nbserver.Eventually(t, 10*time.Second, "the network's rows are known", func() bool { return n.State().Known })
}

func insert(prefix, hop string) model.RowChange {
	c := model.RowChange{Verb: model.RowInsert, Prefix: netip.MustParsePrefix(prefix)}
	if hop != "discard" {
		c.NextHop = netip.MustParseAddr(hop)
	}
	return c
}

func commit(t *testing.T, n *ovnnb.Network, changes ...model.RowChange) {
	t.Helper()
	if err := n.Commit(t.Context(), changes); err != nil {
		t.Fatal(err)
	}
}

func rows(n *ovnnb.Network, prefix string) []model.RouterRow {
	out := n.Rows(netip.MustParsePrefix(prefix), nil)
	slices.SortFunc(out, func(a, b model.RouterRow) int { return a.NextHop.Compare(b.NextHop) })
	return out
}

// inDatabase is what another tool sees on the router.
func inDatabase(t *testing.T, s *nbserver.Server) string {
	t.Helper()
	var out []string
	for _, r := range s.Routes(t, "GR_n1", ownerKey) {
		out = append(out, fmt.Sprintf("%s>%s>%s>%s", r.Prefix, r.NextHop, r.Port, r.Owner))
	}
	return strings.Join(out, " ")
}

func expect(t *testing.T, s *nbserver.Server, want ...string) {
	t.Helper()
	for i, w := range want {
		want[i] = w + ">rtoe-GR_n1>agent"
	}
	if got := inDatabase(t, s); got != strings.Join(want, " ") {
		t.Errorf("the database has\n  %s\nnot\n  %s", got, strings.Join(want, " "))
	}
}

func TestRoutesAreWrittenAndKnown(t *testing.T) {
	s := nbserver.Start(t)
	s.AddRouter(t, "GR_n1")
	_, n, told := start(t, s.Endpoint())
	known(t, n)

	commit(t, n, insert("10.1.0.0/24", "172.18.0.2"), insert("10.1.0.0/24", "172.18.0.3"),
		insert("10.2.0.0/24", "discard"), insert("fd00:1::/64", "fe80::1"))
	expect(t, s, "10.1.0.0/24>172.18.0.2", "10.1.0.0/24>172.18.0.3", "10.2.0.0/24>discard", "fd00:1::/64>fe80::1")

	// The server tells the change before it answers, so nothing has to be
	// remembered beside what it tells.
	got := rows(n, "10.1.0.0/24")
	if len(got) != 2 || !got[0].Intact || got[0].NextHop.String() != "172.18.0.2" {
		t.Fatalf("rows after the commit: %+v", got)
	}
	if n.Count() != 3 || told.Load() == 0 {
		t.Errorf("%d prefixes, told %d times", n.Count(), told.Load())
	}

	update := insert("10.1.0.0/24", "172.18.0.9")
	update.Verb, update.ID = model.RowUpdate, got[0].ID
	remove := insert("10.2.0.0/24", "discard")
	remove.Verb, remove.ID = model.RowDelete, rows(n, "10.2.0.0/24")[0].ID
	commit(t, n, update, remove, insert("10.3.0.0/24", "172.18.0.2"))
	expect(t, s, "10.1.0.0/24>172.18.0.3", "10.1.0.0/24>172.18.0.9", "10.3.0.0/24>172.18.0.2", "fd00:1::/64>fe80::1")
	if got := rows(n, "10.2.0.0/24"); len(got) != 0 {
		t.Errorf("a removed row is still known: %v", got)
	}
}

func TestRowsOfARestartedAgentAreFound(t *testing.T) {
	s := nbserver.Start(t)
	s.AddRouter(t, "GR_n1")
	_, n, _ := start(t, s.Endpoint())
	known(t, n)
	commit(t, n, insert("10.1.0.0/24", "172.18.0.2"), insert("fd00:1::/64", "fe80::1"))

	_, again, _ := start(t, s.Endpoint())
	known(t, again)
	if got := rows(again, "10.1.0.0/24"); len(got) != 1 || !got[0].Intact || got[0] != rows(n, "10.1.0.0/24")[0] {
		t.Errorf("found %+v", got)
	}
	if _, all := again.TakeChanged(); !all {
		t.Error("a new session must have everything looked at")
	}
}

func TestOthersRowsAreNotOurs(t *testing.T) {
	s := nbserver.Start(t)
	s.AddRouter(t, "GR_n1")
	s.AddRoute(t, "GR_n1", "0.0.0.0/0", "172.18.0.1", "rtoe-GR_n1")
	s.AddRoute(t, "GR_n1", "10.5.0.0/24", "172.18.0.1", "rtoe-GR_n1", [2]string{"ovnbgp.io/owner", "agent"}, [2]string{"ovnbgp.io/node", "n2"})
	_, n, _ := start(t, s.Endpoint())
	known(t, n)
	if n.Count() != 0 || n.State().RouteImport {
		t.Errorf("%d prefixes of ours, %+v", n.Count(), n.State())
	}
	s.AddRoute(t, "GR_n1", "10.6.0.0/24", "172.18.0.1", "rtoe-GR_n1", [2]string{"k8s.ovn.org/owner-controller", "RouteImport"})
	nbserver.Eventually(t, 5*time.Second, "RouteImport is seen", func() bool { return n.State().RouteImport })
	s.Transact(t, map[string]any{"op": "mutate", "table": "Logical_Router", "where": []any{[]any{"name", "==", "GR_n1"}},
		"mutations": []any{[]any{"static_routes", "delete", []any{"set", []any{s.RowID(t, "Logical_Router_Static_Route", "ip_prefix", "10.6.0.0/24")}}}}})
	nbserver.Eventually(t, 5*time.Second, "RouteImport is gone", func() bool { return !n.State().RouteImport })
}

// OVN-Kubernetes routes pods that have external gateways by their address as
// the source, on the gateway router.
func TestRoutesBySourceAreSeen(t *testing.T) {
	s := nbserver.Start(t)
	s.AddRouter(t, "GR_n1")
	_, n, _ := start(t, s.Endpoint())
	known(t, n)
	s.Configure(t, "lrp-add GR_n1 rtoe-GR_n1 02:00:00:00:00:01 172.18.0.1/16 fd00:18::1/64",
		"--policy=src-ip lr-route-add GR_n1 10.244.0.0/16 172.18.0.77 rtoe-GR_n1", "--policy=src-ip lr-route-add GR_n1 10.244.1.9/32 172.18.0.77")
	for _, c := range []struct {
		pod    string
		v4, v6 bool
	}{{"10.244.1.6/32 172.18.0.77", true, false}, {"fd00:244::6/128 fd00:18::77", false, true}} {
		s.Configure(t, "--policy=src-ip --ecmp-symmetric-reply lr-route-add GR_n1 "+c.pod+" rtoe-GR_n1")
		nbserver.Eventually(t, 5*time.Second, c.pod+" is seen", func() bool { return n.State().SourceIPv4 == c.v4 && n.State().SourceIPv6 == c.v6 })
		s.Configure(t, "lr-route-del GR_n1 "+strings.Fields(c.pod)[0])
		nbserver.Eventually(t, 5*time.Second, c.pod+" is gone", func() bool { return !n.State().SourceIPv4 && !n.State().SourceIPv6 })
	}
	if n.State().RouteImport {
		t.Error("it is taken for RouteImport's")
	}
}

func TestTamperedRowsAreTold(t *testing.T) {
	s := nbserver.Start(t)
	s.AddRouter(t, "GR_n1")
	_, n, _ := start(t, s.Endpoint())
	known(t, n)
	prefix := netip.MustParsePrefix("10.1.0.0/24")
	for _, test := range []struct {
		name  string
		row   map[string]any
		check func(rows []model.RouterRow) bool
	}{
		{"next hop", map[string]any{"nexthop": "172.18.0.77"}, func(r []model.RouterRow) bool {
			return len(r) == 1 && r[0].NextHop.String() == "172.18.0.77"
		}},
		{"prefix", map[string]any{"ip_prefix": "10.9.0.0/24"}, func(r []model.RouterRow) bool { return len(r) == 0 }},
		{"policy", map[string]any{"policy": "src-ip"}, oddRow},
		{"options", map[string]any{"options": []any{"map", []any{[]string{"a", "b"}}}}, oddRow},
		// A row that is no longer where we look is written again.
		{"output port", map[string]any{"output_port": "other"}, gone},
		{"no mark", map[string]any{"external_ids": []any{"map", []any{}}}, gone},
		{"another node's", map[string]any{"external_ids": []any{"map", []any{
			[]string{"ovnbgp.io/owner", "agent"}, []string{"ovnbgp.io/node", "n2"}, []string{"ovnbgp.io/part", "0"}}}}, gone},
	} {
		t.Run(test.name, func(t *testing.T) {
			s.Transact(t, map[string]any{"op": "mutate", "table": "Logical_Router", "where": []any{},
				"mutations": []any{[]any{"static_routes", "delete", s.AllRoutes(t)}}})
			nbserver.Eventually(t, 5*time.Second, "no rows", func() bool { return n.Count() == 0 })
			commit(t, n, insert("10.1.0.0/24", "172.18.0.2"))
			n.TakeChanged()
			s.Update(t, "10.1.0.0/24", test.row)
			nbserver.Eventually(t, 5*time.Second, "the change is told", func() bool {
				changed, _ := n.TakeChanged()
				return slices.Contains(changed, prefix)
			})
			got := n.Rows(prefix, nil)
			if !test.check(got) {
				t.Fatalf("rows: %+v", got)
			}
			if len(got) == 1 {
				change := insert("10.1.0.0/24", "172.18.0.2")
				change.Verb, change.ID = model.RowUpdate, got[0].ID
				commit(t, n, change)
				if again := n.Rows(prefix, nil); len(again) != 1 || !again[0].Intact {
					t.Errorf("rows after repair: %+v", again)
				}
				expect(t, s, "10.1.0.0/24>172.18.0.2")
			}
		})
	}
}

func gone(r []model.RouterRow) bool { return len(r) == 0 }

func oddRow(r []model.RouterRow) bool { return len(r) == 1 && !r[0].Intact }

func TestRouterComesGoesAndIsRecreated(t *testing.T) {
	s := nbserver.Start(t)
	_, n, _ := start(t, s.Endpoint())
	known(t, n)
	if err := n.Commit(t.Context(), []model.RowChange{insert("10.1.0.0/24", "172.18.0.2")}); !errors.Is(err, ovnnb.ErrNoRouter) {
		t.Errorf("commit without a router: %v", err)
	}
	s.AddRouter(t, "GR_n1", [2]string{"dynamic-routing", "true"})
	nbserver.Eventually(t, 5*time.Second, "the router is seen", func() bool { return n.State().Present && n.State().DynamicRouting })
	commit(t, n, insert("10.1.0.0/24", "172.18.0.2"))
	first := n.State().ID
	s.RemoveRouter(t, "GR_n1")
	nbserver.Eventually(t, 5*time.Second, "router and rows are gone", func() bool { return !n.State().Present && n.Count() == 0 })
	s.AddRouter(t, "GR_n1")
	nbserver.Eventually(t, 5*time.Second, "the new router is seen", func() bool { return n.State().Present && !n.State().DynamicRouting })
	if n.State().ID == first {
		t.Error("a recreated router has the old ID")
	}
	commit(t, n, insert("10.1.0.0/24", "172.18.0.2"))
	expect(t, s, "10.1.0.0/24>172.18.0.2")
}

func TestServerKilledAndRestarted(t *testing.T) {
	s := nbserver.Start(t)
	s.AddRouter(t, "GR_n1")
	_, n, _ := start(t, s.Endpoint())
	known(t, n)
	commit(t, n, insert("10.1.0.0/24", "172.18.0.2"))
	n.TakeChanged()
	s.Kill()
	nbserver.Eventually(t, 5*time.Second, "the loss is noticed", func() bool { return !n.State().Known })
	if err := n.Commit(t.Context(), []model.RowChange{insert("10.2.0.0/24", "172.18.0.2")}); err == nil {
		t.Error("a commit without a server succeeds")
	}
	s.Run(t)
	known(t, n)
	if _, all := n.TakeChanged(); !all {
		t.Error("not everything is looked at again")
	}
	if got := rows(n, "10.1.0.0/24"); len(got) != 1 {
		t.Errorf("rows: %v", got)
	}
	commit(t, n, insert("10.2.0.0/24", "172.18.0.2"))
	expect(t, s, "10.1.0.0/24>172.18.0.2", "10.2.0.0/24>172.18.0.2")
}

// What happened to the database while there was no connection is seen.
func TestChangesWhileDisconnected(t *testing.T) {
	s := nbserver.Start(t)
	s.AddRouter(t, "GR_n1")
	_, n, _ := start(t, s.Endpoint())
	known(t, n)
	commit(t, n, insert("10.1.0.0/24", "172.18.0.2"), insert("10.2.0.0/24", "172.18.0.2"))
	s.Kill()
	// The same database answers where the client does not look.
	reachable := s.Directory
	s.Directory = t.TempDir()
	s.Run(t)
	s.Update(t, "10.1.0.0/24", map[string]any{"nexthop": "172.18.0.9"})
	s.Transact(t, map[string]any{"op": "mutate", "table": "Logical_Router", "where": []any{},
		"mutations": []any{[]any{"static_routes", "delete", s.RowID(t, "Logical_Router_Static_Route", "ip_prefix", "10.2.0.0/24")}}})
	s.Kill()
	s.Directory = reachable
	s.Run(t)
	known(t, n)
	if got := rows(n, "10.1.0.0/24"); len(got) != 1 || got[0].NextHop.String() != "172.18.0.9" {
		t.Errorf("the changed row: %v", got)
	}
	if got := rows(n, "10.2.0.0/24"); len(got) != 0 || n.Count() != 1 {
		t.Errorf("the removed row: %v, %d prefixes", got, n.Count())
	}
}

func TestSilentServerIsNoticed(t *testing.T) {
	s := nbserver.Start(t)
	s.AddRouter(t, "GR_n1")
	_, n, _ := start(t, s.Endpoint())
	known(t, n)
	s.Signal(t, syscall.SIGSTOP)
	nbserver.Eventually(t, 10*time.Second, "the silence is noticed", func() bool { return !n.State().Known })
	s.Signal(t, syscall.SIGCONT)
	known(t, n)
}

func TestNetworksComeAndGo(t *testing.T) {
	s := nbserver.Start(t)
	s.AddRouter(t, "GR_n1")
	s.AddRouter(t, "GR_cluster_udn_blue_n1")
	c, n, _ := start(t, s.Endpoint())
	known(t, n)
	blue := c.Watch("cluster_udn_blue", func() {})
	known(t, blue)
	commit(t, blue, insert("10.1.0.0/24", "172.18.0.2"), insert("10.2.0.0/24", "172.18.0.2"), insert("10.3.0.0/24", "172.18.0.2"))
	commit(t, n, insert("10.1.0.0/24", "172.18.0.2"))
	if blue.Count() != 3 || n.Count() != 1 {
		t.Errorf("blue has %d prefixes, default %d", blue.Count(), n.Count())
	}
	blue.Close()
	prune(t, c, "default")
	if got := s.Routes(t, "GR_cluster_udn_blue_n1", ownerKey); len(got) != 0 {
		t.Errorf("left of blue: %v", got)
	}
	expect(t, s, "10.1.0.0/24>172.18.0.2")
}

func TestFailedTransactionsAreErrors(t *testing.T) {
	s := nbserver.Start(t)
	s.AddRouter(t, "GR_n1")
	_, n, _ := start(t, s.Endpoint())
	known(t, n)
	commit(t, n, insert("10.1.0.0/24", "172.18.0.2"))
	gone := insert("10.1.0.0/24", "172.18.0.3")
	gone.Verb = model.RowUpdate
	gone.ID = model.RowID{1, 2, 3}
	if err := n.Commit(t.Context(), []model.RowChange{gone}); !errors.Is(err, ovnnb.ErrRowChanged) {
		t.Errorf("update of a row that is not there: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := n.Commit(ctx, []model.RowChange{insert("10.2.0.0/24", "172.18.0.3")}); err == nil {
		t.Error("a canceled commit succeeds")
	}
	known(t, n)
}

// prune removes all rows that are of no network of these, two at a time.
func prune(t *testing.T, c *ovnnb.Client, networks ...string) {
	t.Helper()
	for more := true; more; {
		var err error
		if more, err = c.Prune(t.Context(), networks, 2); err != nil {
			t.Fatal(err)
		}
	}
}
