package ovnnb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ovn-kubernetes/libovsdb/ovsdb"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// removedAtOnce bounds the rows that one transaction takes off a router.
const removedAtOnce = 1000

// Written is what agents of a node wrote into the database: rows, by gateway
// router. Routes whose port doesn't show their router are under "".
type Written struct {
	Routes, SNAT map[string]int
}

// Remove takes away what agents of the node wrote, when they are uninstalled:
// their static routes, and their limits of SNAT. With dryRun it only reports what
// there is. It tries the endpoints until one works or ctx ends, and after an error it
// may be called again.
func Remove(ctx context.Context, options Options, dryRun bool) (Written, error) {
	c := New(options)
	found := Written{Routes: map[string]int{}, SNAT: map[string]int{}}
	s, err := c.connectAny(ctx)
	if err != nil {
		return found, err
	}
	defer s.end(errors.New("done"))
	c.mu.Lock()
	c.session = s
	c.mu.Unlock()
	return found, errors.Join(c.removeSNAT(ctx, s, found.SNAT, dryRun), c.removeRoutes(ctx, s, found.Routes, dryRun))
}

func (c *Client) connectAny(ctx context.Context) (*session, error) {
	if len(c.options.Endpoints) == 0 {
		return nil, errors.New("no endpoint of the OVN Northbound database is given")
	}
	for attempt := 0; ; attempt++ {
		endpoint := c.options.Endpoints[attempt%len(c.options.Endpoints)]
		s, err := c.connect(ctx, endpoint)
		if err == nil {
			return s, nil
		}
		c.complain(endpoint, err)
		select {
		case <-ctx.Done():
			return nil, errorf("no session: %w", err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// removeRoutes removes in two rounds: first from the routers that the rows' ports
// show, then what is left from whatever router has it.
func (c *Client) removeRoutes(ctx context.Context, s *session, counts map[string]int, dryRun bool) error {
	for round := range 3 {
		rows, err := c.ourRoutes(ctx, s)
		if err != nil || len(rows) == 0 {
			return err
		}
		if round == 0 {
			for router, ids := range rows {
				counts[router] = len(ids)
			}
		}
		if dryRun {
			return nil
		}
		if round == 0 {
			// A default route that OVN-Kubernetes relies on stays.
			if err = c.dropDefaults(ctx, s, ""); err == nil {
				rows, err = c.ourRoutes(ctx, s)
			}
			if err != nil {
				return err
			}
		}
		for router, ids := range rows {
			most := removedAtOnce
			if round > 0 || router == "" {
				router, most = "", anywhereAtMost
			}
			for ; len(ids) > 0; ids = ids[min(most, len(ids)):] {
				var t transaction
				t.remove(router, ids[:min(most, len(ids))])
				if _, err := c.transact(ctx, s, &t); err != nil {
					return err
				}
			}
		}
	}
	return errorf("routes of node %s come back: its agent is still at work, stop it first", c.options.Node)
}

// ourRoutes are the rows of all agents of the node, by router.
func (c *Client) ourRoutes(ctx context.Context, s *session) (map[string][]model.RowID, error) {
	var t transaction
	t.add(anyCount, ovsdb.Operation{
		Op: ovsdb.OperationSelect, Table: tableRoute, Columns: []string{"_uuid", "output_port"},
		Where: []ovsdb.Condition{ovsdb.NewCondition("external_ids", ovsdb.ConditionIncludes, marks(markOwner, ownerAgent, markNode, c.options.Node))},
	})
	results, err := c.transact(ctx, s, &t)
	if err != nil {
		return nil, err
	}
	out := map[string][]model.RowID{}
	for _, row := range results[0].Rows {
		uuid, _ := row["_uuid"].(ovsdb.UUID)
		id, ok := parseRowID(uuid.GoUUID)
		if !ok {
			return nil, errorf("a row has no UUID: %v", row)
		}
		port, _ := row["output_port"].(string)
		router := ovnk.RouterOfExternalPort(port)
		out[router] = append(out[router], id)
	}
	return out, nil
}

// removeSNAT sets rows back that were limited, on the node's routers only: the
// rows of all nodes may be in one database, and have no mark of the node.
func (c *Client) removeSNAT(ctx context.Context, s *session, counts map[string]int, dryRun bool) error {
	var t transaction
	columns := []string{"_uuid"}
	if s.matches {
		columns = append(columns, "match")
	}
	t.add(anyCount, ovsdb.Operation{
		Op: ovsdb.OperationSelect, Table: tableNAT, Columns: columns,
		Where: []ovsdb.Condition{ovsdb.NewCondition("external_ids", ovsdb.ConditionIncludes, marks(markSNAT, toNodes))},
	})
	t.add(anyCount, ovsdb.Operation{Op: ovsdb.OperationSelect, Table: tableRouter, Columns: []string{"name", "nat"}, Where: []ovsdb.Condition{}})
	results, err := c.transact(ctx, s, &t)
	if err != nil {
		return err
	}
	limited := map[string]string{}
	for _, row := range results[0].Rows {
		uuid, _ := row["_uuid"].(ovsdb.UUID)
		match, _ := row["match"].(string)
		limited[uuid.GoUUID] = (&natMatchRow{Match: match, ExternalIDs: map[string]string{markSNAT: toNodes}}).before()
	}
	var found SNAT
	for _, row := range results[1].Rows {
		name, _ := row["name"].(string)
		if !ofNode(name, c.options.Node) {
			continue
		}
		for _, uuid := range references(row["nat"]) {
			if match, ours := limited[uuid]; ours {
				found.edits = append(found.edits, natEdit{row: uuid, match: match})
				counts[name]++
			}
		}
	}
	if dryRun {
		return nil
	}
	if err := (&Network{client: c}).CommitSNAT(ctx, found); err != nil {
		return fmt.Errorf("SNAT is not set back: %w", err)
	}
	return nil
}

// ofNode reports whether a router is a gateway router of the node. Names of nodes have
// no underscore.
func ofNode(router, node string) bool {
	return strings.HasPrefix(router, "GR_") && router[strings.LastIndexByte(router, '_')+1:] == node
}

// references are the UUIDs of a set, which is written as its element where it
// has one only.
func references(set any) (out []string) {
	elements := []any{set}
	if s, ok := set.(ovsdb.OvsSet); ok {
		elements = s.GoSet
	}
	for _, e := range elements {
		if uuid, ok := e.(ovsdb.UUID); ok {
			out = append(out, uuid.GoUUID)
		}
	}
	return out
}
