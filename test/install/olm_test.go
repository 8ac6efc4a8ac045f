package install

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

const bundles = "config/olm/bundle"

// clusterServiceVersion has what the tests look at of one, read without the
// library that wrote it.
type clusterServiceVersion struct {
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Version                   string                    `json:"version"`
		MinKubeVersion            string                    `json:"minKubeVersion"`
		NativeAPIs                []metav1.GroupVersionKind `json:"nativeAPIs"`
		CustomResourceDefinitions struct {
			Owned []describedCRD `json:"owned"`
		} `json:"customresourcedefinitions"`
		Install struct {
			Spec struct {
				Deployments []struct {
					Name  string                `json:"name"`
					Label map[string]string     `json:"label"`
					Spec  appsv1.DeploymentSpec `json:"spec"`
				} `json:"deployments"`
				ClusterPermissions []permissions `json:"clusterPermissions"`
				Permissions        []permissions `json:"permissions"`
			} `json:"spec"`
		} `json:"install"`
		WebhookDefinitions []webhookDefinition `json:"webhookdefinitions"`
	} `json:"spec"`
}

type permissions struct {
	ServiceAccountName string              `json:"serviceAccountName"`
	Rules              []rbacv1.PolicyRule `json:"rules"`
}

type describedCRD struct {
	Name              string            `json:"name"`
	Kind              string            `json:"kind"`
	Version           string            `json:"version"`
	SpecDescriptors   []fieldDescriptor `json:"specDescriptors"`
	StatusDescriptors []fieldDescriptor `json:"statusDescriptors"`
}

type fieldDescriptor struct {
	Path         string   `json:"path"`
	DisplayName  string   `json:"displayName"`
	Description  string   `json:"description"`
	XDescriptors []string `json:"x-descriptors"`
}

type webhookDefinition struct {
	Type           string `json:"type"`
	GenerateName   string `json:"generateName"`
	DeploymentName string `json:"deploymentName"`
	ContainerPort  int32  `json:"containerPort"`
	WebhookPath    string `json:"webhookPath"`
	// The rest is as in a configuration.
	admissionregistrationv1.ValidatingWebhook `json:",inline"`
}

// bundle reads a bundle: the ClusterServiceVersion, and what OLM applies
// beside it.
func bundle(t *testing.T, edition string) (csv clusterServiceVersion, others []*unstructured.Unstructured) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root(t), bundles, edition, "manifests", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, ".clusterserviceversion.yaml") {
			if err := yaml.Unmarshal([]byte(file(t, path)), &csv); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			continue
		}
		others = append(others, objects(t, file(t, path))...)
	}
	if csv.Name == "" || len(others) == 0 {
		t.Fatalf("%s has no bundle; run make bundle", filepath.Join(bundles, edition))
	}
	return csv, others
}

// described visits all fields of a schema, and of conditions and label
// selectors, which consoles show as a whole, none below them.
func described(schema map[string]any, path string, visit func(path, kind string)) {
	properties, _, _ := unstructured.NestedMap(schema, "properties")
	for name, value := range properties {
		field := value.(map[string]any)
		at, kind := strings.TrimPrefix(path+"."+name, "."), fmt.Sprint(field["type"])
		_, labels, _ := unstructured.NestedMap(field, "properties", "matchLabels")
		_, expressions, _ := unstructured.NestedMap(field, "properties", "matchExpressions")
		if labels && expressions {
			visit(at, "selector")
			continue
		}
		if name == "conditions" {
			visit(at, name)
			continue
		}
		visit(at, kind)
		if items, found, _ := unstructured.NestedMap(field, "items"); found {
			at, field = at+"[0]", items
		}
		described(field, at, visit)
	}
}

