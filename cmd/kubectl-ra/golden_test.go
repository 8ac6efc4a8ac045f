package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Each golden file is what a person would see in a terminal, with the exit
// code. Paths are relative to testdata.
func TestGoldens(t *testing.T) {
	goldens, err := filepath.Abs(filepath.Join("testdata", "golden"))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args  string
		stdin string
		code  int
	}{
		"story-default-import-export":     {args: "plan -f stories/cluster -f stories/default-import-export"},
		"story-cudn-leak-and-export":      {args: "plan -f stories/cluster -f stories/cudn-leak-and-export"},
		"story-egress-ip":                 {args: "plan -f stories/cluster -f stories/egress-ip"},
		"story-vrf-lite":                  {args: "plan -f stories/cluster -f stories/vrf-lite"},
		"story-evpn":                      {args: "plan -f stories/cluster -f stories/evpn"},
		"all-stories":                     {args: "plan -f stories"},
		"yaml":                            {args: "plan -f stories/cluster -f stories/vrf-lite -o yaml"},
		"json":                            {args: "plan -f stories/cluster -f stories/default-import-export -o json --node worker-1"},
		"diff-of-two-sets":                {args: "plan -o diff --from stories/cluster --from stories/default-import-export -f stories/cluster -f stories/cudn-leak-and-export"},
		"diff-of-equal-sets":              {args: "plan -o diff --from stories/cluster --from stories/egress-ip -f stories/egress-ip -f stories/cluster"},
		"diff-of-a-password":              {args: "plan -o diff --from findings/changed-password.yaml -f findings/blocked.yaml --node worker-1", code: exitBlocked},
		"diff-without-another-side":       {args: "plan -f stories/cluster -f stories/egress-ip -o diff", code: exitUnable},
		"diff-beside-a-hold":              {args: "plan -f ../../../internal/plan/testdata/cluster.yaml -f ../../../internal/plan/testdata/golden/template-being-changed/in.yaml -o diff", code: exitUnable},
		"arguments-of-a-glob":             {args: "plan -f stories/cluster/nodes.yaml stories/default-import-export/frrconfiguration.yaml stories/default-import-export/routeadvertisements.yaml --node worker-1"},
		"stdin":                           {args: "plan -f - -f stories/cluster --node worker-1", stdin: "stories/default-import-export/routeadvertisements.yaml", code: exitBlocked},
		"nothing-to-plan":                 {args: "plan -f -"},
		"findings-that-block-nothing":     {args: "plan -f findings/notices.yaml"},
		"findings-of-a-taken-name":        {args: "plan -f ../../../internal/plan/testdata/cluster.yaml -f ../../../internal/plan/testdata/golden/name-of-a-generated-object-taken/in.yaml", code: exitBlocked},
		"findings-of-policies":            {args: "plan -f findings/policies.yaml", code: exitBlocked},
		"policies-yaml":                   {args: "plan -f findings/policies.yaml -o yaml --node worker-2", code: exitBlocked},
		"diff-of-a-policy":                {args: "plan -o diff --from ../../../internal/plan/testdata/cluster.yaml --from ../../../internal/plan/testdata/golden/policy-by-node/in.yaml -f ../../../internal/plan/testdata/cluster.yaml -f ../../../internal/plan/testdata/golden/policy-suppresses-a-family/in.yaml --node worker-2"},
		"policy-without-raw":              {args: "plan -f ../../../internal/plan/testdata/cluster.yaml -f ../../../internal/plan/testdata/golden/policy-needs-raw/in.yaml", code: exitBlocked},
		"policy-with-raw":                 {args: "plan --frr-raw -f ../../../internal/plan/testdata/cluster.yaml -f ../../../internal/plan/testdata/golden/policy-needs-raw/in.yaml"},
		"drain":                           {args: "plan -f ../../../internal/plan/testdata/golden/drain-withdraws-what-is-shared/in.yaml"},
		"findings-of-drain-policies":      {args: "plan -f ../../../internal/plan/testdata/golden/drain-by-two-policies-the-older-counts/in.yaml", code: exitBlocked},
		"diff-of-a-drain":                 {args: "plan -o diff --from ../../../internal/plan/testdata/golden/drain-by-cordon/in.yaml -f ../../../internal/plan/testdata/golden/drain-withdraws-everything/in.yaml"},
		"drain-help":                      {args: "drain --help"},
		"undrain-help":                    {args: "undrain --help"},
		"drain-of-no-cluster":             {args: "drain worker-1 --kubeconfig findings/no-such-kubeconfig", code: exitUnable},
		"drain-of-no-node":                {args: "drain", code: exitUnable},
		"findings-of-no-node":             {args: "plan -f ../../../internal/plan/testdata/golden/template-of-no-node/in.yaml", code: exitBlocked},
		"findings-that-block":             {args: "plan -f findings/blocked.yaml", code: exitBlocked},
		"findings-that-block-yaml":        {args: "plan -f findings/blocked.yaml -o yaml", code: exitBlocked},
		"unreadable-files":                {args: "plan -f broken -f missing.yaml", code: exitUnable},
		"typos":                           {args: "plan -f typos", code: exitUnable},
		"unknown-node":                    {args: "plan -f stories/cluster --node worker-9", code: exitUnable},
		"unknown-output":                  {args: "plan -f stories/cluster -o wide --managed-asn 0", code: exitUnable},
		"unknown-flag":                    {args: "plan --file a", code: exitUnable},
		"unknown-command":                 {args: "plam", code: exitUnable},
		"file-without-flag":               {args: "plan stories", code: exitUnable},
		"from-without-diff":               {args: "plan -f stories --from stories", code: exitUnable},
		"from-beside-a-cluster":           {args: "plan -o diff --from stories", code: exitUnable},
		"stdin-twice":                     {args: "plan -o diff --from - -f -", code: exitUnable},
		"no-cluster":                      {args: "plan --kubeconfig findings/no-such-kubeconfig", code: exitUnable},
		"help":                            {args: "plan --help"},
		"help-of-all":                     {args: ""},
		"help-of-apply":                   {args: "apply --help"},
		"apply-without-file":              {args: "apply", code: exitUnable},
		"apply-without-cluster":           {args: "apply -f stories/default-import-export/frrconfiguration.yaml --kubeconfig findings/no-such-kubeconfig", code: exitUnable},
		"apply-of-other-kinds":            {args: "apply -f stories/default-import-export", code: exitUnable},
		"completion-of-outputs":           {args: "__complete plan -o d"},
		"completion-of-nodes":             {args: "__complete plan -f stories/cluster --node worker"},
		"completion-of-files":             {args: "__complete plan -f x"},
		"completion-as-kubectl-asks-for":  {args: "__complete pl"},
		"completion-explains-the-wrapper": {args: "completion --help"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir("testdata")
			t.Setenv("KUBECONFIG", "/dev/null")
			var stdin []byte
			if test.stdin != "" {
				if stdin, err = os.ReadFile(test.stdin); err != nil {
					t.Fatal(err)
				}
			}
			var stdout, stderr bytes.Buffer
			code := run(context.Background(), strings.Fields(test.args), bytes.NewReader(stdin), &stdout, &stderr)
			if code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			compare(t, filepath.Join(goldens, name+".txt"), fmt.Sprintf("$ kubectl ra %s\n%s--- stderr\n%s--- exit code %d\n",
				test.args, stdout.String(), stderr.String(), code))
		})
	}
	noStale(t, goldens)
}

// The examples of the help text work in a checkout, as far as they need no
// cluster.
func TestExamples(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	tried := 0
	for line := range strings.Lines(strings.ReplaceAll(newPlanCommand().Example, "\\\n", "")) {
		args, found := strings.CutPrefix(strings.TrimSpace(line), "kubectl ra ")
		if !found || !strings.Contains(args, "config/samples") || strings.Contains(args, "--live") {
			continue
		}
		tried++
		var stdout, stderr bytes.Buffer
		if code := run(context.Background(), strings.Fields(args), strings.NewReader(""), &stdout, &stderr); code != exitFine || stdout.Len() == 0 {
			t.Errorf("%s: exit code %d\n%s", args, code, stderr.String())
		}
	}
	if tried != 3 {
		t.Errorf("tried %d examples, want 3", tried)
	}
}

func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if got != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// noStale finds goldens that no test compares with any more.
func noStale(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("golden_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".txt"); !bytes.Contains(source, fmt.Appendf(nil, "%q:", name)) {
			t.Errorf("%s belongs to no test", file)
		}
	}
}
