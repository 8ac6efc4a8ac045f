package plan_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/preview"
)

// TestReasonsOfGoldens keeps the list of findings that the goldens have, which their
// conditions tell without a reason, and looks each up in the catalogue.
func TestReasonsOfGoldens(t *testing.T) {
	catalogue := map[string]finding.Reason{}
	for _, r := range finding.Catalogue() {
		catalogue[r.Name] = r
	}
	inputs, err := filepath.Glob("testdata/golden/*/in.yaml")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no golden inputs: %v", err)
	}
	found := map[string]bool{}
	for _, input := range inputs {
		for _, f := range findingsOf(t, input) {
			entry, known := catalogue[f.Reason]
			if !known || !slices.Contains(entry.Outcomes, f.Outcome) || !slices.Contains(entry.Scopes, f.Scope.Kind) {
				t.Errorf("%s: the catalogue has no %s %s about %s: %s", input, f.Outcome, f.Reason, f.Scope, f.Message)
			}
			found[fmt.Sprintf("%s %s about %s", f.Reason, f.Outcome, f.Scope.Kind)] = true
		}
	}
	const golden = "testdata/reasons.txt"
	got := strings.Join(slices.Sorted(maps.Keys(found)), "\n") + "\n"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the goldens have other findings than %s; if that is meant, run `go test ./internal/plan -update` and read the diff\n%s", golden, got)
	}
}

func findingsOf(t *testing.T, input string) []model.Finding {
	t.Helper()
	objects := load(t, input)
	if len(objects.Nodes) == 0 {
		objects = load(t, input, "testdata/cluster.yaml")
	}
	made := preview.New(objects, settings(t, filepath.Join(filepath.Dir(input), "flags"))).Plan
	var out []model.Finding
	for i := range made.Verdicts {
		out = append(out, made.Verdicts[i].Findings...)
	}
	for i := range made.Nodes {
		for j := range made.Nodes[i].Parts {
			out = append(out, made.Nodes[i].Parts[j].Findings...)
		}
	}
	return out
}
