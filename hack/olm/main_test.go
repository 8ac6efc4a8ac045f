package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func made(t *testing.T, into string) string {
	t.Helper()
	var out bytes.Buffer
	o := &options{config: "../../config", into: into, version: "1.2.3", image: "registry.example.com/operator:v1"}
	if err := run(o, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return out.String()
}

// TestTheSameInputGivesTheSameBytes also finds files that nobody makes any more.
func TestTheSameInputGivesTheSameBytes(t *testing.T) {
	into := t.TempDir()
	left := filepath.Join(into, editions[0].name, "manifests", "left.yaml")
	if err := os.MkdirAll(filepath.Dir(left), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(left, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Log(made(t, into))
	again := &options{config: "../../config", into: into, version: "1.2.3", image: "registry.example.com/operator:v1", check: true}
	if err := run(again, io.Discard); err != nil {
		t.Error(err)
	}
	again.version = "1.2.4"
	if err := run(again, io.Discard); err == nil || !strings.Contains(err.Error(), "clusterserviceversion.yaml; run make bundle") {
		t.Errorf("another version: %v", err)
	}
	if err := os.WriteFile(left, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	again.version = "1.2.3"
	if err := run(again, io.Discard); err == nil || !strings.Contains(err.Error(), "left.yaml") {
		t.Errorf("a file too many: %v", err)
	}
}

// TestTheValidatorsJudge breaks a bundle in ways that each validator is for.
func TestTheValidatorsJudge(t *testing.T) {
	for name, test := range map[string]struct{ file, before, after, want string }{
		"a CRD that is not there": {"", "k8s.ovn.org_vteps.yaml", "", "BundleValidator"},
		"a category of our own":   {"csv", "categories: Networking", "categories: Routing", "StandardCategoriesValidator"},
		"a capability":            {"csv", "capabilities: Seamless Upgrades", "capabilities: Magic", "StandardCapabilitiesValidator"},
		"an icon without data":    {"csv", "base64data: PHN2", "base64data: ''\n    x: PHN2", "OperatorHubV2Validator"},
		"no example":              {"csv", `"kind": "VTEP"`, `"kind": "Other"`, "ClusterServiceVersionValidator"},
		"a budget that blocks":    {"ovn-bgp-operator.poddisruptionbudget.yaml", "minAvailable: 1", "maxUnavailable: 0", "ObjectValidator"},
		"a channel's name":        {"../metadata/annotations.yaml", "channels.v1: candidate", "channels.v1: alpha", "GoodPracticesValidator"},
	} {
		t.Run(name, func(t *testing.T) {
			into := t.TempDir()
			made(t, into)
			folder := filepath.Join(into, "standalone")
			path := filepath.Join(folder, "manifests", test.file)
			switch test.file {
			case "":
				if err := os.Remove(filepath.Join(folder, "manifests", test.before)); err != nil {
					t.Fatal(err)
				}
			case "csv":
				path = filepath.Join(folder, "manifests", "ovn-bgp-operator-standalone.clusterserviceversion.yaml")
				fallthrough
			default:
				text, err := os.ReadFile(path)
				if err != nil || !strings.Contains(string(text), test.before) {
					t.Fatalf("%s has no %q: %v", path, test.before, err)
				}
				if err := os.WriteFile(path, []byte(strings.Replace(string(text), test.before, test.after, 1)), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var out bytes.Buffer
			if err := validate(folder, &out); err == nil {
				t.Error("nobody complains")
			} else if !strings.Contains(out.String(), test.want+": ") {
				t.Errorf("%v\n%s", err, out.String())
			}
		})
	}
}

func TestDisplayNames(t *testing.T) {
	for name, want := range map[string]string{
		"frrConfigurationSelector": "FRR Configuration Selector",
		"egressIPs":                "Egress IPs",
		"ipVRF":                    "IP VRF",
		"cidrs":                    "CIDRs",
		"outboundSNAT":             "Outbound SNAT",
		"targetVRF":                "Target VRF",
		"VTEP":                     "VTEP",
	} {
		if got := displayName(name); got != want {
			t.Errorf("%s is %q, not %q", name, got, want)
		}
	}
}
