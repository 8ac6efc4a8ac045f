package vswitch

import (
	"context"
	"errors"
	"fmt"

	"github.com/ovn-kubernetes/libovsdb/ovsdb"
)

// attempts is how often a change is tried that somebody else's changes get in the way of.
const attempts = 3

// found is what the database has under a name.
type found struct {
	// bridge is the integration bridge's row, "" if there is none, and holder the name of
	// the bridge that has the port.
	bridge, holder string
	// port and iface are rows, "" if there are none of the name.
	port, iface string
	row
	portIDs map[string]string
	// apart is set where the interface of the name is not the port's only one.
	apart bool
}

func (f *found) ours() bool { return f.port != "" && f.iface != "" && !f.apart && f.row.ours() }

// find reads from the database, not from what was last told of it.
func (c *Client) find(ctx context.Context, s *session, name string) (*found, error) {
	var t transaction
	t.add(anyCount, selected(tableBridge, c.options.Bridge, "_uuid"))
	t.add(anyCount, selected(tablePort, name, "_uuid", "interfaces", "external_ids"))
	t.add(anyCount, selected(tableInterface, name, "_uuid", "type", "mtu_request", "external_ids"))
	results, err := s.transact(ctx, &t)
	if err != nil {
		return nil, err
	}
	out := &found{}
	for _, bridge := range results[0].Rows {
		out.bridge = uuidOf(bridge["_uuid"])
	}
	for _, iface := range results[2].Rows {
		out.iface, out.ExternalIDs = uuidOf(iface["_uuid"]), stringMap(iface["external_ids"])
		out.Type, _ = iface["type"].(string)
		out.MTU = numberOf(iface["mtu_request"])
	}
	for _, port := range results[1].Rows {
		out.port, out.portIDs = uuidOf(port["_uuid"]), stringMap(port["external_ids"])
		out.apart = uuidOf(port["interfaces"]) != out.iface
	}
	if out.port == "" {
		return out, nil
	}
	t = transaction{}
	t.add(anyCount, ovsdb.Operation{Op: ovsdb.OperationSelect, Table: tableBridge, Columns: []string{"name"}, Where: having(out.port)})
	if results, err = s.transact(ctx, &t); err != nil {
		return nil, err
	}
	for _, bridge := range results[0].Rows {
		out.holder, _ = bridge["name"].(string)
	}
	return out, nil
}

// having are bridges with a port.
func having(port string) []ovsdb.Condition {
	return []ovsdb.Condition{ovsdb.NewCondition("ports", ovsdb.ConditionIncludes, setOf(ovsdb.UUID{GoUUID: port}))}
}

// uuidOf reads a reference, or a set with one in it; "" for anything else.
func uuidOf(value any) string {
	if set, isSet := value.(ovsdb.OvsSet); isSet && len(set.GoSet) == 1 {
		value = set.GoSet[0]
	}
	id, _ := value.(ovsdb.UUID)
	return id.GoUUID
}

// numberOf reads an optional number.
func numberOf(value any) *int {
	if set, isSet := value.(ovsdb.OvsSet); isSet && len(set.GoSet) == 1 {
		value = set.GoSet[0]
	}
	switch number := value.(type) {
	case int:
		return &number
	case float64:
		whole := int(number)
		return &whole
	default:
		return nil
	}
}

// Add makes a port, and corrects a port of ours that differs. A port or an interface of
// the name that is not ours stays as it is and is an error.
func (c *Client) Add(ctx context.Context, port Port) error {
	err := port.check()
	if err == nil {
		err = c.change(ctx, port.Name, func(now *found) (*transaction, error) {
			if now.bridge == "" {
				return nil, fmt.Errorf("bridge %s is not in Open vSwitch; ovn-controller makes it: is it running on this node?", c.options.Bridge)
			}
			if now.port == "" && now.iface == "" {
				return created(now.bridge, c.options.Bridge, port), nil
			}
			if !now.ours() {
				return nil, foreign(now)
			}
			return corrected(now, c.options.Bridge, port), nil
		})
	}
	if err != nil {
		return fmt.Errorf("port %s of Open vSwitch: %w", port.Name, err)
	}
	return nil
}

// Delete removes a port of ours. One that is gone is no error, one that isn't ours is.
func (c *Client) Delete(ctx context.Context, name string) error {
	err := c.change(ctx, name, func(now *found) (*transaction, error) {
		if now.port == "" && now.iface == "" {
			return &transaction{}, nil
		}
		if !now.ours() {
			return nil, foreign(now)
		}
		t := &transaction{}
		t.ours(now.iface)
		t.add(oneRow, mutated(tableBridge, having(now.port), "ports", ovsdb.MutateOperationDelete, setOf(ovsdb.UUID{GoUUID: now.port})))
		return t, nil
	})
	if err != nil {
		return fmt.Errorf("port %s of Open vSwitch: %w", name, err)
	}
	return nil
}

