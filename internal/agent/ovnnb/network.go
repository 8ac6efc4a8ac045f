package ovnnb

import (
	"context"
	"errors"
	"net/netip"

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
	notify       func()
	// known is set while the session's conditions include the network, and all
	// of it has been told.
	known bool
	// all is set where everything may have changed.
	all bool
}

// RouterState is what is known of a network's gateway router.
type RouterState struct {
	// Known is false while there is no connection; then nothing else counts.
	Known bool
	// Present is set where the router exists.
	Present bool
	// RouteImport is set where OVN-Kubernetes' own route import has rows there.
	RouteImport bool
	// DynamicRouting is set where OVN itself exchanges routes with the kernel.
	DynamicRouting bool
	// ID changes when the router is recreated.
	ID model.RowID
}

// Router is the gateway router's name.
func (n *Network) Router() string { return n.router }

// State tells what is known of the gateway router.
func (n *Network) State() RouterState {
	n.client.mu.Lock()
	defer n.client.mu.Unlock()
	out := RouterState{Known: n.known}
	if !n.known {
		return out
	}
	out.RouteImport = n.client.routes.imports[n.client.routes.network(n.name).port] > 0
	if row := n.client.routers.byName[n.router]; row != nil {
		out.Present, out.ID = true, row.id
		out.DynamicRouting = row.options[optionDynamicRouting] == "true"
	}
	return out
}

// Rows appends our rows for a prefix to out.
func (n *Network) Rows(prefix netip.Prefix, out []model.RouterRow) []model.RouterRow {
	n.client.mu.Lock()
	defer n.client.mu.Unlock()
	for row := n.client.routes.network(n.name).byPrefix[prefix]; row != nil; row = row.next {
		out = append(out, model.RouterRow{ID: row.id, NextHop: row.hop, Intact: row.intact})
	}
	return out
}

// Prefixes returns every prefix that has a row of ours.
func (n *Network) Prefixes() []netip.Prefix {
	n.client.mu.Lock()
	defer n.client.mu.Unlock()
	rows := n.client.routes.network(n.name)
	out := make([]netip.Prefix, 0, len(rows.byPrefix))
	for prefix := range rows.byPrefix {
		out = append(out, prefix)
	}
	return out
}

// Count is how many prefixes have a row of ours.
func (n *Network) Count() int {
	n.client.mu.Lock()
	defer n.client.mu.Unlock()
	return len(n.client.routes.network(n.name).byPrefix)
}

// TakeChanged returns the prefixes whose rows changed since the last time,
// other than as Commit changed them; all is set where every prefix may have.
func (n *Network) TakeChanged() (prefixes []netip.Prefix, all bool) {
	n.client.mu.Lock()
	defer n.client.mu.Unlock()
	rows := n.client.routes.network(n.name)
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
// returns, the rows are known as they are now. After an error nobody knows
// what was written; what TakeChanged and Rows tell is right in any case.
func (n *Network) Commit(ctx context.Context, changes []model.RowChange) error {
	if len(changes) == 0 {
		return nil
	}
	c := n.client
	c.mu.Lock()
	s, router, known := c.session, c.routers.byName[n.router], n.known
	rows := c.routes.network(n.name)
	rows.expect(changes)
	c.mu.Unlock()
	// The server tells what changed before it answers.
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		rows.expect(nil)
	}()
	switch {
	case s == nil || !known:
		return ErrDisconnected
	case router == nil:
		return ErrNoRouter
	}
	t := newTransaction()
	t.change(router.id, rows, c.options.Node, changes)
	return c.transact(ctx, s, t)
}

// transact sends a transaction and checks the result of each operation. The
// transaction must not be used after.
func (c *Client) transact(ctx context.Context, s *session, t *transaction) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.options.Timeout, errors.New("the server took too long"))
	defer cancel()
	var r results
	err := s.call(ctx, "transact", t.params(), func(in *jsonReader) { r.read(in, t.counted) })
	if err != nil {
		// A reply that nobody waits for any more may still be read with it.
		return err
	}
	defer transactions.Put(t)
	switch {
	case r.failed != "":
		return errorf("the transaction failed: %s", r.failed)
	case r.operations < len(t.counted):
		return errorf("%d operations have only %d results", len(t.counted), r.operations)
	case r.missed == routerMustExist:
		return ErrNoRouter
	case r.missed == rowMustExist:
		return ErrRowChanged
	}
	return nil
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
	rows := c.routes.network(n.name)
	rows.notify = nil
	clear(rows.changed)
	c.want()
}

// Prune removes our rows of a network that is not watched, in one transaction
// of at most limit rows, and tells how many rows are left.
func (c *Client) Prune(ctx context.Context, network string, limit int) (left int, err error) {
	c.mu.Lock()
	s, rows := c.session, c.routes.network(network)
	if s == nil || c.watched[network] != nil {
		c.mu.Unlock()
		return rows.rows, ErrDisconnected
	}
	before := rows.rows
	var ids []model.RowID
	for _, row := range rows.byPrefix {
		for ; row != nil && len(ids) < limit; row = row.next {
			ids = append(ids, row.id)
		}
		if len(ids) >= limit {
			break
		}
	}
	if before == 0 {
		delete(c.routes.networks, network)
	}
	c.mu.Unlock()
	if before == 0 {
		return 0, nil
	}
	// The router is not monitored, but its name is known.
	t := newTransaction()
	t.begin(anyCount)
	t.text(`{"op":"mutate","table":"Logical_Router","where":[["name","==",`)
	t.quoted(ovnk.NamesOf(network).GatewayRouter(c.options.Node))
	t.text(`]],"mutations":[["static_routes","delete",["set",[`)
	for i, id := range ids {
		if i > 0 {
			t.text(`,`)
		}
		t.uuid(id)
	}
	t.text(`]]]]}`)
	if err := c.transact(ctx, s, t); err != nil {
		return before, err
	}
	c.mu.Lock()
	left = rows.rows
	c.mu.Unlock()
	if left < before {
		return left, nil
	}
	return c.pruneAnywhere(ctx, s, rows, ids[:min(len(ids), 100)])
}

// pruneAnywhere removes rows from whatever router has them. It makes the
// server look through all routers for each row.
func (c *Client) pruneAnywhere(ctx context.Context, s *session, rows *networkRoutes, ids []model.RowID) (left int, err error) {
	t := newTransaction()
	for _, id := range ids {
		t.begin(anyCount)
		t.text(`{"op":"mutate","table":"Logical_Router","where":[["static_routes","includes",`)
		t.uuid(id)
		t.text(`]],"mutations":[["static_routes","delete",`)
		t.uuid(id)
		t.text(`]]}`)
	}
	if err := c.transact(ctx, s, t); err != nil {
		return len(ids), err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return rows.rows, nil
}
