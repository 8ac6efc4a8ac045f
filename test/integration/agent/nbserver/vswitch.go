package nbserver

import (
	"cmp"
	"os"
	"testing"
)

// VswitchSchemaVariable in the environment names Open vSwitch's schema where it is not
// installed.
const VswitchSchemaVariable = "VSWITCH_SCHEMA"

// VswitchSchema is where Open vSwitch's packages put it.
const VswitchSchema = "/usr/share/openvswitch/vswitch.ovsschema"

// StartVswitch starts a server with the database of a node's Open vSwitch, in which there
// is nothing, for the time of the test.
func StartVswitch(t testing.TB) *Server {
	t.Helper()
	Require(t)
	schema := cmp.Or(os.Getenv(VswitchSchemaVariable), VswitchSchema)
	if _, err := os.Stat(schema); err != nil {
		complain := t.Skipf
		if os.Getenv(RequiredVariable) != "" {
			complain = t.Fatalf
		}
		complain("NOT TESTED: %s is missing; install the package openvswitch-switch, or set %s", schema, VswitchSchemaVariable)
	}
	s := start(t, "Open_vSwitch", schema)
	s.Transact(t, map[string]any{"op": "insert", "table": "Open_vSwitch", "row": map[string]any{}})
	return s
}

// AddBridge adds a bridge as ovs-vsctl add-br does.
func (s *Server) AddBridge(t testing.TB, name string) {
	t.Helper()
	s.Transact(t,
		map[string]any{"op": "insert", "table": "Interface", "uuid-name": "iface", "row": map[string]any{"name": name, "type": "internal"}},
		map[string]any{"op": "insert", "table": "Port", "uuid-name": "port", "row": map[string]any{"name": name, "interfaces": named("iface")}},
		map[string]any{"op": "insert", "table": "Bridge", "uuid-name": "bridge", "row": map[string]any{"name": name, "ports": named("port")}},
		map[string]any{"op": "mutate", "table": "Open_vSwitch", "where": []any{}, "mutations": []any{[]any{"bridges", "insert", named("bridge")}}},
	)
}

// AddPort adds a port with one interface as ovs-vsctl add-port does.
func (s *Server) AddPort(t testing.TB, bridge, name, kind string, portIDs, interfaceIDs map[string]string) {
	t.Helper()
	s.Transact(t,
		map[string]any{"op": "insert", "table": "Interface", "uuid-name": "iface", "row": map[string]any{"name": name, "type": kind, "external_ids": pairsOf(interfaceIDs)}},
		map[string]any{"op": "insert", "table": "Port", "uuid-name": "port", "row": map[string]any{"name": name, "interfaces": named("iface"), "external_ids": pairsOf(portIDs)}},
		map[string]any{"op": "mutate", "table": "Bridge", "where": where("name", bridge), "mutations": []any{[]any{"ports", "insert", named("port")}}},
	)
}

// DeletePort deletes a port as ovs-vsctl del-port does.
func (s *Server) DeletePort(t testing.TB, name string) {
	t.Helper()
	s.Transact(t, map[string]any{"op": "mutate", "table": "Bridge", "where": []any{},
		"mutations": []any{[]any{"ports", "delete", s.RowID(t, "Port", "name", name)}}})
}

// Rows are a table's rows with a value in a column, as OVSDB writes them.
func (s *Server) Rows(t testing.TB, table, column, value string) []map[string]any {
	t.Helper()
	var out []map[string]any
	for _, row := range s.Transact(t, map[string]any{"op": "select", "table": table, "where": where(column, value)})[0]["rows"].([]any) {
		out = append(out, row.(map[string]any))
	}
	return out
}

func named(id string) []string { return []string{"named-uuid", id} }

func where(column, value string) []any { return []any{[]any{column, "==", value}} }

func pairsOf(ids map[string]string) []any {
	pairs := [][]string{}
	for key, value := range ids {
		pairs = append(pairs, []string{key, value})
	}
	return []any{"map", pairs}
}