func TestOLMEveryFieldHasADescriptor(t *testing.T) {
	csv, _ := bundle(t, "standalone")
	paths, err := filepath.Glob(filepath.Join(root(t), "config/crd/bases/*.yaml"))
	if err != nil || len(paths) != 8 {
		t.Fatalf("%d CRDs: %v", len(paths), err)
	}
	fields := 0
	for _, path := range paths {
		crd := objects(t, file(t, path))[0]
		versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
		kind, _, _ := unstructured.NestedString(crd.Object, "spec", "names", "kind")
		for _, version := range versions {
			version := version.(map[string]any)
			at := slices.IndexFunc(csv.Spec.CustomResourceDefinitions.Owned, func(d describedCRD) bool {
				return d.Name == crd.GetName() && d.Kind == kind && d.Version == version["name"]
			})
			if at < 0 {
				t.Errorf("%s %s is not described", crd.GetName(), version["name"])
				continue
			}
			owned := csv.Spec.CustomResourceDefinitions.Owned[at]
			for part, descriptors := range map[string][]fieldDescriptor{"spec": owned.SpecDescriptors, "status": owned.StatusDescriptors} {
				schema, _, _ := unstructured.NestedMap(version, "schema", "openAPIV3Schema", "properties", part)
				seen := map[string]bool{}
				described(schema, "", func(path, kind string) {
					fields++
					seen[path] = true
					i := slices.IndexFunc(descriptors, func(d fieldDescriptor) bool { return d.Path == path })
					if i < 0 {
						t.Errorf("%s: %s.%s has no descriptor", crd.GetName(), part, path)
						return
					}
					if d := &descriptors[i]; d.DisplayName == "" || d.Description == "" {
						t.Errorf("%s: %s.%s has an empty descriptor", crd.GetName(), part, path)
					} else if (kind == "selector" || kind == "conditions") && !strings.Contains(strings.Join(d.XDescriptors, " "), kind) {
						t.Errorf("%s: %s.%s is a %s and not described as one: %v", crd.GetName(), part, path, kind, d.XDescriptors)
					}
				})
				for _, d := range descriptors {
					if !seen[d.Path] {
						t.Errorf("%s: the descriptor of %s.%s describes no field", crd.GetName(), part, d.Path)
					}
				}
			}
		}
	}
	t.Logf("%d fields of %d CRDs have descriptors", fields, len(paths))
}

// TestOLMRights compares with the generated roles. OLM keeps the webhook's
// certificate, so that the rights to do so are not given.
func TestOLMRights(t *testing.T) {
	want := map[string][]string{}
	for _, role := range objects(t, file(t, filepath.Join(root(t), "config/rbac/role.yaml"))) {
		where := "clusterPermissions"
		// OLM knows the operator's own namespace, and all of them.
		if role.GetNamespace() == home {
			where = "permissions"
		}
		rules, _, _ := unstructured.NestedSlice(role.Object, "rules")
		for _, r := range rules {
			text, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			switch rule := string(text); rule {
			case `{"apiGroups":["admissionregistration.k8s.io"],"resourceNames":["ovn-bgp-operator-webhook"],"resources":["validatingwebhookconfigurations"],"verbs":["list","patch","watch"]}`,
				`{"apiGroups":[""],"resourceNames":["ovn-bgp-operator-webhook"],"resources":["secrets"],"verbs":["list","update","watch"]}`:
			case `{"apiGroups":[""],"resources":["events","secrets"],"verbs":["create"]}`:
				want[where] = append(want[where], `{"apiGroups":[""],"resources":["events"],"verbs":["create"]}`)
			default:
				want[where] = append(want[where], rule)
			}
		}
	}
	for _, edition := range []string{"ovn-kubernetes", "standalone"} {
		csv, _ := bundle(t, edition)
		install := &csv.Spec.Install.Spec
		for where, given := range map[string][]permissions{"clusterPermissions": install.ClusterPermissions, "permissions": install.Permissions} {
			if len(given) != 1 || given[0].ServiceAccountName != install.Deployments[0].Spec.Template.Spec.ServiceAccountName {
				t.Errorf("%s: %s are not those of the Deployment's service account", edition, where)
			}
			var got []string
			for _, rule := range given[0].Rules {
				// Through a map, for the order of fields.
				text, _ := json.Marshal(rule)
				var fields map[string]any
				_ = json.Unmarshal(text, &fields)
				text, _ = json.Marshal(fields)
				got = append(got, string(text))
			}
			slices.Sort(got)
			slices.Sort(want[where])
			if diff := cmp.Diff(want[where], got); diff != "" {
				t.Errorf("%s: config/rbac (-) and %s (+):\n%s", edition, where, diff)
			}
		}
	}
}

// TestOLMAndTheChartAgree on what they are a version of, and for which clusters.
func TestOLMAndTheChartAgree(t *testing.T) {
	var chart struct{ Version, KubeVersion string }
	if err := yaml.Unmarshal([]byte(file(t, filepath.Join(root(t), "config/helm/Chart.yaml"))), &chart); err != nil {
		t.Fatal(err)
	}
	for _, edition := range []string{"ovn-kubernetes", "standalone"} {
		csv, _ := bundle(t, edition)
		if csv.Spec.Version != chart.Version || ">="+csv.Spec.MinKubeVersion+"-0" != chart.KubeVersion {
			t.Errorf("the bundle is %s for Kubernetes %s, the chart %s for %s", csv.Spec.Version, csv.Spec.MinKubeVersion, chart.Version, chart.KubeVersion)
		}
	}
}
