package vtep

import (
	"net/netip"
	"reflect"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/allocation"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

func unmanaged(name string, cidrs ...ovnv1.NetworkCIDR) ovnv1.VTEP {
	return ovnv1.VTEP{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{model.AnnotationAllocate: "true"}},
		Spec: ovnv1.VTEPSpec{Mode: ovnv1.VTEPModeUnmanaged, CIDRs: cidrs}}
}

// A node is believed about itself, and no further: one address of a family, of a VTEP with
// mode Unmanaged, within its ranges.
func TestWhatANodeTellsOfItself(t *testing.T) {
	managed := unmanaged("managed", "100.66.0.0/24")
	managed.Spec.Mode = ovnv1.VTEPModeManaged
	vteps := []ovnv1.VTEP{unmanaged("a", "100.64.0.0/24", "fd00::/64"), managed}
	for told, want := range map[string]map[string][]addr{
		`{"a":{"ips":["100.64.0.7","100.64.0.8","fd00::7"]}}`: {"a": {netip.MustParseAddr("100.64.0.7"), netip.MustParseAddr("fd00::7")}},
		`{"a":{"ips":["100.64.0.9"]}}`:                        {}, // What it was given.
		`{"a":{"ips":["100.65.0.7"]}}`:                        {},
		`{"managed":{"ips":["100.66.0.7"]}}`:                  {},
		`{"another":{"ips":["100.64.0.7"]}}`:                  {},
		`nonsense`:                                            nil,
		``:                                                    nil,
	} {
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{ovnk.AnnotationVTEPs: told}}}
		if got := ownOf(node, map[string][]addr{"a": {netip.MustParseAddr("100.64.0.9")}}, vteps); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, not %v", told, got, want)
		}
	}
}

// What was decided counts, and not what somebody made of the annotation; of a node that
// this manager never saw, the annotation does. A node is gone once its object is, too.
func TestRequest(t *testing.T) {
	object := func(name, value string) *metav1.PartialObjectMetadata {
		return &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{model.AnnotationVTEPs: value}}}
	}
	at := func(text string) map[string][]addr { return map[string][]addr{"a": {netip.MustParseAddr(text)}} }
	r := &Reconciler{decided: map[string]map[string][]addr{"known": at("100.64.0.1"), "leaving": at("100.64.0.2"), "left": at("100.64.0.3")}}
	created := metav1.NewTime(time.Unix(7, 0))
	found := &gathered{
		vteps: []ovnv1.VTEP{unmanaged("a", "100.64.0.0/24"), unmanaged("b", "100.64.0.0/30")},
		nodes: []corev1.Node{{ObjectMeta: metav1.ObjectMeta{Name: "known", CreationTimestamp: created}}, {ObjectMeta: metav1.ObjectMeta{Name: "new"}}},
	}
	got := r.request(found, map[string]*metav1.PartialObjectMetadata{
		"known": object("known", `{"a":{"ips":["100.64.0.9"]}}`), "new": object("new", `{"a":{"ips":["100.64.0.4"]}}`), "leaving": object("leaving", "nonsense"),
	})
	want := []allocation.Node{
		{Name: "known", Created: created.Time, Held: at("100.64.0.1"), Sure: true}, {Name: "new", Held: at("100.64.0.4")}, {Name: "leaving", Held: at("100.64.0.2"), Sure: true, Gone: true},
	}
	if !reflect.DeepEqual(got.Nodes, want) {
		t.Errorf("nodes are %+v, not %+v", got.Nodes, want)
	}
	if !reflect.DeepEqual(got.Resting, []addr{netip.MustParseAddr("100.64.0.3")}) {
		t.Errorf("%v rests", got.Resting)
	}
	wide, narrow := netip.MustParsePrefix("100.64.0.0/24"), netip.MustParsePrefix("100.64.0.0/30")
	if !reflect.DeepEqual(got.Pools, []allocation.Pool{{VTEP: "a", CIDRs: []netip.Prefix{wide}, Others: []netip.Prefix{narrow}}, {VTEP: "b", CIDRs: []netip.Prefix{narrow}, Others: []netip.Prefix{wide}}}) {
		t.Errorf("pools are %+v", got.Pools)
	}
}
