package kernel

import (
	"testing"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/testns"
)

// FRR's stand-in for an IPv6 next hop is told as the real one, which follows
// from the neighbor entry that FRR makes, and from the neighbors that there are.
func TestStandInForIPv6(t *testing.T) {
	const entry = "neigh replace 169.254.0.1 lladdr 52:54:00:12:34:56 nud permanent dev gw0"
	add := []string{"add 4 via 169.254.0.1 dev gw0 onlink proto bgp"}
	for _, order := range []string{"before", "after"} {
		t.Run(order, func(t *testing.T) {
			ns := testns.New(t)
			if order == "before" {
				ns.IP(t, append(routes(add), entry)...)
			}
			table := run(t, ns, nil).Watch(bgpTable, func() {})
			if order == "after" {
				nbserver.Eventually(t, 5*time.Second, "listed", func() bool { return table.TakeChanges().Ready })
				ns.IP(t, routes(add)...)
				eventually(t, table, "10.1.0.0/24>169.254.0.1@gw0")
				ns.IP(t, entry)
			}
			eventually(t, table, "10.1.0.0/24>fe80::5054:ff:fe12:3456@gw0")

			// A neighbor that doesn't make its address of its hardware address.
			ns.IP(t, "neigh replace fe80::99 lladdr 52:54:00:12:34:56 nud reachable dev gw0")
			eventually(t, table, "10.1.0.0/24>fe80::99@gw0")
			table.TakeChanges()
			ns.IP(t, "neigh replace 169.254.0.1 lladdr 52:54:00:12:34:58 nud permanent dev gw0")
			nbserver.Eventually(t, 5*time.Second, "it is told", func() bool { return table.TakeChanges().All })
			eventually(t, table, "10.1.0.0/24>fe80::5054:ff:fe12:3458@gw0")
			ns.IP(t, "neigh del 169.254.0.1 dev gw0")
			eventually(t, table, "10.1.0.0/24>169.254.0.1@gw0")
		})
	}
}
