package ovnnb

import (
	"fmt"
	"slices"

	"github.com/ovn-kubernetes/libovsdb/ovsdb"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

const (
	// requestsStay is the priority of the ACLs, which OVN-Kubernetes' own have for this.
	requestsStay = 1000
	toPort       = "to-lport"
	drop         = "drop"
	topology     = "layer2"
)

// snooping has the switch send multicast to who asked for it alone, but for groups that
// nobody asked for. Who asked is known from both sides of the MAC-VRF, so that the switch
// asks nobody itself.
var snooping = map[string]string{"mcast_snoop": "true", "mcast_querier": "false", "mcast_flood_unregistered": "true"}

// macVRFPlan is what has to be changed: each network by itself, and what is left of others.
type macVRFPlan struct {
	states map[string]MACVRFState
	// transactions are by the networks' names, "" for leftovers; those without operations
	// are left out.
	transactions map[string]*transaction
}

// planMACVRFs compares what is wanted with what there is. chassis are the names that the
// node has as a chassis; while there are none, it is not known which pods are here, and
// states are nil.
func planMACVRFs(wanted []MACVRF, rows *macVRFRows, node string, chassis map[string]bool) *macVRFPlan {
	p := &macVRFPlan{states: map[string]MACVRFState{}, transactions: map[string]*transaction{}}
	byNetwork := map[string]bool{}
	for i := range wanted {
		m := &wanted[i]
		byNetwork[m.Network] = true
		t := &transaction{}
		state := MACVRFState{Problem: rows.join(t, m, node)}
		// What is not joined must not have the fabric send here.
		if state.Problem == "" {
			state.Hosts, state.Problem = rows.hostsOf(m, node, chassis)
		}
		p.states[m.Network] = state
		if len(t.operations) > 0 {
			p.transactions[m.Network] = t
		}
	}
	if t := rows.leftovers(byNetwork, node); len(t.operations) > 0 {
		p.transactions[""] = t
	}
	if len(chassis) == 0 {
		p.states = nil
	}
	return p
}

// join plans a network's port, with what belongs to it, and says what keeps it from being
// there.
func (r *macVRFRows) join(t *transaction, m *MACVRF, node string) (problem string) {
	on := r.switches[ovnk.Layer2Switch(m.Network)]
	if on == nil {
		return fmt.Sprintf("OVN has no switch %s yet, which OVN-Kubernetes makes", ovnk.Layer2Switch(m.Network))
	}
	name := ovnk.MACVRFPort(m.Network)
	port := r.byName[name]
	if port != nil && !ours(port.ExternalIDs, node) {
		// OVN-Kubernetes may have made it out of ours, when it began to do so itself.
		r.keepRequests(t, on, &MACVRF{Network: m.Network}, node)
		switch other := port.ExternalIDs[markNode]; {
		case other != "":
			return fmt.Sprintf("the agent of node %s has OVN's logical port %s: a MAC-VRF needs a Northbound database for each node, as OVN-Kubernetes' interconnect has it", other, name)
		case port.ExternalIDs[idNetwork] != m.Network:
			return fmt.Sprintf("OVN has a logical port %s that neither this agent nor OVN-Kubernetes made for the network, and that is left alone; if nothing needs it, remove it (ovn-nbctl lsp-del)", name)
		default:
			return "" // OVN-Kubernetes' own, with all that belongs to it.
		}
	}
	if port == nil {
		t.makePort(on, m.Network, node, r.group(m.Network))
	} else {
		t.correctPort(port)
		if group := r.group(m.Network); group != nil && !slices.Contains(group.Ports, port.UUID) {
			t.into(group, ovsdb.UUID{GoUUID: port.UUID})
		}
	}
	t.configure(on)
	r.keepRequests(t, on, m, node)
	return ""
}

// group is the network's group of router ports, nil where OVN-Kubernetes has no multicast.
func (r *macVRFRows) group(network string) *portGroupRow { return r.groups[controllerOf(network)] }

// controllerOf is the owner that OVN-Kubernetes writes for what belongs to a network.
func controllerOf(network string) string { return network + "-network-controller" }

func (t *transaction) makePort(on *switchRow, network, node string, group *portGroupRow) {
	name := ovnk.MACVRFPort(network)
	atOnce := 0
	t.add(anyCount, ovsdb.Operation{
		Op: ovsdb.OperationWait, Table: tableSwitchPort, Where: named(name), Columns: []string{"name"}, Until: string(ovsdb.WaitConditionNotEqual),
		Rows: []ovsdb.Row{{"name": name}}, Timeout: &atOnce,
	})
	t.add(anyCount, ovsdb.Operation{Op: ovsdb.OperationInsert, Table: tableSwitchPort, UUIDName: "port", Row: ovsdb.Row{
		"name": name, "addresses": ovsdb.OvsSet{GoSet: []any{"unknown"}},
		"external_ids": marks(markOwner, ownerAgent, markNode, node, markNetwork, network, idNetwork, network, idTopology, topology),
	}})
	t.add(rowMustExist, mutated(tableSwitch, on.UUID, "ports", ovsdb.MutateOperationInsert, ovsdb.UUID{GoUUID: "port"}))
	if group != nil {
		t.into(group, ovsdb.UUID{GoUUID: "port"})
	}
}

// correctPort sets back what somebody changed of our port.
func (t *transaction) correctPort(port *switchPortRow) {
	if port.Type == "" && slices.Equal(port.Addresses, []string{"unknown"}) && (port.Enabled == nil || *port.Enabled) && len(port.Options) == 0 {
		return
	}
	t.add(rowMustExist, ovsdb.Operation{Op: ovsdb.OperationUpdate, Table: tableSwitchPort, Where: is(port.UUID), Row: ovsdb.Row{
		"type": "", "addresses": ovsdb.OvsSet{GoSet: []any{"unknown"}}, "enabled": ovsdb.OvsSet{GoSet: []any{}}, "options": ovsdb.OvsMap{},
	}})
}

func (t *transaction) into(group *portGroupRow, port ovsdb.UUID) {
	t.add(anyCount, mutated(tablePortGroup, group.UUID, "ports", ovsdb.MutateOperationInsert, port))
}

// configure sets how the switch forwards multicast. The row is OVN-Kubernetes': nothing else
// of it is touched, and it stays so when the network is gone from the node.
func (t *transaction) configure(on *switchRow) {
	var keys, values []any
	pairs := map[any]any{}
	for _, key := range []string{"mcast_flood_unregistered", "mcast_querier", "mcast_snoop"} {
		if on.Config[key] != snooping[key] {
			keys, values, pairs[key] = append(keys, key), append(values, snooping[key]), snooping[key]
		}
	}
	if len(values) == 0 {
		return
	}
	// An insert leaves a key alone that is there.
	t.add(rowMustExist, ovsdb.Operation{Op: ovsdb.OperationMutate, Table: tableSwitch, Where: is(on.UUID), Mutations: []ovsdb.Mutation{
		*ovsdb.NewMutation("other_config", ovsdb.MutateOperationDelete, ovsdb.OvsSet{GoSet: keys}),
		*ovsdb.NewMutation("other_config", ovsdb.MutateOperationInsert, ovsdb.OvsMap{GoMap: pairs}),
	}})
}

// keepRequests has no request for a gateway's address go to the MAC-VRF: each node has the
// gateway itself, and OVN floods requests to it although they are for one.
func (r *macVRFRows) keepRequests(t *transaction, on *switchRow, m *MACVRF, node string) {
	missing := map[string]bool{}
	for _, gateway := range m.Gateways {
		match := fmt.Sprintf("outport == %q && arp && arp.op == 1 && arp.tpa == %s", ovnk.MACVRFPort(m.Network), gateway)
		if !gateway.Is4() {
			match = fmt.Sprintf("outport == %q && nd_ns && nd.target == %s", ovnk.MACVRFPort(m.Network), gateway)
		}
		missing[match] = true
	}
	for _, acl := range r.acls[m.Network] {
		if !ours(acl.ExternalIDs, node) {
			continue
		}
		if missing[acl.Match] && acl.Direction == toPort && acl.Priority == requestsStay && acl.Action == drop {
			delete(missing, acl.Match)
			continue
		}
		t.add(anyCount, mutated(tableSwitch, on.UUID, "acls", ovsdb.MutateOperationDelete, ovsdb.UUID{GoUUID: acl.UUID}))
	}
	for i, match := range sortedKeys(missing) {
		id := fmt.Sprintf("acl%d", i)
		t.add(anyCount, ovsdb.Operation{Op: ovsdb.OperationInsert, Table: tableACL, UUIDName: id, Row: ovsdb.Row{
			"direction": toPort, "priority": requestsStay, "match": match, "action": drop,
			"external_ids": marks(markOwner, ownerAgent, markNode, node, markNetwork, m.Network),
		}})
		t.add(rowMustExist, mutated(tableSwitch, on.UUID, "acls", ovsdb.MutateOperationInsert, ovsdb.UUID{GoUUID: id}))
	}
}

// leftovers takes ours of networks that are not wanted off their switches. Rows that are in
// no set any more are removed by the server, from port groups, too.
func (r *macVRFRows) leftovers(wanted map[string]bool, node string) *transaction {
	t := &transaction{}
	off := func(column, uuid string) {
		row := ovsdb.UUID{GoUUID: uuid}
		t.add(anyCount, ovsdb.Operation{
			Op: ovsdb.OperationMutate, Table: tableSwitch, Where: []ovsdb.Condition{ovsdb.NewCondition(column, ovsdb.ConditionIncludes, ovsdb.OvsSet{GoSet: []any{row}})},
			Mutations: []ovsdb.Mutation{*ovsdb.NewMutation(column, ovsdb.MutateOperationDelete, ovsdb.OvsSet{GoSet: []any{row}})},
		})
	}
	for _, port := range r.ports {
		if ours(port.ExternalIDs, node) && !wanted[port.ExternalIDs[markNetwork]] {
			off("ports", port.UUID)
		}
	}
	for _, network := range sortedKeys(r.acls) {
		if wanted[network] {
			continue
		}
		for _, acl := range r.acls[network] {
			if ours(acl.ExternalIDs, node) {
				off("acls", acl.UUID)
			}
		}
	}
	return t
}

func named(name string) []ovsdb.Condition {
	return []ovsdb.Condition{ovsdb.NewCondition("name", ovsdb.ConditionEqual, name)}
}

func mutated(table, uuid, column string, mutator ovsdb.Mutator, value ovsdb.UUID) ovsdb.Operation {
	return ovsdb.Operation{
		Op: ovsdb.OperationMutate, Table: table, Where: is(uuid),
		Mutations: []ovsdb.Mutation{*ovsdb.NewMutation(column, mutator, ovsdb.OvsSet{GoSet: []any{value}})},
	}
}
