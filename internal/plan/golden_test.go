package plan_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/manifest"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/preview"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden plans testdata/golden/*/in.yaml and compares with out.yaml. Where
// an input has no nodes, the cluster of testdata/cluster.yaml is added.
func TestGolden(t *testing.T) {
	inputs, err := filepath.Glob("testdata/golden/*/in.yaml")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no golden inputs: %v", err)
	}
	for _, input := range inputs {
		folder := filepath.Dir(input)
		t.Run(filepath.Base(folder), func(t *testing.T) {
			got := planned(t, input, settings(t, filepath.Join(folder, "flags")))
			golden := filepath.Join(folder, "out.yaml")
			if *update {
				if err := os.WriteFile(golden, got, 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s is not what is planned now; if the change is meant, run `go test ./internal/plan -update` and read the diff\n%s", golden, got)
			}
		})
	}
}

func settings(t *testing.T, path string) model.Settings {
	t.Helper()
	out := model.Settings{Managed: model.ManagedRouting{ASN: 64512, Namespace: "frr-k8s-system"}}
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return out
	} else if err != nil {
		t.Fatal(err)
	}
	flags := pflag.NewFlagSet(path, pflag.ContinueOnError)
	flags.BoolVar(&out.TakeOver, "take-over", false, "")
	flags.BoolVar(&out.FRRRaw, "frr-raw", false, "")
	flags.BoolVar(&out.ManageVTEPs, "manage-vteps", false, "")
	flags.Uint32Var(&out.Managed.ASN, "managed-asn", out.Managed.ASN, "")
	flags.StringVar(&out.Managed.Namespace, "managed-namespace", out.Managed.Namespace, "")
	noOverlay := flags.StringSlice("default-network-no-overlay-subnets", nil, "")
	clusterSubnets := flags.StringSlice("cluster-subnets", nil, "")
	serviceSubnets := flags.StringSlice("service-subnets", nil, "")
	if err := flags.Parse(strings.Fields(string(text))); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if out.DefaultNoOverlay, err = ovnk.ParseClusterSubnets(*noOverlay); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if out.ClusterSubnets, err = ovnk.ParseClusterSubnets(*clusterSubnets); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if out.ServiceSubnets, err = ovnk.ParseServiceSubnets(*serviceSubnets); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return out
}

func planned(t *testing.T, input string, settings model.Settings) []byte {
	t.Helper()
	objects := load(t, input)
	if len(objects.Nodes) == 0 {
		objects = load(t, input, "testdata/cluster.yaml")
	}
	var out bytes.Buffer
	if err := preview.New(objects, settings).YAML(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func load(t *testing.T, paths ...string) *snapshot.Objects {
	t.Helper()
	set, err := manifest.Load(paths, nil)
	if err != nil {
		t.Fatal(err)
	}
	return set.Objects()
}
