package ovnnb

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/cespare/xxhash/v2"
	"github.com/ovn-kubernetes/libovsdb/ovsdb"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// The marks of our rows, in external_ids. The node is part of them because in
// one Northbound database for all nodes there are many agents, the network is
// for people, and the part lets rows be read in parts.
const (
	markOwner   = "ovnbgp.io/owner"
	markNode    = "ovnbgp.io/node"
	markNetwork = "ovnbgp.io/network"
	markPart    = "ovnbgp.io/part"
	ownerAgent  = "agent"

	// parts is into how many parts the rows are divided. libovsdb decodes a
	// reply as a whole, so this bounds what reading them takes; each part has
	// the server look through all rows once.
	parts = 8
)

// outcome is what an operation that changed no row means.
type outcome uint8

const (
	anyCount outcome = iota
	rowMustExist
	routerMustExist
)

// transaction is a list of operations.
type transaction struct {
	operations []ovsdb.Operation
	// counted says for each operation whether it must have changed exactly one
	// row, and what it means if it hasn't.
	counted []outcome
}

func (t *transaction) add(o outcome, operation ovsdb.Operation) {
	t.operations = append(t.operations, operation)
	t.counted = append(t.counted, o)
}

// change adds the operations for changes of routes on one router. The set of
// the router's routes is changed once, because ovsdb-server copies it. Inserts
// keep their order.
func (t *transaction) change(router string, network *networkRoutes, changes []model.RowChange) {
	var inserted, deleted []any
	for i := range changes {
		c := &changes[i]
		switch c.Verb {
		case model.RowInsert:
			name := "r" + strconv.Itoa(i)
			t.add(anyCount, ovsdb.Operation{Op: ovsdb.OperationInsert, Table: tableRoute, UUIDName: name, Row: insertedRow(network, c)})
			inserted = append(inserted, ovsdb.UUID{GoUUID: name})
		case model.RowUpdate:
			// Its marks stay as they are. Another part would move the row from one
			// monitor to another. ovsdb-server reports the insert before the delete,
			// for which libovsdb gives up the session. The part may be one that an
			// earlier agent chose in another way.
			row := columnsOf(network, c)
			row["route_table"], row["policy"], row["bfd"], row["options"] = "", ovsdb.OvsSet{}, ovsdb.OvsSet{}, ovsdb.OvsMap{}
			t.add(rowMustExist, ovsdb.Operation{Op: ovsdb.OperationUpdate, Table: tableRoute, Where: is(formatRowID(c.ID)), Row: row})
		case model.RowDelete:
			deleted = append(deleted, ovsdb.UUID{GoUUID: formatRowID(c.ID)})
		}
	}
	var mutations []ovsdb.Mutation
	if len(inserted) > 0 {
		mutations = append(mutations, *ovsdb.NewMutation("static_routes", ovsdb.MutateOperationInsert, ovsdb.OvsSet{GoSet: inserted}))
	}
	if len(deleted) > 0 {
		// A row that is in no set any more is removed by the server.
		mutations = append(mutations, *ovsdb.NewMutation("static_routes", ovsdb.MutateOperationDelete, ovsdb.OvsSet{GoSet: deleted}))
	}
	if len(mutations) > 0 {
		t.add(routerMustExist, ovsdb.Operation{Op: ovsdb.OperationMutate, Table: tableRouter, Where: is(router), Mutations: mutations})
	}
}

// remove adds operations that take rows off a router, or off whatever router
// has them: for that the server looks through all routers for each row.
func (t *transaction) remove(router string, ids []model.RowID) {
	set := make([]any, 0, len(ids))
	for _, id := range ids {
		set = append(set, ovsdb.UUID{GoUUID: formatRowID(id)})
	}
	off := func(where ovsdb.Condition, rows ...any) {
		t.add(anyCount, ovsdb.Operation{
			Op: ovsdb.OperationMutate, Table: tableRouter, Where: []ovsdb.Condition{where},
			Mutations: []ovsdb.Mutation{*ovsdb.NewMutation("static_routes", ovsdb.MutateOperationDelete, ovsdb.OvsSet{GoSet: rows})},
		})
	}
	if router != "" {
		off(ovsdb.NewCondition("name", ovsdb.ConditionEqual, router), set...)
		return
	}
	for _, id := range set {
		off(ovsdb.NewCondition("static_routes", ovsdb.ConditionIncludes, id), id)
	}
}

func columnsOf(network *networkRoutes, c *model.RowChange) ovsdb.Row {
	return ovsdb.Row{"ip_prefix": c.Prefix.String(), "nexthop": formatNextHop(c.NextHop), "output_port": network.port}
}

func insertedRow(network *networkRoutes, c *model.RowChange) ovsdb.Row {
	row := columnsOf(network, c)
	row["external_ids"] = network.marks[xxhash.Sum64String(row["ip_prefix"].(string))%parts]
	return row
}

// marksOf are the external_ids of a network's rows, by part. They are encoded
// once, because there may be a hundred thousand rows with the same.
func marksOf(network, node string) (out [parts]json.RawMessage) {
	for part := range out {
		out[part], _ = json.Marshal(marks(markOwner, ownerAgent, markNode, node, markNetwork, network, markPart, strconv.Itoa(part)))
	}
	return out
}

// marks makes a map of pairs of strings.
func marks(pairs ...string) ovsdb.OvsMap {
	out := make(map[any]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = pairs[i+1]
	}
	return ovsdb.OvsMap{GoMap: out}
}

func is(uuid string) []ovsdb.Condition {
	return []ovsdb.Condition{ovsdb.NewCondition("_uuid", ovsdb.ConditionEqual, ovsdb.UUID{GoUUID: uuid})}
}

// check returns why a transaction failed, if it did. A reply has one result per
// operation, and one more if the commit as a whole failed (RFC 7047, 4.1.3).
func (t *transaction) check(results []ovsdb.OperationResult) error {
	if failed, err := ovsdb.CheckOperationResults(results, t.operations); err != nil {
		for _, f := range failed {
			err = fmt.Errorf("%w: %w", err, f)
		}
		return errorf("the transaction failed: %w", err)
	}
	missed := anyCount
	for i, o := range t.counted {
		if o != anyCount && results[i].Count != 1 {
			missed = max(missed, o)
		}
	}
	switch missed {
	case routerMustExist:
		return ErrNoRouter
	case rowMustExist:
		return ErrRowChanged
	default:
		return nil
	}
}
