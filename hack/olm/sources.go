package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// sources are what the bundles are made of.
type sources struct {
	base        v1alpha1.ClusterServiceVersion
	icon        []byte
	deployment  appsv1.Deployment
	webhook     admissionregistrationv1.ValidatingWebhookConfiguration
	clusterRole rbacv1.ClusterRole
	// roles are those of the manager in its own namespace and in "default".
	roles map[string]rbacv1.Role
	crds  []crd
	// extra are objects that OLM applies as they are.
	extra []unstructured.Unstructured
	// examples are by kind.
	examples map[string]unstructured.Unstructured
}

// crd is a definition and the file that it is in, which is shipped unchanged.
type crd struct {
	apiextensionsv1.CustomResourceDefinition
	file string
	text []byte
}

// The manager's namespace in config/. A bundle's objects have none: OLM puts
// them where the operator is installed.
const home = "ovn-bgp-operator-system"

func read(config string) (*sources, error) {
	s := &sources{roles: map[string]rbacv1.Role{}, examples: map[string]unstructured.Unstructured{}}
	for path, into := range map[string]any{
		"olm/base/clusterserviceversion.yaml":         &s.base,
		"manager/deployment.yaml":                     &s.deployment,
		"webhook/validatingwebhookconfiguration.yaml": &s.webhook,
	} {
		if err := decode(filepath.Join(config, path), into); err != nil {
			return nil, err
		}
	}
	var err error
	if s.icon, err = os.ReadFile(filepath.Join(config, "olm/base/icon.svg")); err != nil {
		return nil, err
	}
	for _, step := range []func(string) error{s.readRoles, s.readCRDs, s.readExtra, s.readExamples} {
		if err := step(config); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *sources) readRoles(config string) error {
	documents, err := documents(filepath.Join(config, "rbac/role.yaml"))
	if err != nil {
		return err
	}
	for _, text := range documents {
		var role rbacv1.Role
		if err := yaml.UnmarshalStrict(text, &role); err != nil {
			return fmt.Errorf("rbac/role.yaml: %w", err)
		}
		switch {
		case role.Kind == "ClusterRole":
			s.clusterRole.Name, s.clusterRole.Rules = role.Name, role.Rules
		case role.Namespace == home || role.Namespace == "default":
			s.roles[role.Namespace] = role
		default:
			return fmt.Errorf("rbac/role.yaml has rights in namespace %s, which OLM can't give: it knows the operator's own and all of them", role.Namespace)
		}
	}
	return nil
}

func (s *sources) readCRDs(config string) error {
	paths, err := filepath.Glob(filepath.Join(config, "crd/bases/*.yaml"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		c := crd{file: filepath.Base(path)}
		if c.text, err = os.ReadFile(path); err != nil {
			return err
		}
		if err := decode(path, &c.CustomResourceDefinition); err != nil {
			return err
		}
		s.crds = append(s.crds, c)
	}
	if len(s.crds) == 0 {
		return fmt.Errorf("%s has no CRDs; run make manifests", filepath.Join(config, "crd/bases"))
	}
	return nil
}

// readExtra reads what OLM takes beside the ClusterServiceVersion. It takes
// neither a NetworkPolicy, older versions refusing it, nor a DaemonSet.
func (s *sources) readExtra(config string) error {
	for _, path := range []string{"manager/service.yaml", "manager/poddisruptionbudget.yaml", "rbac/metrics_reader_role.yaml"} {
		var object unstructured.Unstructured
		if err := decode(filepath.Join(config, path), &object.Object); err != nil {
			return err
		}
		object.SetNamespace("")
		s.extra = append(s.extra, object)
	}
	return nil
}

func (s *sources) readExamples(config string) error {
	own, err := filepath.Glob(filepath.Join(config, "olm/base/examples/*.yaml"))
	if err != nil {
		return err
	}
	for _, path := range append([]string{
		filepath.Join(config, "samples/default-import-export/routeadvertisements.yaml"),
		filepath.Join(config, "samples/vrf-lite/network.yaml"),
		filepath.Join(config, "samples/egress-ip/egressip.yaml"),
		filepath.Join(config, "samples/route-policy/routepolicy.yaml"),
		filepath.Join(config, "samples/drain/drainpolicy.yaml"),
	}, own...) {
		documents, err := documents(path)
		if err != nil {
			return err
		}
		for _, text := range documents {
			var object unstructured.Unstructured
			if err := yaml.Unmarshal(text, &object.Object); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			delete(object.Object, "status")
			s.examples[object.GetKind()] = object
		}
	}
	return nil
}

// decode reads a file of one document, and fails on a field that its type
// hasn't.
func decode(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := yaml.UnmarshalStrict(text, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func documents(path string) ([][]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for document := range strings.SplitSeq("\n"+string(text), "\n---\n") {
		if lines := strings.Split(document, "\n"); slices.ContainsFunc(lines, func(l string) bool { return l != "" && l[0] != '#' }) {
			out = append(out, []byte(document))
		}
	}
	return out, nil
}
