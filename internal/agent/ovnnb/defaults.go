package ovnnb

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/ovn-kubernetes/libovsdb/ovsdb"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// OVN-Kubernetes finds the default routes of a gateway router by their output
// port, prefix and policy, whoever wrote them, and deletes or adopts what it
// finds. So no agent writes such rows any more; those of earlier versions go.
var defaults = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}

// Defaults counts our rows that are default routes.
func (n *Network) Defaults() (count int) {
	n.client.mu.Lock()
	defer n.client.mu.Unlock()
	for _, prefix := range defaults {
		for row := n.rows.byPrefix[prefix]; row != nil; row = row.next {
			count++
		}
	}
	return count
}

// DropDefaults removes our rows that are default routes. Where the router has
// no other, OVN-Kubernetes may have adopted one of ours in place of its own:
// that stays, without our marks, for OVN-Kubernetes to keep.
func (n *Network) DropDefaults(ctx context.Context) error {
	n.client.mu.Lock()
	s := n.client.session
	n.client.mu.Unlock()
	if s == nil {
		return ErrDisconnected
	}
	return n.client.dropDefaults(ctx, s, n.rows.port)
}

// dropDefaults does that for the router with a port, "" for all of the node.
func (c *Client) dropDefaults(ctx context.Context, s *session, port string) error {
	var t transaction
	for _, prefix := range defaults {
		t.add(anyCount, ovsdb.Operation{
			Op: ovsdb.OperationSelect, Table: tableRoute, Columns: []string{"_uuid", "ip_prefix", "output_port", "policy", "external_ids"},
			Where: []ovsdb.Condition{ovsdb.NewCondition("ip_prefix", ovsdb.ConditionEqual, prefix.String())},
		})
	}
	results, err := c.transact(ctx, s, &t)
	if err != nil {
		return err
	}
	ours, others := map[defaultPlace][]string{}, map[defaultPlace]bool{}
	for _, row := range slices.Concat(results[0].Rows, results[1].Rows) {
		uuid, _ := row["_uuid"].(ovsdb.UUID)
		prefix, _ := row["ip_prefix"].(string)
		at := defaultPlace{portOf(row), prefix}
		ids, _ := row["external_ids"].(ovsdb.OvsMap)
		switch {
		case ids.GoMap[markOwner] == ownerAgent && ids.GoMap[markNode] == c.options.Node:
			if port == "" || at.port == port {
				ours[at] = append(ours[at], uuid.GoUUID)
			}
		case row["policy"] != "src-ip":
			others[at] = true
		}
	}
	t = transaction{}
	for at, uuids := range ours {
		// The choice must be steady.
		slices.SortFunc(uuids, strings.Compare)
		if !others[at] {
			t.disown(uuids[0])
			uuids = uuids[1:]
		}
		for _, uuid := range uuids {
			if id, ok := parseRowID(uuid); ok {
				t.remove(ovnk.RouterOfExternalPort(at.port), []model.RowID{id})
			}
		}
	}
	if len(t.operations) == 0 {
		return nil
	}
	_, err = c.transact(ctx, s, &t)
	return err
}

// defaultPlace is what OVN-Kubernetes finds default routes by.
type defaultPlace struct{ port, prefix string }

// portOf is a row's output_port, "" for none.
func portOf(row ovsdb.Row) string {
	port, _ := row["output_port"].(string)
	return port
}

// disown takes our marks off a row.
func (t *transaction) disown(uuid string) {
	marks := ovsdb.OvsSet{GoSet: []any{markOwner, markNode, markNetwork, markPart}}
	t.add(anyCount, ovsdb.Operation{
		Op: ovsdb.OperationMutate, Table: tableRoute, Where: is(uuid),
		Mutations: []ovsdb.Mutation{*ovsdb.NewMutation("external_ids", ovsdb.MutateOperationDelete, marks)},
	})
}

// spareDefaults has dropDefaults deal with default routes among leftovers, and with
// rows that may be default routes because it is not known what they are. It returns the
// rest.
func (c *Client) spareDefaults(ctx context.Context, s *session, networks []string, limit int, rows []leftover) ([]leftover, error) {
	isDefault := func(row leftover) bool { return slices.Contains(defaults, row.prefix) }
	mayBe := func(row leftover) bool { return !row.prefix.IsValid() || isDefault(row) }
	if !slices.ContainsFunc(rows, mayBe) {
		return rows, nil
	}
	if err := c.dropDefaults(ctx, s, ""); err != nil {
		return nil, err
	}
	if err := c.findLost(s); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(c.routes.leftovers(networks, limit), isDefault), nil
}
