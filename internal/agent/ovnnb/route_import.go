package ovnnb

import (
	"context"
	"errors"
	"net/netip"

	"github.com/ovn-kubernetes/libovsdb/ovsdb"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// RemoveRouteImport removes what OVN-Kubernetes' own route import wrote on the node's
// gateway routers, which stays there when route import is switched off. It returns the
// number of rows by router. With dryRun it only counts them.
func RemoveRouteImport(ctx context.Context, options Options, dryRun bool) (map[string]int, error) {
	c := New(options)
	found := map[string]int{}
	s, err := c.connectAny(ctx)
	if err != nil {
		return found, err
	}
	defer s.end(errors.New("done"))
	rows, err := c.routeImports(ctx, s)
	if err != nil {
		return found, err
	}
	for router, ids := range rows {
		found[router] = len(ids)
		for !dryRun && len(ids) > 0 {
			next := min(removedAtOnce, len(ids))
			var t transaction
			t.remove(router, ids[:next])
			if _, err := c.transact(ctx, s, &t); err != nil {
				return found, err
			}
			ids = ids[next:]
		}
	}
	return found, nil
}

// routeImports are the rows of route import by router, of the node's routers only: in
// one database for all nodes route import may be active on the others. The router's set
// shows which router has a row; the port is only the row's own claim.
func (c *Client) routeImports(ctx context.Context, s *session) (map[string][]model.RowID, error) {
	var t transaction
	t.add(anyCount, ovsdb.Operation{
		Op: ovsdb.OperationSelect, Table: tableRoute, Columns: []string{"_uuid"}, Where: []ovsdb.Condition{importedBy()},
	})
	t.add(anyCount, ovsdb.Operation{Op: ovsdb.OperationSelect, Table: tableRouter, Columns: []string{"name", "static_routes"}, Where: []ovsdb.Condition{}})
	results, err := c.transact(ctx, s, &t)
	if err != nil {
		return nil, err
	}
	imports := map[string]bool{}
	for _, row := range results[0].Rows {
		uuid, _ := row["_uuid"].(ovsdb.UUID)
		imports[uuid.GoUUID] = true
	}
	out := map[string][]model.RowID{}
	for _, row := range results[1].Rows {
		name, _ := row["name"].(string)
		if !ofNode(name, c.options.Node) {
			continue
		}
		for _, uuid := range references(row["static_routes"]) {
			if id, ok := parseRowID(uuid); ok && imports[uuid] {
				out[name] = append(out[name], id)
			}
		}
	}
	return out, nil
}

// RouteImports returns the prefixes that OVN-Kubernetes' own route import has rows
// for on the network's router, in any order and as often as there are rows. version
// changes when one of them comes or goes.
func (n *Network) RouteImports() (prefixes []netip.Prefix, version uint64) {
	c := n.client
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session == nil {
		return nil, c.imports[n.rows.port]
	}
	for _, row := range c.session.others.Table(tableRoute).RowsShallow() {
		row := row.(*othersRoute)
		if valueOf(row.OutputPort) != n.rows.port || row.kind() != ofRouteImport {
			continue
		}
		if prefix := row.parsePrefix(); prefix.IsValid() {
			prefixes = append(prefixes, prefix)
		}
	}
	return prefixes, c.imports[n.rows.port]
}
