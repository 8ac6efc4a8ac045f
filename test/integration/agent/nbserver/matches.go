package nbserver

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// StartWithMatch is Start with the column match in the table NAT, also where the
// machine's OVN is older than that.
func StartWithMatch(t testing.TB) *Server {
	t.Helper()
	Require(t)
	text, err := os.ReadFile(Schema)
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err = json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	nat := schema["tables"].(map[string]any)["NAT"].(map[string]any)["columns"].(map[string]any)
	nat["match"] = map[string]any{"type": "string"}
	// The sum of the original text no longer holds.
	delete(schema, "cksum")
	if text, err = json.Marshal(schema); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "schema")
	if err = os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return start(t, northbound, path)
}
