package importing

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ovn-kubernetes/libovsdb/ovsdb"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/testns"
)

const (
	variantRepetitions = 3
	variantChanges     = 11
	firstTable         = 2000
	nexthopGroups      = 64
)

// variant is an import that differs from the standard one in one thing. The
// agent's process is this test's own binary, without an API server, so that
// networks need no VRF devices, which not every kernel has.
type variant struct {
	name string
	// routes of each network.
	routes int
	// networks beside the default one; without any, the default one is meant.
	networks int
	ipv6     bool
	// groups has routes go by nexthop objects, each a group of two.
	groups bool
	// vrf has the table found by a VRF device.
	vrf bool
	// transport to the database: "unix", "ssl" or "cluster".
	transport string
}

// BenchmarkVariants has the same floors beside each variant as BenchmarkImport
// has: a dump of the same tables, and the same rows by libovsdb's barest
// transactions over the same connection to the same kind of server.
func BenchmarkVariants(b *testing.B) {
	nbserver.Require(b)
	for _, v := range []variant{
		{name: "plain", routes: 10000, transport: "unix"},
		{name: "IPv6", routes: 10000, ipv6: true, transport: "unix"},
		{name: "ECMP", routes: 10000, groups: true, transport: "unix"},
		{name: "networks=10", routes: 1000, networks: 10, transport: "unix"},
		{name: "ssl", routes: 10000, transport: "ssl"},
		{name: "raft=3", routes: 10000, transport: "cluster"},
		{name: "VRF", routes: 10000, networks: 1, vrf: true, transport: "unix"},
	} {
		if testing.Short() {
			v.routes = 100
		}
		b.Run(fmt.Sprintf("%s/routes=%d", v.name, v.routes), v.measure)
	}
}

// names are the networks by OVN's name.
func (v variant) names() []string {
	if v.networks == 0 {
		return []string{"default"}
	}
	var out []string
	for i := range v.networks {
		out = append(out, fmt.Sprintf("cluster_udn_n%d", i))
	}
	return out
}

func (v variant) table(network int) int {
	if v.networks == 0 {
		return mainTable
	}
	return firstTable + network
}

func (v variant) router(network int) string {
	return ovnk.NamesOf(v.names()[network]).GatewayRouter(nodeName)
}

// total is how many rows all routes make.
func (v variant) total() int { return v.routes * len(v.names()) * len(v.hops(0)) }

func (v variant) prefix(i int) netip.Prefix {
	if !v.ipv6 {
		return prefix(i)
	}
	address := [16]byte{0xfd, 0x20, 0, 0, byte(i >> 16), byte(i >> 8), byte(i)}
	return netip.PrefixFrom(netip.AddrFrom16(address), 64)
}

// hops are the next hops of route i.
func (v variant) hops(i int) []netip.Addr {
	switch {
	case v.ipv6:
		return []netip.Addr{netip.AddrFrom16([16]byte{0xfe, 0x80, 15: byte(2 + i%2)})}
	case v.groups:
		one := byte(2 + 2*(i%nexthopGroups))
		return []netip.Addr{netip.AddrFrom4([4]byte{172, 18, 0, one}), netip.AddrFrom4([4]byte{172, 18, 0, one + 1})}
	default:
		return []netip.Addr{nextHop(i)}
	}
}

// line is route i of a network as a command of ip.
func (v variant) line(verb string, network, i int) string {
	by := fmt.Sprintf("via %s dev gw0", v.hops(i)[0])
	if v.groups {
		by = fmt.Sprintf("nhid %d", 1000+i%nexthopGroups)
	}
	return fmt.Sprintf("route %s %s %s proto bgp table %d\n", verb, v.prefix(i), by, v.table(network))
}

// load makes the node's devices, objects and routes.
func (v variant) load(b *testing.B, n *node) {
	b.Helper()
	batch := n.open(b)
	var text strings.Builder
	if v.groups {
		for i := range nexthopGroups {
			hops := v.hops(i)
			fmt.Fprintf(&text, "nexthop add id %d via %s dev gw0\nnexthop add id %d via %s dev gw0\nnexthop add id %d group %d/%d\n",
				2*i+1, hops[0], 2*i+2, hops[1], 1000+i, 2*i+1, 2*i+2)
		}
	}
	for network := range v.names() {
		if v.vrf {
			fmt.Fprintf(&text, "link add vrf%d type vrf table %d\nlink set vrf%d up\nlink set gw0 master vrf%d\n",
				network, v.table(network), network, network)
		}
		for i := range v.routes {
			text.WriteString(v.line("add", network, i))
		}
	}
	batch.write(text.String())
	batch.end()
}

