package ovnnb_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/ovnnb"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
)

// ofRouteImport is what OVN-Kubernetes' route import marks its rows with; beside that
// it writes the prefix, the next hop and the output port.
var ofRouteImport = [2]string{"k8s.ovn.org/owner-controller", "RouteImport"}

func removeRoute(t *testing.T, s *nbserver.Server, router, prefix string) {
	t.Helper()
	s.Transact(t, map[string]any{"op": "mutate", "table": "Logical_Router", "where": []any{[]any{"name", "==", router}},
		"mutations": []any{[]any{"static_routes", "delete", s.RowID(t, "Logical_Router_Static_Route", "ip_prefix", prefix)}}})
}

// The rows of OVN-Kubernetes' route import are known by router, and whether its
// writer is at work can be seen, across reconnects.
func TestRowsOfRouteImportAreKnown(t *testing.T) {
	s := nbserver.Start(t)
	for _, router := range []string{"GR_n1", "GR_cluster_udn_blue_n1", "GR_n2"} {
		s.AddRouter(t, router)
	}
	s.AddRoute(t, "GR_n1", "0.0.0.0/0", "172.18.0.1", "rtoe-GR_n1")
	s.AddRoute(t, "GR_n1", "10.1.0.0/24", "172.18.0.2", "rtoe-GR_n1", ofRouteImport)
	s.AddRoute(t, "GR_n1", "10.1.0.0/24", "172.18.0.3", "rtoe-GR_n1", ofRouteImport)
	s.AddRoute(t, "GR_n1", "fd01::/64", "fe80::2", "rtoe-GR_n1", ofRouteImport)
	s.AddRoute(t, "GR_cluster_udn_blue_n1", "10.2.0.0/24", "172.18.0.2", "rtoe-GR_cluster_udn_blue_n1", ofRouteImport)
	s.AddRoute(t, "GR_n2", "10.3.0.0/24", "172.18.0.2", "rtoe-GR_n2", ofRouteImport)
	c, n, _ := start(t, s.Endpoint())
	blue := c.Watch("cluster_udn_blue", func() {})
	known(t, n)
	known(t, blue)
	// Rows are seen a moment before the version that tells of them.
	expect := func(what string, n *ovnnb.Network, want string, before uint64) (version uint64) {
		t.Helper()
		nbserver.Eventually(t, 10*time.Second, fmt.Sprintf("%s: %s has %s", what, n.Router(), want), func() bool {
			prefixes, now := n.RouteImports()
			var got []string
			for _, prefix := range prefixes {
				got = append(got, prefix.String())
			}
			slices.Sort(got)
			version = now
			return strings.Join(got, " ") == want && now > before && n.State().Known
		})
		return version
	}
	first := expect("at first", n, "10.1.0.0/24 10.1.0.0/24 fd01::/64", 0)
	other := expect("at first", blue, "10.2.0.0/24", 0)

	s.AddRoute(t, "GR_n1", "10.4.0.0/24", "172.18.0.2", "rtoe-GR_n1", ofRouteImport)
	second := expect("another row", n, "10.1.0.0/24 10.1.0.0/24 10.4.0.0/24 fd01::/64", first)
	removeRoute(t, s, "GR_n1", "fd01::/64")
	third := expect("a row less", n, "10.1.0.0/24 10.1.0.0/24 10.4.0.0/24", second)
	// The writer replaces a next hop by another row.
	removeRoute(t, s, "GR_n1", "10.4.0.0/24")
	s.AddRoute(t, "GR_n1", "10.4.0.0/24", "172.18.0.9", "rtoe-GR_n1", ofRouteImport)
	nbserver.Eventually(t, 10*time.Second, "the replaced row is told", func() bool { _, now := n.RouteImports(); return now >= third+2 })
	fourth := expect("a replaced row", n, "10.1.0.0/24 10.1.0.0/24 10.4.0.0/24", third)
	// Rows of ours, and of others, are no sign of it.
	commit(t, n, insert("10.5.0.0/24", "172.18.0.2"))
	s.AddRoute(t, "GR_n1", "10.6.0.0/24", "172.18.0.1", "rtoe-GR_n1", [2]string{"owner", "admin"})
	if now := expect("ours", n, "10.1.0.0/24 10.1.0.0/24 10.4.0.0/24", 0); now != fourth {
		t.Errorf("version %d, not %d", now, fourth)
	}
	if now := expect("others' networks", blue, "10.2.0.0/24", 0); now != other {
		t.Errorf("version %d, not %d", now, other)
	}
	s.Kill()
	nbserver.Eventually(t, 10*time.Second, "the session is lost", func() bool { return !n.State().Known })
	s.Run(t)
	if now := expect("a database again", n, "10.1.0.0/24 10.1.0.0/24 10.4.0.0/24", 0); now == fourth {
		t.Error("what changed meanwhile nobody knows")
	}
}
