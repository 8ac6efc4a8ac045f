package nbserver

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// Routes returns the routes that are on a router, sorted, with the value of
// ownerKey in their external_ids as the owner.
func (s *Server) Routes(t testing.TB, router, ownerKey string) []Route {
	t.Helper()
	answer := s.Transact(t,
		map[string]any{"op": "select", "table": "Logical_Router", "where": []any{[]any{"name", "==", router}}, "columns": []string{"static_routes"}},
		map[string]any{"op": "select", "table": "Logical_Router_Static_Route", "where": []any{}},
	)
	rows := answer[0]["rows"].([]any)
	if len(rows) == 0 {
		return nil
	}
	on := map[string]bool{}
	for _, id := range elements(rows[0].(map[string]any)["static_routes"]) {
		on[id] = true
	}
	out := []Route{}
	for _, item := range answer[1]["rows"].([]any) {
		row := item.(map[string]any)
		if !on[elements(row["_uuid"])[0]] {
			continue
		}
		r := Route{Prefix: row["ip_prefix"].(string), NextHop: row["nexthop"].(string)}
		if ports := elements(row["output_port"]); len(ports) > 0 {
			r.Port = ports[0]
		}
		for _, pair := range row["external_ids"].([]any)[1].([]any) {
			if pair.([]any)[0] == ownerKey {
				r.Owner = pair.([]any)[1].(string)
			}
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b Route) int { return strings.Compare(a.String(), b.String()) })
	return out
}

// elements reads OVSDB's notation of a set, a UUID or a string.
func elements(value any) []string {
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		switch v[0] {
		case "uuid":
			return []string{v[1].(string)}
		case "set":
			var out []string
			for _, element := range v[1].([]any) {
				out = append(out, elements(element)...)
			}
			return out
		}
	}
	text, _ := json.Marshal(value)
	return []string{string(text)}
}

// RowID returns the UUID, as operations write it, of the first row whose
// column has the value.
func (s *Server) RowID(t testing.TB, table, column, value string) any {
	t.Helper()
	answer := s.Transact(t, map[string]any{"op": "select", "table": table, "where": []any{[]any{column, "==", value}}, "columns": []string{"_uuid"}})
	rows := answer[0]["rows"].([]any)
	if len(rows) == 0 {
		t.Fatalf("no row of %s has the %s %s", table, column, value)
	}
	return rows[0].(map[string]any)["_uuid"]
}

// AllRoutes returns the UUIDs of all static routes, as operations write them.
func (s *Server) AllRoutes(t testing.TB) any {
	t.Helper()
	answer := s.Transact(t, map[string]any{"op": "select", "table": "Logical_Router_Static_Route", "where": []any{}, "columns": []string{"_uuid"}})
	ids := []any{}
	for _, row := range answer[0]["rows"].([]any) {
		ids = append(ids, row.(map[string]any)["_uuid"])
	}
	return []any{"set", ids}
}

// Count is how many static routes have a value in a column.
func (s *Server) Count(t testing.TB, column, value string) int {
	t.Helper()
	answer := s.Transact(t, map[string]any{"op": "select", "table": "Logical_Router_Static_Route", "where": []any{[]any{column, "==", value}}, "columns": []string{"_uuid"}})
	return len(answer[0]["rows"].([]any))
}