// insertions insert the rows of routes of a network, as the agent writes them.
func (v variant) insertions(network, from, to int) []ovsdb.Operation {
	name := v.names()[network]
	var out []ovsdb.Operation
	var added []any
	for i := from; i < to; i++ {
		for j, hop := range v.hops(i) {
			id := fmt.Sprintf("r%dx%d", i, j)
			out = append(out, ovsdb.Operation{
				Op: ovsdb.OperationInsert, Table: "Logical_Router_Static_Route", UUIDName: id,
				Row: ovsdb.Row{
					"ip_prefix": v.prefix(i).String(), "nexthop": hop.String(), "output_port": set("rtoe-" + v.router(network)),
					"external_ids": ovsdb.OvsMap{GoMap: map[any]any{"ovnbgp.io/owner": "agent", "ovnbgp.io/node": nodeName, "ovnbgp.io/network": name, "ovnbgp.io/part": fmt.Sprint(i % 8)}},
				},
			})
			added = append(added, ovsdb.UUID{GoUUID: id})
		}
	}
	return append(out, mutationOf(v.router(network), ovsdb.MutateOperationInsert, added))
}

func (v variant) batches() [][]ovsdb.Operation {
	var out [][]ovsdb.Operation
	step := rowsPerTransaction / len(v.hops(0))
	for network := range v.names() {
		for from := 0; from < v.routes; from += step {
			out = append(out, v.insertions(network, from, min(from+step, v.routes)))
		}
	}
	return out
}

func (v variant) measure(b *testing.B) {
	n := newNode(b, "")
	if v.vrf {
		testns.RequireVRF(b, n.Namespace)
	}
	v.load(b, n)
	var dump, write, took, cpu, row, added, deleted []time.Duration
	peak := 0.0
	batches := v.batches()
	for i := range variantRepetitions {
		start := time.Now()
		for network := range v.names() {
			if got := n.dumpTable(b, v.table(network), v.ipv6); got != v.routes {
				b.Fatalf("the kernel lists %d routes", got)
			}
		}
		dump = append(dump, time.Since(start))

		floor := v.newNorthbound(b)
		w := newWriterWith(b, floor.endpoint, floor.tls)
		start = time.Now()
		w.add(b, batches)
		write = append(write, floor.rows(b, v.total(), noExcuse).Sub(start))
		if i == 0 {
			row = v.measureRow(b, floor, w)
		}
		w.Close()
		floor.end()

		nb := v.newNorthbound(b)
		a := v.startAgent(b, n, nb)
		start = a.goAhead(b)
		took = append(took, nb.rows(b, v.total(), a.log.String).Sub(start))
		cpu = append(cpu, a.cpu(b))
		if i == variantRepetitions-1 {
			v.expectRoutes(b, nb)
			added, deleted = v.measureOne(b, n, a, nb)
		}
		_, peak = a.memory(b)
		a.stop(b)
		nb.end()
	}
	report(b, milliseconds("floor-dump-ms", median(dump)), milliseconds("floor-rows-ms", median(write)), milliseconds("ms", median(took)),
		ratio("x-floors", median(took), median(dump)+median(write)), seconds("CPU-s", median(cpu)), metric{"peak-MiB", peak},
		milliseconds("floor-add-ms", median(row)), milliseconds("add-ms-median", median(added)), milliseconds("del-ms-median", median(deleted)),
		ratio("x-add-floor", median(added), median(row)), milliseconds("own-add-ms", median(added)-median(row)))
}

// measureRow measures the floor of one more route on the full table.
func (v variant) measureRow(b *testing.B, nb *northbound, w *writer) (out []time.Duration) {
	quiet := time.NewTicker(pause)
	defer quiet.Stop()
	for i := range variantChanges {
		batch := [][]ovsdb.Operation{v.insertions(0, v.routes+i, v.routes+i+1)}
		<-quiet.C
		start := time.Now()
		w.add(b, batch)
		out = append(out, nb.rows(b, v.total()+(i+1)*len(v.hops(0)), noExcuse).Sub(start))
	}
	return out
}

// measureOne adds and removes one route, again and again.
func (v variant) measureOne(b *testing.B, n *node, a *agent, nb *northbound) (added, deleted []time.Duration) {
	quiet := time.NewTicker(pause)
	defer quiet.Stop()
	batch := n.open(b)
	timed := func(verb string, rows int) time.Duration {
		<-quiet.C
		start := time.Now()
		batch.write(v.line(verb, 0, v.routes))
		return nb.rows(b, rows, a.log.String).Sub(start)
	}
	for range variantChanges {
		added = append(added, timed("add", v.total()+len(v.hops(0))))
		deleted = append(deleted, timed("del", v.total()))
	}
	batch.end()
	return added, deleted
}

// expectRoutes compares every router's routes with what the kernel was given.
func (v variant) expectRoutes(b *testing.B, nb *northbound) {
	b.Helper()
	for network := range v.names() {
		want := map[string]bool{}
		for i := range v.routes {
			for _, hop := range v.hops(i) {
				want[fmt.Sprintf("%s via %s dev rtoe-%s owner %q", v.prefix(i), hop, v.router(network), "agent")] = true
			}
		}
		nb.expectExactly(b, v.router(network), want)
	}
}
