package ovnnb

import (
	"net/netip"
	"slices"
	"time"

	"github.com/ovn-kubernetes/libovsdb/ovsdb"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

const (
	// unmarkedInterval is how often rows without marks are looked at while there
	// are some: the server sends no event when they go.
	unmarkedInterval = 5 * time.Second
	// vanishedAtMost bounds the rows that are remembered after they left our
	// monitors; mostly they were deleted.
	vanishedAtMost = 1000
)

// UnmarkedRow is a row that says what a row of ours says, but not whose it is.
// Most likely the external_ids of one of ours were removed, and the agent then wrote
// the row again. Nothing withdraws it any more. But it may as well be a row that an
// administrator made, so it is reported and never changed.
type UnmarkedRow struct {
	ID      model.RowID
	Prefix  netip.Prefix
	NextHop netip.Addr
}

// UUID is the row's name in the database.
func (r UnmarkedRow) UUID() string { return formatRowID(r.ID) }

// unmarked are the rows without marks of an owner.
type unmarked struct {
	// byPort are rows as we would write them, whatever they say.
	byPort map[string][]UnmarkedRow
	// twins are those of them that were ours, or once said the same.
	twins  map[model.RowID]struct{}
	looked time.Time
}

// Unmarked returns rows on the network's router that equal rows which we write
// or wrote, but have no owner; sorted.
func (n *Network) Unmarked() (out []UnmarkedRow) {
	c := n.client
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, row := range c.unmarked.byPort[n.rows.port] {
		if n.rows.has(row.Prefix, row.NextHop) {
			c.unmarked.twins[row.ID] = struct{}{}
		}
		if _, twin := c.unmarked.twins[row.ID]; twin {
			out = append(out, row)
		}
	}
	return out
}

func (n *networkRoutes) has(prefix netip.Prefix, hop netip.Addr) bool {
	for row := n.byPrefix[prefix]; row != nil; row = row.next {
		if row.hop == hop {
			return true
		}
	}
	return false
}

// noteVanished notes a row that left our monitors other than by a transaction of
// ours: deleted, or stripped of its marks.
func (r *routes) noteVanished(id model.RowID) {
	if len(r.vanished) < vanishedAtMost {
		r.vanished[id] = struct{}{}
	}
}

// unmarkedDue reports whether to look for rows without marks now.
func (c *Client) unmarkedDue() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.routes.vanished) > 0 || len(c.unmarked.twins) > 0 && time.Since(c.unmarked.looked) >= unmarkedInterval
}

// findUnmarked looks for rows on watched routers that are as we write them but
// for their marks. A monitor can't do this: its conditions are alternatives, and most
// rows without our marks are not ours.
func (c *Client) findUnmarked(s *session) error {
	c.mu.Lock()
	vanished := c.routes.vanished
	c.routes.vanished = map[model.RowID]struct{}{}
	var t transaction
	for _, n := range c.watched {
		t.selectUnmarked(n.rows.port, c.options.Node)
	}
	c.mu.Unlock()
	found := map[string][]UnmarkedRow{}
	if len(t.operations) > 0 {
		results, err := c.transact(s.ctx, s, &t)
		if err != nil {
			return err
		}
		for _, result := range results {
			for _, row := range result.Rows {
				if out, ok := readUnmarked(row); ok {
					found[portOf(row)] = append(found[portOf(row)], out)
				}
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.replaceUnmarked(found, vanished)
	return nil
}

func (c *Client) replaceUnmarked(found map[string][]UnmarkedRow, vanished map[model.RowID]struct{}) {
	before, twins := c.unmarked, map[model.RowID]struct{}{}
	for _, rows := range found {
		slices.SortFunc(rows, func(a, b UnmarkedRow) int {
			if order := a.Prefix.Compare(b.Prefix); order != 0 {
				return order
			}
			return slices.Compare(a.ID[:], b.ID[:])
		})
		for _, row := range rows {
			_, known := before.twins[row.ID]
			if _, gone := vanished[row.ID]; gone || known {
				twins[row.ID] = struct{}{}
			}
		}
	}
	c.unmarked = unmarked{byPort: found, twins: twins, looked: time.Now()}
	c.notify(func(n *Network) bool { return !slices.Equal(found[n.rows.port], before.byPort[n.rows.port]) })
}

// selectUnmarked asks for rows that are plain and not wholly marked as ours, nor
// as those of OVN-Kubernetes' route import, of which there may be very many.
func (t *transaction) selectUnmarked(port, node string) {
	plain := []ovsdb.Condition{
		ovsdb.NewCondition("output_port", ovsdb.ConditionEqual, port),
		ovsdb.NewCondition("route_table", ovsdb.ConditionEqual, ""),
		ovsdb.NewCondition("policy", ovsdb.ConditionEqual, ovsdb.OvsSet{GoSet: []any{}}),
		ovsdb.NewCondition("bfd", ovsdb.ConditionEqual, ovsdb.OvsSet{GoSet: []any{}}),
		ovsdb.NewCondition("options", ovsdb.ConditionEqual, marks()),
	}
	for _, where := range [][]ovsdb.Condition{
		{ovsdb.NewCondition("external_ids", ovsdb.ConditionExcludes, marks(markOwner, ownerAgent, ovnk.ExternalIDOwner, ovnk.OwnerRouteImport))},
		{
			ovsdb.NewCondition("external_ids", ovsdb.ConditionIncludes, marks(markOwner, ownerAgent)),
			ovsdb.NewCondition("external_ids", ovsdb.ConditionExcludes, marks(markNode, node)),
		},
	} {
		t.add(anyCount, ovsdb.Operation{
			Op: ovsdb.OperationSelect, Table: tableRoute, Where: slices.Concat(plain, where),
			Columns: []string{"_uuid", "ip_prefix", "nexthop", "output_port", "external_ids"},
		})
	}
}

// readUnmarked reads a row; ok is false if it has an owner, or is not as we write
// them. Default routes are OVN-Kubernetes' own, and those that we left to it.
func readUnmarked(row ovsdb.Row) (out UnmarkedRow, ok bool) {
	ids, _ := row["external_ids"].(ovsdb.OvsMap)
	for key := range ids.GoMap {
		// Another value of the owner or the node is another owner.
		if key != markNetwork && key != markPart && (key != markOwner || ids.GoMap[key] != ownerAgent) {
			if _, whole := ids.GoMap[markOwner]; whole || key != markNode {
				return out, false
			}
		}
	}
	uuid, _ := row["_uuid"].(ovsdb.UUID)
	text := staticRoute{}
	text.Prefix, _ = row["ip_prefix"].(string)
	text.NextHop, _ = row["nexthop"].(string)
	out.ID, ok = parseRowID(uuid.GoUUID)
	out.Prefix = text.parsePrefix()
	hop, known := text.parseNextHop()
	out.NextHop = hop
	return out, ok && known && out.Prefix.IsValid() && out.Prefix.Bits() > 0
}
