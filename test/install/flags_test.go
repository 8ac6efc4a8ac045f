package install

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/yaml"
)

// flagOf reads a flag from a program's help.
type flagOf struct{ name, kind, usage string }

var flagLine = regexp.MustCompile(`^ {2,6}(?:-\w, )?--([a-z0-9-]+)(?: ([a-z0-9]+))? {2,}(.*)$`)

// flags are those of a program, from its own flag set as its help prints it.
func flags(t *testing.T, program string) []flagOf {
	t.Helper()
	var out []flagOf
	for line := range strings.Lines(must(t, binary(t, program), "--help")) {
		line = strings.TrimRight(line, "\n")
		if match := flagLine.FindStringSubmatch(line); match != nil {
			out = append(out, flagOf{match[1], match[2], match[3]})
		} else if len(out) > 0 && strings.HasPrefix(line, "            ") {
			out[len(out)-1].usage += " " + strings.TrimSpace(line)
		}
	}
	out = slices.DeleteFunc(out, func(f flagOf) bool { return f.name == "help" || f.name == "version" })
	if len(out) < 15 {
		t.Fatalf("only %d flags were found in the help of %s", len(out), program)
	}
	return out
}

// schema says what a value for the flag may be. Helm's --set reads numbers and
// booleans wherever it can, so that texts may come as these.
func (f *flagOf) schema(t *testing.T) map[string]any {
	t.Helper()
	out := map[string]any{"description": f.usage}
	text := []any{"string", "number", "boolean", "null"}
	switch f.kind {
	case "":
		out["type"] = []any{"boolean", "null"}
	case "int", "uint32":
		out["type"] = []any{"integer", "null"}
	case "float32":
		// Helm's --set takes 7.5 for a text.
		out["type"] = []any{"number", "string", "null"}
		out["pattern"] = `^-?[0-9]+(\.[0-9]+)?$`
	case "duration":
		out["type"] = []any{"string", "null"}
		out["pattern"] = `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`
	case "string":
		out["type"] = text
	case "strings":
		out["type"] = append([]any{"array"}, text...)
		out["items"] = map[string]any{"type": "string"}
	default:
		t.Fatalf("--%s takes a %s, which this test doesn't know", f.name, f.kind)
	}
	return out
}

// example is a value that the flag doesn't have by default.
func (f *flagOf) example() (set, argument string) {
	switch f.kind {
	case "":
		return "true", "true"
	case "int", "uint32":
		return "4200000000", "4200000000"
	case "float32":
		return "7.5", "7.5"
	case "duration":
		return "77s", "77s"
	case "strings":
		return "{x,y}", "x,y"
	default:
		return "x:7777", "x:7777"
	}
}

var programs = map[string]struct{ values, object string }{
	"manager": {"manager", home + "/Deployment/ovn-bgp-operator"},
	"agent":   {"agent", agentHome + "/DaemonSet/ovn-bgp-agent"},
}

func TestTheSchemaHasEveryFlag(t *testing.T) {
	path := filepath.Join(root(t), chart, "values.schema.json")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(before, &schema); err != nil {
		t.Fatal(err)
	}
	for program, at := range programs {
		properties := map[string]any{}
		for _, f := range flags(t, program) {
			properties[f.name] = f.schema(t)
		}
		parent := schema["properties"].(map[string]any)[at.values].(map[string]any)["properties"].(map[string]any)
		parent["flags"] = map[string]any{
			"type": "object", "description": "Any flag of `" + program + " --help`.",
			"properties": properties, "additionalProperties": false,
		}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(schema); err != nil {
		t.Fatal(err)
	}
	compare(t, path, text.String())
}

func TestAValueSetsEveryFlag(t *testing.T) {
	for program, at := range programs {
		var set []string
		want := map[string]string{}
		for _, f := range flags(t, program) {
			value, argument := f.example()
			set = append(set, "--set="+at.values+".flags."+f.name+"="+value)
			want[f.name] = argument
		}
		// This one takes away what the others are for.
		want["observe-only"] = "true"
		object := byKey(t, rendered(t, set...))[at.object]
		got := map[string]string{}
		for _, argument := range arguments(object) {
			name, value, _ := strings.Cut(strings.TrimPrefix(argument, "--"), "=")
			got[name] = value
		}
		for name, value := range want {
			if got[name] != value {
				t.Errorf("%s: --%s is %q, not %q", program, name, got[name], value)
			}
		}
	}
}

// TestTheDefaultArgumentsAreTaken asks the programs themselves.
func TestTheArgumentsAreTaken(t *testing.T) {
	for program, at := range programs {
		for _, values := range []string{"observeOnly=false", "observeOnly=true"} {
			object := byKey(t, rendered(t, "--set="+values))[at.object]
			// A cluster that isn't there ends it after the flags were judged.
			_, err := command(t, binary(t, program), append(arguments(object), "--kubeconfig=/nonexistent")...)
			if err == nil || !strings.Contains(err.Error(), "/nonexistent") {
				t.Errorf("%s with %s: %v", program, values, err)
			}
		}
	}
}

// TestTheNodeCleanupsArgumentsAreTaken runs what the DaemonSet of
// config/agent-cleanup does, as far as there is no database to be found.
func TestTheNodeCleanupsArgumentsAreTaken(t *testing.T) {
	var daemonSet appsv1.DaemonSet
	if err := yaml.UnmarshalStrict([]byte(file(t, filepath.Join(root(t), "config/agent-cleanup/daemonset.yaml"))), &daemonSet); err != nil {
		t.Fatal(err)
	}
	pod := &daemonSet.Spec.Template.Spec
	for _, container := range append(pod.InitContainers, pod.Containers...) {
		arguments := slices.Concat(container.Args, []string{"--node=node-1", "--timeout=100ms", "--ovn-nb=unix:/nonexistent"})
		if _, err := command(t, binary(t, filepath.Base(container.Command[0])), arguments...); err == nil || !strings.Contains(err.Error(), "/nonexistent") {
			t.Errorf("%s: %v", container.Name, err)
		}
	}
}
