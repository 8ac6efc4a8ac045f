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

// The policies that our pages show do with the samples what they say.
func TestThePoliciesOfThePagesWork(t *testing.T) {
	const (
		all     = "local preference 200, 64512:100, 65535:65281, large:64512:1:2"
		metalLB = "local preference 200, 64512:100, large:64512:1:2"
	)
	samples := filepath.Join("..", "..", "config", "samples")
	for _, page := range []struct {
		path string
		// want are, by policy, lines of the plan, whose cells are a single space apart.
		want map[string][]string
	}{
		{filepath.Join("..", "..", "config", "COMPARISON.md"), map[string][]string{
			"zone-a": {"default 64512 192.168.100.10 64512 10.244.1.0/24 " + metalLB, "fd00:100::10 64512 fd00:10:244:1::/64 -", "default 64512 192.168.100.10 64512 10.244.2.0/24 -", "zone-a default 1 of 1 True Rendered"},
			"pods":   {"10.244.1.0/24 " + all, "fd00:10:244:1::/64 " + all, "10.244.3.0/24 " + all, "pods default 3 of 3 True Rendered"},
		}},
		{filepath.Join("..", "..", "README.md"), map[string][]string{
			"zones": {"10.244.1.0/24 " + all, "fd00:10:244:1::/64 -", "zones default 1 of 1 True Rendered", "match.kinds has EgressIP"},
		}},
	} {
		text, err := os.ReadFile(page.path)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
			name := regexp.MustCompile(`(?m)^kind: RoutePolicy\nmetadata:\n  name: (.*)$`).FindStringSubmatch(block[1])
			if name == nil {
				continue
			}
			found++
			file := filepath.Join(t.TempDir(), "policy.yaml")
			if err := os.WriteFile(file, []byte(block[1]), 0o600); err != nil {
				t.Fatal(err)
			}
			args := []string{"plan", "-f", filepath.Join(samples, "cluster"), "-f", filepath.Join(samples, "default-import-export"), "-f", file}
			var stdout, stderr bytes.Buffer
			if code := run(context.Background(), args, strings.NewReader(""), &stdout, &stderr); code != exitFine {
				t.Errorf("%s, policy %s: exit code %d\n%s", page.path, name[1], code, stderr.String())
			}
			plan := regexp.MustCompile(` +`).ReplaceAllString(stdout.String(), " ")
			for _, want := range page.want[name[1]] {
				if !strings.Contains(plan, want) {
					t.Errorf("%s, policy %s: the plan has no %q\n%s", page.path, name[1], want, stdout.String())
				}
			}
		}
		if found != len(page.want) {
			t.Errorf("%s has %d policies, want %d", page.path, found, len(page.want))
		}
	}
}
