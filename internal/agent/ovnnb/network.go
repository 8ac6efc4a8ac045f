package ovnnb

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"slices"

	"github.com/ovn-kubernetes/libovsdb/ovsdb"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// What keeps a network's rows from being changed, beside errors of the
// server. Waiting helps with all of them.
var (
	ErrDisconnected = errors.New("there is no connection to the OVN Northbound database")
	ErrNoRouter     = errors.New("the gateway router is not there")
	ErrRowChanged   = errors.New("a row was removed by somebody else meanwhile")
)

// Network is a network whose gateway router is watched.
type Network struct {
	client       *Client
	name, router string
	rows         *networkRoutes
	notify       func()
	// known is set while the session's conditions include the network, and all of its
	// rows have been received.
	known bool
	// all is set where everything may have changed.
	all bool
	// limited are the NAT rows that this process limited.
	limited map[string]bool
}

// RouterState is what is known of a network's gateway router.
type RouterState struct {
	// Known is false while there is no connection, because of Trouble; then
	// nothing else counts.
	Known   bool
	Trouble string
	// Present is set where the router exists.
	Present bool
	// RouteImport is set where OVN-Kubernetes' own route import has rows there.
	RouteImport bool
	// SourceIPv4 and SourceIPv6 are set where the router routes single pods by
	// their address as the source.
	SourceIPv4, SourceIPv6 bool
	// DynamicRouting is set where OVN itself exchanges routes with the kernel.
	DynamicRouting bool
	// ID changes when the router is recreated.
	ID model.RowID
}

// Router is the gateway router's name.
func (n *Network) Router() string { return n.router }

// State is what is known of the gateway router.
func (n *Network) State() RouterState {
	n.client.mu.Lock()
	defer n.client.mu.Unlock()
	if !n.known {
		return RouterState{Trouble: n.client.trouble}
	}
	counted := func(kind routeKind) bool { return n.client.around.counts[purpose{n.rows.port, kind}] > 0 }
	out := RouterState{Known: true, RouteImport: counted(ofRouteImport), SourceIPv4: counted(ofIPv4Host), SourceIPv6: counted(ofIPv6Host)}
	if row := n.client.around.routers[n.router]; row != nil {
		out.ID, out.Present = parseRowID(row.UUID)
		out.DynamicRouting = row.Options[optionDynamicRouting] == "true"
	}
	return out
}

// Rows appends our rows for a prefix to out.
func (n *Network) Rows(prefix netip.Prefix, out []model.RouterRow) []model.RouterRow {
	n.client.mu.Lock()
	defer n.client.mu.Unlock()
	for row := n.rows.byPrefix[prefix]; row != nil; row = row.next {
		out = append(out, model.RouterRow{ID: row.id, NextHop: row.hop, Intact: row.intact})
	}
	return out
}

// Prefixes returns every prefix that has a row of ours.
func (n *Network) Prefixes() []netip.Prefix {
	n.client.mu.Lock()
	defer n.client.mu.Unlock()
	return slices.AppendSeq(make([]netip.Prefix, 0, len(n.rows.byPrefix)), maps.Keys(n.rows.byPrefix))
}

// Count is how many prefixes have a row of ours.
func (n *Network) Count() int {
	n.client.mu.Lock()
	defer n.client.mu.Unlock()
	return len(n.rows.byPrefix)
}

// RowCount is how many rows of ours there are: as many for a prefix as it has
// next hops.
func (n *Network) RowCount() int {
	n.client.mu.Lock()
	defer n.client.mu.Unlock()
	return n.rows.rows
}

// Has reports whether a prefix has a row of ours, or is a default route whose
// halves have.
func (n *Network) Has(prefix netip.Prefix) bool {
	n.client.mu.Lock()
	defer n.client.mu.Unlock()
	if half := netip.PrefixFrom(prefix.Addr(), 1); prefix.Bits() == 0 && n.rows.byPrefix[half] != nil {
		return true
	}
	return n.rows.byPrefix[prefix] != nil
}

