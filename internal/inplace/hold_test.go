package inplace

import (
	"slices"
	"testing"
	"time"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

func holdOf(namespace, template string, until time.Time) frrk8sv1beta1.FRRConfiguration {
	return *newHold(client.ObjectKey{Namespace: namespace, Name: template}, &metav1.LabelSelector{}, until)
}

func TestLeftOverHolds(t *testing.T) {
	marked := frrk8sv1beta1.FRRConfiguration{ObjectMeta: metav1.ObjectMeta{Namespace: "changing", Name: "fabric"}}
	marked.Spec.NodeSelector.MatchExpressions = []metav1.LabelSelectorRequirement{mark}
	unreadable := holdOf("frr", "unreadable", noon)
	unreadable.Annotations[model.AnnotationHoldUntil] = "tomorrow"
	all := []frrk8sv1beta1.FRRConfiguration{
		{ObjectMeta: metav1.ObjectMeta{Namespace: "frr", Name: "fabric"}},
		{ObjectMeta: metav1.ObjectMeta{Namespace: "frr", Name: "ovnbgp-node1", Labels: map[string]string{model.LabelGenerated: "true"}}},
		holdOf("frr", "over", noon.Add(-time.Second)), holdOf("frr", "at-work", noon.Add(time.Second)), unreadable,
		marked, holdOf("changing", "fabric", noon.Add(-time.Hour)),
	}
	var names []string
	for _, hold := range LeftOver(all, noon) {
		names = append(names, hold.Name)
	}
	if want := []string{"hold-over", "hold-unreadable"}; !slices.Equal(names, want) {
		t.Errorf("left over are %v, want %v", names, want)
	}
}

// The manager must take a hold neither for a template nor for a node's object, which it
// would delete.
func TestAHoldIsNoNodesObject(t *testing.T) {
	hold := holdOf("frr", "fabric", noon)
	if !apply.Owned(&hold) {
		t.Error("a hold passes for a template")
	}
	if keys := apply.IndexByNode(&hold); len(keys) > 0 {
		t.Errorf("a hold is filed under node %v", keys)
	}
	long := holdOf("frr", string(slices.Repeat([]byte{'a'}, 253)), noon)
	if len(long.Name) > 253 {
		t.Errorf("the name has %d characters", len(long.Name))
	}
}
