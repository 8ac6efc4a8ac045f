package install

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
)

const chart = "config/helm"

func template(t *testing.T, arguments ...string) (string, error) {
	t.Helper()
	return command(t, helm(t), append([]string{"template", release, chart, "--namespace=" + home}, arguments...)...)
}

func rendered(t *testing.T, arguments ...string) []*unstructured.Unstructured {
	t.Helper()
	out, err := template(t, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	return objects(t, out)
}

func kustomized(t *testing.T, folder string) []*unstructured.Unstructured {
	t.Helper()
	return objects(t, must(t, controlplane.Require(t).Kubectl, "kustomize", folder))
}

func container(o *unstructured.Unstructured) map[string]any {
	containers, _, _ := unstructured.NestedSlice(o.Object, "spec", "template", "spec", "containers")
	if len(containers) == 0 {
		return nil
	}
	first, _ := containers[0].(map[string]any)
	return first
}

func arguments(o *unstructured.Unstructured) []string {
	list, _, _ := unstructured.NestedStringSlice(container(o), "args")
	return list
}

// withoutWords takes away in what words kustomize and Helm differ while they
// mean the same.
func withoutWords(o *unstructured.Unstructured) map[string]any {
	o = o.DeepCopy()
	if container := container(o); container != nil {
		args := arguments(o)
		for i := range args {
			args[i] = strings.TrimSuffix(args[i], "=true")
		}
		slices.Sort(args)
		_ = unstructured.SetNestedStringSlice(container, args, "args")
		// Each has an image of its own; the policy is the API server's default.
		delete(container, "image")
		delete(container, "imagePullPolicy")
		_ = unstructured.SetNestedSlice(o.Object, []any{container}, "spec", "template", "spec", "containers")
	}
	// The CRDs' and hooks' notes for Helm.
	annotations := o.GetAnnotations()
	for name := range annotations {
		if strings.HasPrefix(name, "helm.sh/") {
			delete(annotations, name)
		}
	}
	if o.SetAnnotations(annotations); len(annotations) == 0 {
		o.SetAnnotations(nil)
	}
	return o.Object
}

func TestTheChartInstallsWhatKustomizeInstalls(t *testing.T) {
	for _, test := range []struct {
		overlay string
		values  []string
		folders []string
	}{
		{overlay: "config/default", folders: []string{"config/cleanup"}},
		{overlay: "config/monitoring", values: []string{"monitoring.serviceMonitors.enabled=true", "monitoring.alerts.enabled=true", "monitoring.dashboard.enabled=true"},
			folders: []string{"config/cleanup", "config/default"}},
		{overlay: "config/overlays/ovn-kubernetes", values: []string{"crds.ovnKubernetes=false"}, folders: []string{"config/cleanup"}},
		{overlay: "config/overlays/standalone", values: []string{
			"manager.flags.manage-vteps=true", "agent.flags.manage-vrfs=true", "agent.flags.manage-snat=true", "agent.flags.manage-vteps=true",
		}, folders: []string{"config/cleanup"}},
		{overlay: "config/overlays/evpn", values: []string{"crds.ovnKubernetes=false", "agent.flags.manage-evpn=true"}, folders: []string{"config/cleanup"}},
		{overlay: "config/overlays/observe-only", values: []string{"crds.ovnKubernetes=false", "observeOnly=true"}},
	} {
		t.Run(filepath.Base(test.overlay), func(t *testing.T) {
			var set []string
			for _, value := range test.values {
				set = append(set, "--set="+value)
			}
			chart := byKey(t, rendered(t, set...))
			var expected []*unstructured.Unstructured
			for _, folder := range append(test.folders, test.overlay) {
				expected = append(expected, kustomized(t, folder)...)
			}
			overlay := byKey(t, expected)
			// Helm is told a namespace and makes it itself, or finds it.
			if overlay["Namespace/"+home] == nil {
				t.Error("the kustomization has no namespace")
			}
			delete(overlay, "Namespace/"+home)
			for name, want := range overlay {
				got := chart[name]
				if got == nil {
					t.Errorf("the chart has no %s", name)
					continue
				}
				if diff := cmp.Diff(withoutWords(want), withoutWords(got)); diff != "" {
					t.Errorf("%s: kustomize (-) and the chart (+):\n%s", name, diff)
				}
			}
			for name := range chart {
				if overlay[name] == nil {
					t.Errorf("only the chart has %s", name)
				}
			}
		})
	}
}

func TestTheChartRendersAsBefore(t *testing.T) {
	sets, err := filepath.Glob("testdata/values/*.yaml")
	if err != nil || len(sets) == 0 {
		t.Fatalf("no sets of values: %v", err)
	}
	for _, set := range sets {
		name := strings.TrimSuffix(filepath.Base(set), ".yaml")
		t.Run(name, func(t *testing.T) {
			var text strings.Builder
			for _, o := range rendered(t, "--values=test/install/"+set) {
				if o.GetKind() == "CustomResourceDefinition" {
					continue
				}
				content, err := yaml.Marshal(o.Object)
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&text, "---\n%s", content)
			}
			compare(t, filepath.Join("testdata", "golden", name+".yaml"), text.String())
		})
	}
}

// compare compares with a golden file, or rewrites it.
func compare(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run go test ./test/install -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is not what is rendered; if that is right, run go test ./test/install -update\n%s", path, diff)
	}
}

func TestCRDsAreUpgradedAndKept(t *testing.T) {
	for _, keep := range []bool{true, false} {
		crds := 0
		for _, o := range rendered(t, fmt.Sprintf("--set=crds.keep=%v", keep)) {
			if o.GetKind() != "CustomResourceDefinition" {
				continue
			}
			crds++
			if kept := o.GetAnnotations()["helm.sh/resource-policy"] == "keep"; kept != keep {
				t.Errorf("crds.keep=%v: %s has annotations %v", keep, o.GetName(), o.GetAnnotations())
			}
		}
		if crds != 8 {
			t.Errorf("%d CRDs are part of the release, not 8", crds)
		}
	}
	if _, err := os.Stat(filepath.Join(root(t), chart, "crds")); err == nil {
		t.Error("Helm never upgrades what is in crds/")
	}
}

func TestWrongValuesAreRefused(t *testing.T) {
	for _, test := range []struct{ set, want string }{
		{"manager.flags.no-such-flag=1", "no-such-flag"},
		{"manager.flags.workers=many", "workers"},
		{"manager.flags.shutdown-timeout=15", "shutdown-timeout"},
		{"agent.flags.manage-vrfs=perhaps", "manage-vrfs"},
		{"manager.replica=3", "replica"},
		{"manager.replicas=0", "replicas"},
		{"image.digest=latest", "digest"},
		{"uninstall.withdraw=maybe", "withdraw"},
		{"agent.ovnCertificateSecret=x", "ssl:"},
		{"agent.ovnSocketFolder=", "unix:"},
	} {
		t.Run(test.set, func(t *testing.T) {
			if _, err := template(t, "--set="+test.set); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want an error with %q", err, test.want)
			}
		})
	}
}
