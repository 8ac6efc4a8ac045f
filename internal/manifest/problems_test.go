package manifest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const goodRA = `apiVersion: k8s.ovn.org/v1
kind: RouteAdvertisements
metadata:
  name: default
spec:
  advertisements: [PodNetwork]
  nodeSelector: {}
  frrConfigurationSelector: {}
  networkSelectors:
  - networkSelectionType: DefaultNetwork
`

// Every way in which a manifest can be wrong, with what is told and where.
func TestProblems(t *testing.T) {
	for name, test := range map[string]struct {
		file string
		want []string
	}{
		"syntax error in one of three documents": {
			"---\n" + goodRA + "---\nkind: [a, b\nmetadata: {}\n---\nkind: Node\n",
			[]string{
				"13: document 2: is not valid YAML: did not find expected ',' or ']'",
				"16: document 3: Node: apiVersion is missing",
			},
		},
		"tab": {"a:\n\tb: c\n", []string{"2: document 1: is not valid YAML: found character that cannot start any token"}},
		"second document without a marker": {
			"a: b\n...\nc: d\n",
			[]string{"3: document 1: is not valid YAML: did not find expected <document start>"},
		},
		"line breaks of old": {
			"a: b\r---\rc: d\r",
			[]string{`2: document 1: is not valid YAML: another document starts without "---"`},
		},
		"not UTF-8":        {"kind: \xff\xfe", []string{"is not UTF-8 text"}},
		"duplicate key":    {"kind: Node\napiVersion: v1\nmetadata: {name: a}\nkind: Namespace\n", []string{`4: document 1: key "kind" is already set on line 1; keep one of them`}},
		"duplicate in two": {"a: {b: 1,\n  b: 2}\nc:\n- d: 1\n  d: 2\n", []string{`2: document 1: key "b" is already set on line 1; keep one of them`, `5: document 1: key "d" is already set on line 4; keep one of them`}},
		"not an object":    {"- a\n", []string{"1: document 1: is not an object with apiVersion and kind"}},
		"only text":        {"hello\n", []string{"1: document 1: is not an object with apiVersion and kind"}},
		"no kind":          {"metadata: {name: a}\n", []string{"1: document 1: apiVersion is missing", "1: document 1: kind is missing"}},
		"kind of a number": {"apiVersion: v1\nkind: 5\n", []string{"2: document 1: kind must be a string"}},
		"odd apiVersion":   {"apiVersion: a/b/c\nkind: Node\n", []string{`1: document 1: Node: apiVersion "a/b/c" must be a version or group/version`}},
		"misspelt kind of ours": {
			"apiVersion: k8s.ovn.org/v1\nkind: RouteAdvertisement\nmetadata: {name: a}\n",
			[]string{`2: document 1: RouteAdvertisement a: there is no kind "RouteAdvertisement" in k8s.ovn.org/v1; did you mean RouteAdvertisements?`},
		},
		"unknown kind of frr-k8s'": {
			"apiVersion: frrk8s.metallb.io/v1beta1\nkind: Router\n",
			[]string{`2: document 1: Router: there is no kind "Router" in frrk8s.metallb.io/v1beta1`},
		},
		"misspelt kind of Kubernetes": {
			"apiVersion: v1\nkind: Nod\n",
			[]string{`2: document 1: Nod: there is no kind "Nod" in v1; did you mean Node?`},
		},
		"another version": {
			"apiVersion: k8s.ovn.org/v1beta1\nkind: EgressIP\n",
			[]string{`2: document 1: EgressIP: EgressIP has no version "v1beta1"; write apiVersion: k8s.ovn.org/v1`},
		},
		"another group": {
			"apiVersion: ovn.org/v1\nkind: RouteAdvertisements\n",
			[]string{`2: document 1: RouteAdvertisements: RouteAdvertisements is of another group; write apiVersion: k8s.ovn.org/v1`},
		},
		"no name":          {"apiVersion: v1\nkind: Namespace\nmetadata:\n  labels: {}\n", []string{"3: document 1: Namespace: metadata.name is missing"}},
		"no metadata":      {"apiVersion: v1\nkind: Namespace\n", []string{"1: document 1: Namespace: metadata.name is missing"}},
		"metadata of text": {"apiVersion: v1\nkind: Namespace\nmetadata: a\n", []string{"3: document 1: Namespace: json: cannot unmarshal string into Go value of type v1.ObjectMeta"}},
		"unquoted labels": {
			"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  labels:\n    x: true\n    y.z/w: 1\n",
			[]string{
				"6: document 1: Namespace a: metadata.labels[x]: must be text; put it in quotes",
				"7: document 1: Namespace a: metadata.labels[y.z/w]: must be text; put it in quotes",
			},
		},
		"bad label": {
			"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  labels:\n    x: '?'\n",
			[]string{"5: document 1: Namespace a: metadata.labels: a valid label must be"},
		},
		"unknown fields of a core kind": {
			"apiVersion: v1\nkind: Node\nmetadata:\n  name: a\n  lables: {}\nspec:\n  podCidr: a\n  taints:\n  - keey: b\n",
			[]string{
				"5: document 1: Node a: metadata.lables: unknown field",
				"7: document 1: Node a: spec.podCidr: unknown field",
				"9: document 1: Node a: spec.taints[0].keey: unknown field",
			},
		},
		"wrong type in a core kind": {
			"apiVersion: v1\nkind: Node\nmetadata: {name: a}\nspec:\n  podCIDR: 12\n",
			[]string{"5: document 1: Node a: spec.podCIDR: a number can't be used here, it must be string"},
		},
		"unknown fields of a custom kind": {
			goodRA + "  nodeSelectorr: {}\nstatuss: {}\n",
			[]string{
				"11: document 1: RouteAdvertisements default: spec.nodeSelectorr: unknown field",
				"12: document 1: RouteAdvertisements default: statuss: unknown field",
			},
		},
		"required fields": {
			"apiVersion: k8s.ovn.org/v1\nkind: RouteAdvertisements\nmetadata: {name: a}\nspec:\n  nodeSelector: {}\n  networkSelectors: []\n",
			[]string{
				"4: document 1: RouteAdvertisements a: spec.advertisements: is required",
				"4: document 1: RouteAdvertisements a: spec.frrConfigurationSelector: is required",
				"6: document 1: RouteAdvertisements a: spec.networkSelectors: should have at least 1 items (it is 0)",
			},
		},
		"wrong values": {
			"apiVersion: frrk8s.metallb.io/v1beta1\nkind: FRRConfiguration\nmetadata: {name: a, namespace: b}\nspec:\n  bgp:\n    routers:\n    - asn: many\n    - asn: 4294967296\n",
			[]string{
				"7: document 1: FRRConfiguration b/a: spec.bgp.routers[0].asn: must be of type integer",
				"8: document 1: FRRConfiguration b/a: spec.bgp.routers[1].asn: should be less than or equal to 4294967295 (it is 4294967296)",
			},
		},
		"text that the Go type refuses": {
			"apiVersion: frrk8s.metallb.io/v1beta1\nkind: FRRConfiguration\nmetadata: {name: a, namespace: x}\nspec:\n  bgp:\n    routers:\n    - asn: 1\n      neighbors:\n      - address: 192.0.2.1\n        asn: 2\n        holdTime: 30x\n",
			[]string{`11: document 1: FRRConfiguration x/a: time: unknown unit "x" in duration "30x"`},
		},
		"CEL rules": {
			strings.Replace(goodRA, "nodeSelector: {}", "nodeSelector: {matchLabels: {a: b}}", 1) +
				"    clusterUserDefinedNetworkSelector: {networkSelector: {}}\n",
			[]string{
				"5: document 1: RouteAdvertisements default: spec: nodeSelector must be empty",
				"10: document 1: RouteAdvertisements default: spec.networkSelectors[0]: set clusterUserDefinedNetworkSelector",
			},
		},
		"items of a List": {
			"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Node\n  metadata: {name: A}\n- 5\n- apiVersion: v1\n  kind: Node\n  metadata:\n    name: b\n  spek: {}\n",
			[]string{
				"6: document 1: Node A: metadata.name: a lowercase RFC 1123 subdomain",
				"7: document 1: is not an object",
				"12: document 1: Node b: spek: unknown field",
			},
		},
		"List without items":    {"apiVersion: v1\nkind: List\n", []string{"1: document 1: List: items of a List must be a list of objects"}},
		"the same, differently": {goodRA + "---\n" + strings.Replace(goodRA, "PodNetwork", "EgressIP", 1), []string{"12: document 2: RouteAdvertisements default: is written differently at in.yaml:1; keep one of them"}},
		"JSON": {
			"{\"apiVersion\": \"v1\",\n \"kind\": \"Node\",\n \"metadata\": {\"name\": \"a\"}, \"spek\": 1}\n{\"kind\": 1,\n \"kind\": 2}\n",
			[]string{
				"3: document 1: Node a: spek: unknown field",
				`5: document 2: key "kind" is already set on line 4; keep one of them`,
			},
		},
		"broken JSON":        {"{\"apiVersion\": \"v1\",\n \"kind\":\n", []string{"3: document 1: is not valid YAML: did not find expected node content"}},
		"alias bomb":         {"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e]\ng: &g [*f,*f,*f,*f,*f,*f,*f,*f]\nh: [*g,*g,*g,*g,*g,*g,*g,*g]\n", []string{"1: document 1: is not valid YAML: its aliases (*name) expand to more than 1024 KiB from 247 bytes of text: write the values out"}},
		"alias to something": {"a: *b\n", []string{"1: document 1: is not valid YAML: unknown anchor 'b' referenced"}},
	} {
		t.Run(name, func(t *testing.T) {
			l := loader{set: &Set{}, seen: map[identity]int{}}
			l.file("in.yaml", []byte(test.file))
			for i, problem := range l.problems {
				got := problem.Error()
				if i >= len(test.want) {
					t.Errorf("not expected: %s", got)
				} else if want := "in.yaml:" + test.want[i]; !strings.HasPrefix(got, want) && !strings.HasPrefix(got, "in.yaml: "+test.want[i]) {
					t.Errorf("problem %d:\n got %s\nwant %s…", i, got, want)
				}
			}
			for _, want := range test.want[min(len(l.problems), len(test.want)):] {
				t.Errorf("not told: %s", want)
			}
		})
	}
}