// change does what plan says about what is there; again if that changed meanwhile.
func (c *Client) change(ctx context.Context, name string, plan func(*found) (*transaction, error)) error {
	s, err := c.current()
	if err != nil {
		return err
	}
	for range attempts {
		var now *found
		if now, err = c.find(ctx, s, name); err != nil {
			return err
		}
		t, refused := plan(now)
		if refused != nil || len(t.operations) == 0 {
			return refused
		}
		if _, err = s.transact(ctx, t); !errors.Is(err, errChanged) {
			return err
		}
	}
	return err
}

func foreign(now *found) error {
	if now.apart {
		return errors.New("there is another port or interface of this name, which this agent did not make and leaves alone; remove or rename it (ovs-vsctl del-port)")
	}
	return fmt.Errorf("it is %s, which this agent did not make and leaves alone; if nothing needs it, remove it (ovs-vsctl del-port)", owner(now.portIDs, now.ExternalIDs))
}

// ours has the transaction fail unless an interface still has our mark.
func (t *transaction) ours(iface string) {
	marked := append(is(iface), ovsdb.NewCondition("external_ids", ovsdb.ConditionIncludes, pairs(markManaged, managedBy)))
	t.ensure(ovsdb.WaitConditionEqual, tableInterface, marked, "_uuid", ovsdb.UUID{GoUUID: iface})
}

func mtu(port Port) ovsdb.OvsSet {
	if port.MTU == 0 {
		return setOf()
	}
	return setOf(int(port.MTU))
}

// created makes a port if the bridge is the one that was seen, and the name is still free.
func created(bridge, bridgeName string, port Port) *transaction {
	t := &transaction{}
	t.ensure(ovsdb.WaitConditionEqual, tableBridge, equal("name", bridgeName), "_uuid", ovsdb.UUID{GoUUID: bridge})
	for _, table := range []string{tablePort, tableInterface} {
		t.ensure(ovsdb.WaitConditionNotEqual, table, equal("name", port.Name), "name", port.Name)
	}
	t.add(anyCount, ovsdb.Operation{Op: ovsdb.OperationInsert, Table: tableInterface, UUIDName: "iface", Row: ovsdb.Row{
		"name": port.Name, "type": typeInternal, "mtu_request": mtu(port),
		"external_ids": pairs(markManaged, managedBy, ifaceID, port.LogicalPort),
	}})
	t.add(anyCount, ovsdb.Operation{Op: ovsdb.OperationInsert, Table: tablePort, UUIDName: "port", Row: ovsdb.Row{
		"name": port.Name, "interfaces": ovsdb.UUID{GoUUID: "iface"}, "external_ids": pairs(markManaged, managedBy),
	}})
	t.add(oneRow, mutated(tableBridge, is(bridge), "ports", ovsdb.MutateOperationInsert, setOf(ovsdb.UUID{GoUUID: "port"})))
	return t
}

// corrected changes what differs of a port of ours.
func corrected(now *found, bridgeName string, port Port) *transaction {
	t := &transaction{}
	have := now.row.port()
	if now.Type != typeInternal || have.MTU != port.MTU {
		t.add(oneRow, ovsdb.Operation{Op: ovsdb.OperationUpdate, Table: tableInterface, Where: is(now.iface), Row: ovsdb.Row{
			"type": typeInternal, "mtu_request": mtu(port),
		}})
	}
	if have.LogicalPort != port.LogicalPort {
		// An insert leaves a key alone that is there, so the old one goes first.
		t.add(oneRow, mutated(tableInterface, is(now.iface), "external_ids", ovsdb.MutateOperationDelete, setOf(ifaceID)))
		t.add(oneRow, mutated(tableInterface, is(now.iface), "external_ids", ovsdb.MutateOperationInsert, pairs(ifaceID, port.LogicalPort)))
	}
	if now.holder != bridgeName {
		t.add(anyCount, mutated(tableBridge, having(now.port), "ports", ovsdb.MutateOperationDelete, setOf(ovsdb.UUID{GoUUID: now.port})))
		t.add(oneRow, mutated(tableBridge, is(now.bridge), "ports", ovsdb.MutateOperationInsert, setOf(ovsdb.UUID{GoUUID: now.port})))
	}
	if len(t.operations) == 0 {
		return t
	}
	checked := &transaction{}
	checked.ours(now.iface)
	checked.operations = append(checked.operations, t.operations...)
	checked.counted = append(checked.counted, t.counted...)
	return checked
}