// TakeChanged returns the prefixes whose rows changed since the last time,
// other than as Commit changed them; all is set where every prefix may have.
func (n *Network) TakeChanged() (prefixes []netip.Prefix, all bool) {
	n.client.mu.Lock()
	defer n.client.mu.Unlock()
	rows := n.rows
	for prefix := range rows.changed {
		prefixes = append(prefixes, prefix)
	}
	// A map keeps the room of its largest size.
	if len(rows.changed) > 1024 {
		rows.changed = map[netip.Prefix]struct{}{}
	} else {
		clear(rows.changed)
	}
	all, n.all = n.all, false
	return prefixes, all
}

// Commit writes changes in one transaction: all of them or none. When it
// returns, the rows are known as they are now. After an error it is not known what was
// written; what TakeChanged and Rows return is right in any case. Several commits may
// be under way at once if no two of them change the same prefix.
func (n *Network) Commit(ctx context.Context, changes []model.RowChange) error {
	if len(changes) == 0 {
		return nil
	}
	c := n.client
	c.mu.Lock()
	s, router, known := c.session, c.around.routers[n.router], n.known
	switch {
	case s == nil || !known:
		c.mu.Unlock()
		return ErrDisconnected
	case router == nil:
		c.mu.Unlock()
		return ErrNoRouter
	}
	n.rows.expect(changes)
	c.mu.Unlock()
	var t transaction
	t.change(router.UUID, n.rows, changes)
	results, err := c.transact(ctx, s, &t)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil && c.session == s {
		c.readChanges(s, n.rows.port, changes, results)
	}
	n.rows.settle(changes)
	return err
}

// readChanges reads what a transaction changed, before the events that report it get
// their turn.
func (c *Client) readChanges(s *session, port string, changes []model.RowChange, results []ovsdb.OperationResult) {
	next := 0
	for i := range changes {
		change := &changes[i]
		if change.Verb == model.RowDelete {
			c.readRoute(s, formatRowID(change.ID), place{port, change.Prefix})
			continue
		}
		// The results are in the order of the operations; see change.
		uuid := results[next].UUID.GoUUID
		if change.Verb == model.RowUpdate {
			uuid = formatRowID(change.ID)
		}
		next++
		c.readRoute(s, uuid, place{port, change.Prefix})
	}
}

// Close stops watching. The rows stay; see Client.Prune.
func (n *Network) Close() {
	c := n.client
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.watched[n.name] != n {
		return
	}
	delete(c.watched, n.name)
	n.rows.notify = nil
	clear(n.rows.changed)
}

// Prune removes rows of ours that are on the router of none of these networks, in one
// transaction of at most limit rows, and reports whether there may be more.
func (c *Client) Prune(ctx context.Context, networks []string, limit int) (more bool, err error) {
	c.mu.Lock()
	s, rows := c.session, c.routes.leftovers(networks, limit)
	c.mu.Unlock()
	switch {
	case s == nil:
		return true, ErrDisconnected
	case len(rows) == 0:
		return false, nil
	}
	if rows, err = c.spareDefaults(ctx, s, networks, limit, rows); err != nil || len(rows) == 0 {
		return true, err
	}
	// The port shows the router, unless the port was changed.
	rows, err = c.prune(ctx, s, rows, func(at place) string { return ovnk.RouterOfExternalPort(at.port) })
	if err != nil || len(rows) == 0 {
		return true, err
	}
	_, err = c.prune(ctx, s, rows[:min(len(rows), anywhereAtMost)], func(place) string { return "" })
	return true, err
}

// prune removes rows and returns those that are still there.
func (c *Client) prune(ctx context.Context, s *session, rows []leftover, router func(place) string) (left []leftover, err error) {
	ids := map[string][]model.RowID{}
	for _, row := range rows {
		name := router(row.place)
		ids[name] = append(ids[name], row.id)
	}
	var t transaction
	for name := range ids {
		t.remove(name, ids[name])
	}
	if _, err = c.transact(ctx, s, &t); err != nil {
		return rows, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, row := range rows {
		delete(c.routes.lost, row.id)
		if c.session == s && c.readRoute(s, formatRowID(row.id), row.place) {
			left = append(left, row)
		}
	}
	return left, nil
}
