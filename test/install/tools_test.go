package install

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
)

var update = flag.Bool("update", false, "rewrite the golden files and the flags in values.schema.json")

const (
	home      = "ovn-bgp-operator-system"
	agentHome = "ovn-bgp-agent-system"
	release   = "ovn-bgp-operator"

	// What the test's binaries are told to be.
	version = "v9.8.7"
	commit  = "0123456789abcdef"
	date    = "2026-01-02T03:04:05Z"
)

func root(t *testing.T) string {
	t.Helper()
	folder, err := controlplane.RepositoryRoot()
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// command runs a program and returns what it printed on its standard output.
func command(t *testing.T, name string, arguments ...string) (string, error) {
	t.Helper()
	run := exec.Command(name, arguments...)
	run.Dir = root(t)
	// Helm keeps its plugins and repositories of its own.
	folder := t.TempDir()
	run.Env = append(os.Environ(), "HELM_CONFIG_HOME="+folder, "HELM_CACHE_HOME="+folder, "HELM_DATA_HOME="+folder)
	var stdout, stderr bytes.Buffer
	run.Stdout, run.Stderr = &stdout, &stderr
	if err := run.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s %s: %w: %s", filepath.Base(name), strings.Join(arguments, " "), err, stderr.String())
	}
	return stdout.String(), nil
}

func must(t *testing.T, name string, arguments ...string) string {
	t.Helper()
	output, err := command(t, name, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	return output
}

// helm returns the path of helm, as `make helm` builds it.
func helm(t *testing.T) string {
	t.Helper()
	path := os.Getenv("HELM")
	if path == "" {
		path = filepath.Join(root(t), ".cache", "helm", "bin", "helm")
	}
	if _, err := os.Stat(path); err != nil {
		message := fmt.Sprintf("there is no helm to install the chart with: %v; run `make helm` (a minute or two, once) or set HELM to its path", err)
		if os.Getenv("CONTROLPLANE_REQUIRED") != "" {
			t.Fatal(message)
		}
		t.Skip("SKIPPED, NOT PASSED: " + message)
	}
	return path
}

// built is the folder that binaries made, if it was asked.
var built string

// binaries builds the operator as the image has it, once.
var binaries = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "install")
	if err != nil {
		return "", err
	}
	built = folder
	program := "github.com/ovn-bgp-operator/ovn-bgp-operator/internal/program"
	build := exec.Command("go", "build", "-buildvcs=false", "-o", folder+"/",
		"-ldflags", fmt.Sprintf("-s -w -X %[1]s.version=%[2]s -X %[1]s.commit=%[3]s -X %[1]s.date=%[4]s", program, version, commit, date),
		"github.com/ovn-bgp-operator/ovn-bgp-operator/cmd/...")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return folder, fmt.Errorf("%w: %s", err, out)
	}
	return folder, nil
})

func binary(t *testing.T, name string) string {
	t.Helper()
	folder, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(folder, name)
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		_ = os.RemoveAll(built)
	}
	os.Exit(code)
}

// objects reads manifests. Golden files and comparisons go without CRDs, which
// are as they were generated.
func objects(t *testing.T, manifests string) []*unstructured.Unstructured {
	t.Helper()
	var out []*unstructured.Unstructured
	for _, text := range strings.Split("\n"+manifests, "\n---") {
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if len(o.Object) > 0 {
			out = append(out, o)
		}
	}
	return out
}

func key(o *unstructured.Unstructured) string {
	return strings.TrimPrefix(o.GetNamespace()+"/", "/") + o.GetKind() + "/" + o.GetName()
}

func byKey(t *testing.T, all []*unstructured.Unstructured) map[string]*unstructured.Unstructured {
	t.Helper()
	out := map[string]*unstructured.Unstructured{}
	for _, o := range all {
		if out[key(o)] != nil {
			t.Errorf("%s is there twice", key(o))
		}
		out[key(o)] = o
	}
	return out
}
