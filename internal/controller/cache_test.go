package controller

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/manifest"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

// TestTheCacheKeepsWhatTheSnapshotReads makes snapshots of all of the planner's
// golden inputs, from whole objects as a preview has them and from those that
// the manager's cache keeps: an annotation that one reads and the other drops
// would be a plan that only the preview knows.
func TestTheCacheKeepsWhatTheSnapshotReads(t *testing.T) {
	inputs, err := filepath.Glob("../plan/testdata/golden/*/in.yaml")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no golden inputs: %v", err)
	}
	keep := strip()
	for _, input := range inputs {
		whole, kept := load(t, input), load(t, input)
		for i := range kept.Nodes {
			stripped(t, keep, &kept.Nodes[i])
		}
		for i := range kept.NADs {
			stripped(t, keep, &kept.NADs[i])
		}
		for i := range kept.Namespaces {
			stripped(t, keep, &kept.Namespaces[i])
		}
		for i := range kept.RouteAdvertisements {
			stripped(t, keep, &kept.RouteAdvertisements[i])
		}
		for i := range kept.RouteStates {
			stripped(t, keep, &kept.RouteStates[i])
		}
		for i := range kept.CUDNs {
			stripped(t, keep, &kept.CUDNs[i])
		}
		settings := model.Settings{Managed: model.ManagedRouting{ASN: 64512, Namespace: "frr-k8s-system"}}
		if got, want := snapshot.Snapshot(kept, settings), snapshot.Snapshot(whole, settings); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: of what the cache keeps the snapshot is\n%+v\nand of all\n%+v", input, got, want)
		}
	}
}

func load(t *testing.T, path string) *snapshot.Objects {
	t.Helper()
	set, err := manifest.Load([]string{path}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return set.Objects()
}

// stripped replaces an object by what the cache keeps of it.
func stripped[object any](t *testing.T, keep func(any) (any, error), o *object) {
	t.Helper()
	got, err := keep(o)
	if err != nil {
		t.Fatal(err)
	}
	*o = *got.(*object)
}
