package nbserver

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// StartWithMatch is Start with the column match in the table NAT, also where the
// machine's OVN is too old for it.
func StartWithMatch(t testing.TB) *Server {
	t.Helper()
	return startWith(t, func(columns map[string]any) { columns["match"] = map[string]any{"type": "string"} })
}

// StartWithoutMatch is Start without that column, also where the machine's OVN
// has it.
func StartWithoutMatch(t testing.TB) *Server {
	t.Helper()
	return startWith(t, func(columns map[string]any) { delete(columns, "match") })
}

// startWith starts a server whose table NAT has other columns.
func startWith(t testing.TB, change func(columns map[string]any)) *Server {
	t.Helper()
	Require(t)
	schema := readSchema(t)
	change(columnsOfNAT(schema))
	// The sum of the original text no longer holds.
	delete(schema, "cksum")
	text, err := json.Marshal(schema)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "schema")
	if err = os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return start(t, northbound, path)
}

func readSchema(t testing.TB) map[string]any {
	t.Helper()
	text, err := os.ReadFile(Schema)
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err = json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	return schema
}

func columnsOfNAT(schema map[string]any) map[string]any {
	return schema["tables"].(map[string]any)["NAT"].(map[string]any)["columns"].(map[string]any)
}

// LimitedSNAT tells of each logical IP whether the destinations of a NAT row of it
// are limited, by match or by reference.
func (s *Server) LimitedSNAT(t testing.TB) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, row := range s.natRows(t) {
		match, _ := row["match"].(string)
		logical := row["logical_ip"].(string)
		out[logical] = out[logical] || match != "" || row["allowed_ext_ips"].([]any)[0] == "uuid"
	}
	return out
}

// FreeSNAT lifts every limit, as OVN-Kubernetes does when it syncs its gateway,
// and sets what other columns are given.
func (s *Server) FreeSNAT(t testing.TB, others map[string]any) {
	t.Helper()
	row := map[string]any{"allowed_ext_ips": []any{"set", []any{}}}
	for _, have := range s.natRows(t) {
		if _, found := have["match"]; found {
			row["match"] = ""
		}
	}
	maps.Copy(row, others)
	s.Transact(t, map[string]any{"op": "update", "table": "NAT", "where": []any{}, "row": row})
}

func (s *Server) natRows(t testing.TB) []map[string]any {
	t.Helper()
	var out []map[string]any
	for _, row := range s.Transact(t, map[string]any{"op": "select", "table": "NAT", "where": []any{}})[0]["rows"].([]any) {
		out = append(out, row.(map[string]any))
	}
	return out
}
