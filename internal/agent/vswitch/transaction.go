package vswitch

import (
	"errors"
	"fmt"

	"github.com/ovn-kubernetes/libovsdb/ovsdb"
)

// errChanged is returned where somebody changed a port, or the bridge, between a look at
// it and the transaction. Doing it again helps.
var errChanged = errors.New("somebody changed the same port or bridge meanwhile")

// outcome is how many rows an operation must have changed.
type outcome uint8

const (
	anyCount outcome = iota
	oneRow
)

// transaction is a list of operations of which either all or none are done.
type transaction struct {
	operations []ovsdb.Operation
	counted    []outcome
}

func (t *transaction) add(o outcome, operation ovsdb.Operation) {
	t.operations = append(t.operations, operation)
	t.counted = append(t.counted, o)
}

// ensure has the transaction fail unless the rows of the condition have, or have not, a
// value.
func (t *transaction) ensure(until ovsdb.WaitCondition, table string, where []ovsdb.Condition, column string, value any) {
	atOnce := 0
	t.add(anyCount, ovsdb.Operation{
		Op: ovsdb.OperationWait, Table: table, Where: where, Columns: []string{column}, Until: string(until),
		Rows: []ovsdb.Row{{column: value}}, Timeout: &atOnce,
	})
}

// selected looks for a row by its name.
func selected(table, name string, columns ...string) ovsdb.Operation {
	return ovsdb.Operation{Op: ovsdb.OperationSelect, Table: table, Where: equal("name", name), Columns: columns}
}

func equal(column string, value any) []ovsdb.Condition {
	return []ovsdb.Condition{ovsdb.NewCondition(column, ovsdb.ConditionEqual, value)}
}

func is(uuid string) []ovsdb.Condition { return equal("_uuid", ovsdb.UUID{GoUUID: uuid}) }

// mutated changes a column that is a set or a map.
func mutated(table string, where []ovsdb.Condition, column string, mutator ovsdb.Mutator, value any) ovsdb.Operation {
	return ovsdb.Operation{
		Op: ovsdb.OperationMutate, Table: table, Where: where,
		Mutations: []ovsdb.Mutation{*ovsdb.NewMutation(column, mutator, value)},
	}
}

// pairs makes a map of strings.
func pairs(words ...string) ovsdb.OvsMap {
	out := make(map[any]any, len(words)/2)
	for i := 0; i < len(words); i += 2 {
		out[words[i]] = words[i+1]
	}
	return ovsdb.OvsMap{GoMap: out}
}

// setOf makes a set; libovsdb writes one of nil as null.
func setOf(values ...any) ovsdb.OvsSet { return ovsdb.OvsSet{GoSet: append([]any{}, values...)} }

// check returns why a transaction failed, if it did. A reply has one result per
// operation, and one more if the commit as a whole failed (RFC 7047, 4.1.3).
func (t *transaction) check(results []ovsdb.OperationResult) error {
	for i, result := range results {
		if result.Error == "timed out" && i < len(t.operations) && t.operations[i].Op == ovsdb.OperationWait {
			return errChanged
		}
	}
	if failed, err := ovsdb.CheckOperationResults(results, t.operations); err != nil {
		for _, f := range failed {
			err = fmt.Errorf("%w: %w", err, f)
		}
		return err
	}
	for i, o := range t.counted {
		if o == oneRow && results[i].Count != 1 {
			return errChanged
		}
	}
	return nil
}
