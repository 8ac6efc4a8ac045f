package manifest

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

var settings = model.Settings{Managed: model.ManagedRouting{ASN: 64512, Namespace: "frr-k8s-system"}}

// The copies of frr-k8s' CRDs are those of the module that go.mod requires;
// go generate refreshes them.
func TestCRDsAreTheModules(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/metallb/frr-k8s").Output()
	if err != nil {
		t.Fatal(err)
	}
	err = fs.WalkDir(frrK8sCRDs, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		want, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "config", "crd", "bases", entry.Name()))
		if err != nil {
			return err
		}
		got, err := fs.ReadFile(frrK8sCRDs, path)
		if err != nil {
			return err
		}
		if string(got) != string(want) {
			t.Errorf("%s is not the module's: run go generate ./internal/manifest", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Every custom kind has a CRD that can be applied.
func TestEveryCustomKindHasItsJudge(t *testing.T) {
	for gvk, kind := range kinds {
		if !kind.custom {
			continue
		}
		if _, err := judgeFor(gvk); err != nil {
			t.Errorf("%s: %v", gvk, err)
		}
	}
	if _, err := judgeFor(schema.GroupVersionKind{Group: "k8s.ovn.org", Version: "v2", Kind: "VTEP"}); err == nil {
		t.Error("a version that no CRD has was found")
	}
}

func TestDefaults(t *testing.T) {
	l := loader{set: &Set{}, seen: map[identity]int{}}
	l.file("in.yaml", []byte(`apiVersion: k8s.ovn.org/v1
kind: VTEP
metadata: {name: a, namespace: ignored}
spec:
  cidrs: [100.64.0.0/24]
  mode: null
---
apiVersion: frrk8s.metallb.io/v1beta1
kind: FRRConfiguration
metadata: {name: a}
spec:
  bgp:
    routers:
    - asn: 64512
      neighbors:
      - {asn: 64512, address: 192.0.2.1, toReceive: {allowed: {}}}
`))
	if len(l.problems) > 0 {
		t.Fatal(l.problems)
	}
	vtep := l.set.Items[0].Object.(*ovnv1.VTEP)
	if vtep.Spec.Mode != ovnv1.VTEPModeManaged || vtep.Namespace != "" || vtep.Generation != 1 {
		t.Errorf("got mode %q, namespace %q, generation %d", vtep.Spec.Mode, vtep.Namespace, vtep.Generation)
	}
	config := l.set.Items[1].Object.(*frrk8sv1beta1.FRRConfiguration)
	neighbor := config.Spec.BGP.Routers[0].Neighbors[0]
	if neighbor.ToReceive.Allowed.Mode != frrk8sv1beta1.AllowRestricted || config.Namespace != "default" {
		t.Errorf("got mode %q, namespace %q", neighbor.ToReceive.Allowed.Mode, config.Namespace)
	}
}
