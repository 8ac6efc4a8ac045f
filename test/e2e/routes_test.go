package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// kernelRoute is a route that FRR's BGP installed.
type kernelRoute struct {
	Destination netip.Prefix
	Table       int
	NextHops    []netip.Addr
}

// kernelRoutes are the BGP routes in all tables of a machine.
func kernelRoutes(m *machine.Machine) ([]kernelRoute, error) {
	filter := &netlink.Route{Protocol: unix.RTPROT_BGP, Table: unix.RT_TABLE_UNSPEC}
	found, err := m.Netlink().RouteListFiltered(netlink.FAMILY_ALL, filter, netlink.RT_FILTER_PROTOCOL|netlink.RT_FILTER_TABLE)
	if err != nil {
		return nil, fmt.Errorf("list the routes of %s: %w", m.Name, err)
	}
	var routes []kernelRoute
	for _, r := range found {
		address, _ := netip.AddrFromSlice(r.Dst.IP)
		length, _ := r.Dst.Mask.Size()
		route := kernelRoute{Destination: netip.PrefixFrom(address.Unmap(), length), Table: r.Table}
		for _, hop := range append([]*netlink.NexthopInfo{{Gw: r.Gw}}, r.MultiPath...) {
			if next, ok := netip.AddrFromSlice(hop.Gw); ok {
				route.NextHops = append(route.NextHops, next.Unmap())
			}
		}
		slices.SortFunc(route.NextHops, netip.Addr.Compare)
		routes = append(routes, route)
	}
	return routes, nil
}

// kernelHas tells whether the main table has a BGP route to exactly a prefix.
func kernelHas(m *machine.Machine, prefix netip.Prefix) (bool, error) {
	routes, err := kernelRoutes(m)
	return slices.ContainsFunc(routes, func(r kernelRoute) bool {
		return r.Destination == prefix && r.Table == unix.RT_TABLE_MAIN
	}), err
}

// row is a route that the agent wrote into OVN.
type row struct {
	Prefix     netip.Prefix
	NextHop    netip.Addr
	OutputPort string
	// Network and Node are what the agent marks it with.
	Network, Node string
}

// importedRows are the agents' rows in the Northbound database of a node.
func importedRows(ctx context.Context, l *lab.Lab, node string) ([]row, error) {
	text, err := l.CNI.Central(node).NB(ctx, "--format=json", "--columns=ip_prefix,nexthop,output_port,external_ids",
		"find", "Logical_Router_Static_Route", `external_ids:"ovnbgp.io/owner"=agent`)
	if err != nil {
		return nil, err
	}
	var table struct{ Data [][]any }
	if err := json.Unmarshal([]byte(text), &table); err != nil {
		return nil, fmt.Errorf("ovn-nbctl answers %q: %w", text, err)
	}
	var rows []row
	for _, cells := range table.Data {
		r := row{OutputPort: asText(cells[2])}
		if r.Prefix, err = netip.ParsePrefix(asText(cells[0])); err != nil {
			return nil, err
		}
		// A discarding route has a word in its place.
		r.NextHop, _ = netip.ParseAddr(asText(cells[1]))
		ids := asMap(cells[3])
		r.Network, r.Node = ids["ovnbgp.io/network"], ids["ovnbgp.io/node"]
		rows = append(rows, r)
	}
	return rows, nil
}

// rowsTo are the rows of a node's agent to exactly a prefix.
func rowsTo(ctx context.Context, l *lab.Lab, node string, prefix netip.Prefix) ([]row, error) {
	rows, err := importedRows(ctx, l, node)
	return slices.DeleteFunc(rows, func(r row) bool { return r.Prefix != prefix || r.Node != node }), err
}

// asText is a cell of OVSDB's JSON that holds a string or, optional, none.
func asText(cell any) string {
	text, _ := cell.(string)
	return text
}

func asMap(cell any) map[string]string {
	out := map[string]string{}
	whole, _ := cell.([]any)
	if len(whole) != 2 {
		return out
	}
	pairs, _ := whole[1].([]any)
	for _, pair := range pairs {
		if both, ok := pair.([]any); ok && len(both) == 2 {
			out[asText(both[0])] = asText(both[1])
		}
	}
	return out
}
