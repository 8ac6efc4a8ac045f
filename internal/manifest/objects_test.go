package manifest

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

func load(t *testing.T, text string) *Set {
	t.Helper()
	l := loader{set: &Set{}, seen: map[identity]int{}}
	l.file("in.yaml", []byte(text))
	if len(l.problems) > 0 {
		t.Fatal(l.problems)
	}
	return l.set
}

// Files on top of a cluster count as applied: what they don't mention stays.
func TestOverlay(t *testing.T) {
	created := metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	live := &snapshot.Objects{
		RouteAdvertisements: []ovnv1.RouteAdvertisements{
			{ObjectMeta: metav1.ObjectMeta{Name: "other", Generation: 1}},
			{
				ObjectMeta: metav1.ObjectMeta{
					Name: "default", Generation: 4, CreationTimestamp: created, ResourceVersion: "12",
					Labels:        map[string]string{"kept": "yes", "changed": "before"},
					ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "somebody"}},
				},
				Spec:   ovnv1.RouteAdvertisementsSpec{TargetVRF: "red"},
				Status: ovnv1.RouteAdvertisementsStatus{Status: "Accepted"},
			},
		},
		UplinkStates: []unstructured.Unstructured{{Object: map[string]any{
			"apiVersion": "k8s.ovn.org/v1alpha1", "kind": "UplinkState", "metadata": map[string]any{"name": "u"},
			"status": map[string]any{"a": "b"},
		}}},
	}
	set := load(t, goodRA+`---
apiVersion: k8s.ovn.org/v1alpha1
kind: UplinkState
metadata: {name: u, labels: {a: b}}
---
apiVersion: v1
kind: Node
metadata: {name: new}
`)
	set.Items[0].SetLabels(map[string]string{"changed": "after", "added": "yes"})
	before := live.RouteAdvertisements[1].DeepCopy()
	got, err := set.Overlay(live)
	if err != nil {
		t.Fatal(err)
	}
	ra := &got.RouteAdvertisements[1]
	switch {
	case len(got.RouteAdvertisements) != 2 || got.RouteAdvertisements[0].Name != "other":
		t.Errorf("got %v", got.RouteAdvertisements)
	case ra.Generation != 5 || !ra.CreationTimestamp.Equal(&created) || len(ra.ManagedFields) != 1:
		t.Errorf("metadata of the cluster is lost: %+v", ra.ObjectMeta)
	case len(ra.Labels) != 3 || ra.Labels["kept"] != "yes" || ra.Labels["changed"] != "after":
		t.Errorf("labels are not merged: %v", ra.Labels)
	case ra.Spec.TargetVRF != "" || len(ra.Spec.NetworkSelectors) != 1:
		t.Errorf("spec is not the file's: %+v", ra.Spec)
	case ra.Status.Status != "Accepted":
		t.Errorf("status of the cluster is lost: %+v", ra.Status)
	}
	if live.RouteAdvertisements[1].Spec.TargetVRF != before.Spec.TargetVRF || len(live.RouteAdvertisements[1].Labels) != 2 {
		t.Error("the cluster's object was changed")
	}
	if uplink := got.UplinkStates[0]; uplink.GetLabels()["a"] != "b" || uplink.Object["status"] == nil {
		t.Errorf("got %v", uplink.Object)
	}
	if len(got.Nodes) != 1 || got.Nodes[0].Name != "new" {
		t.Errorf("got nodes %v", got.Nodes)
	}

	again, err := set.Overlay(got)
	if err != nil {
		t.Fatal(err)
	}
	if again.RouteAdvertisements[1].Generation != 5 {
		t.Error("applying the same again counts as a change")
	}
}

// Of two objects that exclude each other the older one goes on, so that what
// files bring to a cluster must not look as if it had always been there.
func TestOverlayMakesNewObjectsTheYoungest(t *testing.T) {
	created := metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	live := &snapshot.Objects{
		RouteAdvertisements: []ovnv1.RouteAdvertisements{{ObjectMeta: metav1.ObjectMeta{Name: "other", CreationTimestamp: created}}},
	}
	set := load(t, goodRA)
	got, err := set.Overlay(live)
	if err != nil {
		t.Fatal(err)
	}
	if at := got.RouteAdvertisements[1].CreationTimestamp; !created.Before(&at) {
		t.Errorf("a new object is made at %s, not after %s", at, created)
	}
	// Files alone have the times that they say, as a dump of a cluster has.
	set.Items[0].SetCreationTimestamp(created)
	if at := set.Objects().RouteAdvertisements[0].CreationTimestamp; !at.Equal(&created) {
		t.Errorf("the time of a file became %s", at)
	}
}

// A plan's output has its input again, with a status.
func TestTheSameWithAStatus(t *testing.T) {
	status := "status:\n  status: Accepted\n  conditions:\n  - {type: Accepted, status: \"True\", reason: Accepted, message: planned}\n"
	for name, text := range map[string]string{
		"first without":  goodRA + "---\n" + goodRA + status,
		"second without": goodRA + status + "---\n" + goodRA,
		"both":           goodRA + status + "---\n" + goodRA + status,
	} {
		t.Run(name, func(t *testing.T) {
			set := load(t, text)
			if len(set.Items) != 1 {
				t.Fatalf("got %d objects", len(set.Items))
			}
			if ra := set.Items[0].Object.(*ovnv1.RouteAdvertisements); ra.Status.Status != "Accepted" || len(ra.Status.Conditions) != 1 {
				t.Errorf("the status is lost: %+v", ra.Status)
			}
		})
	}
}