func TestPaths(t *testing.T) {
	dir := t.TempDir()
	for name, contents := range map[string]string{
		"b/second.yml":         "apiVersion: v1\nkind: Namespace\nmetadata: {name: two}\n",
		"a/first.yaml":         "apiVersion: v1\nkind: Namespace\nmetadata: {name: one}\n",
		"b/third.json":         `{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "three"}}`,
		"b/kustomization.yaml": "resources: [second.yml]\n",
		"b/README.md":          "not: [a manifest",
		"c/empty.yaml":         "# nothing\n---\n---\n",
		"none/README.md":       "",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(contents), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	stdin := strings.NewReader("apiVersion: v1\nkind: Namespace\nmetadata: {name: zero}\n")
	set, err := Load([]string{"-", filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "c")}, stdin)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, object := range set.Items {
		names = append(names, object.GetName())
	}
	if got, want := fmt.Sprint(names), "[zero one two three]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(set.Notes()), fmt.Sprintf("[%s: skipped, as it is kustomize's own]", filepath.Join(dir, "b/kustomization.yaml")); got != want {
		t.Errorf("got %s, want %s", got, want)
	}

	_, err = Load([]string{filepath.Join(dir, "none"), filepath.Join(dir, "missing")}, nil)
	var problems Problems
	if !errors.As(err, &problems) || len(problems) != 2 {
		t.Fatalf("got %v, want two problems", err)
	}
	for i, want := range []string{
		filepath.Join(dir, "none") + ": can't be read: there is no .yaml, .yml or .json file in this directory or below",
		filepath.Join(dir, "missing") + ": can't be read: no such file or directory",
	} {
		if got := problems[i].Error(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestSkippedKinds(t *testing.T) {
	l := loader{set: &Set{}, seen: map[identity]int{}}
	l.file("in.yaml", []byte(`apiVersion: apps/v1
kind: Deployment
---
apiVersion: v1
kind: ConfigMap
---
apiVersion: v1
kind: ConfigMap
---
apiVersion: v1
kind: Secret
metadata: {name: tor}
data: {password: "ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]"}
sops: {version: 3.9.0}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
---
apiVersion: k8s.ovn.org/v1
kind: EgressFirewall
---
apiVersion: frrk8s.metallb.io/v1beta1
kind: BGPSessionState
---
apiVersion: example.org/v1
kind: Whatever
---
apiVersion: longhorn.io/v1
kind: Node
`))
	if len(l.problems) > 0 {
		t.Error(l.problems)
	}
	if got, want := len(l.set.Skipped), 9; got != want {
		t.Errorf("got %d skipped, want %d", got, want)
	}
	if got, want := l.set.Notes()[1], "in.yaml: skipped 2 of kind ConfigMap, which have no part in a plan"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
