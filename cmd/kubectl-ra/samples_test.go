package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The samples of policies do what their comments say: one to the nodes of a zone, the
// other to a node that is cordoned.
func TestSamplesOfPolicies(t *testing.T) {
	samples := filepath.Join("..", "..", "config", "samples")
	nodes, err := os.ReadFile(filepath.Join(samples, "cluster", "nodes.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	const worker2 = "metadata:\n  name: worker-2\n"
	if !strings.Contains(string(nodes), worker2) {
		t.Fatalf("there is no %q to cordon", worker2)
	}
	cordoned := filepath.Join(t.TempDir(), "nodes.yaml")
	if err := os.WriteFile(cordoned, []byte(strings.Replace(string(nodes), worker2, "spec: {unschedulable: true}\n"+worker2, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"plan", "-f", cordoned}
	for _, folder := range []string{"default-import-export", "route-policy", "drain"} {
		args = append(args, "-f", filepath.Join(samples, folder))
	}
	var stdout, stderr bytes.Buffer
	if code := run(context.Background(), args, strings.NewReader(""), &stdout, &stderr); code != exitFine {
		t.Errorf("exit code %d\n%s", code, stderr.String())
	}
	plan := regexp.MustCompile(` +`).ReplaceAllString(stdout.String(), " ")
	for _, want := range []string{
		"10.244.1.0/24 64512:100", "10.244.2.0/24 local preference 0, 65535:0", "10.244.3.0/24 -",
		"zone-a default 1 of 1 True Rendered",
	} {
		if !strings.Contains(plan, want) {
			t.Errorf("the plan has no %q\n%s", want, stdout.String())
		}
	}
}
