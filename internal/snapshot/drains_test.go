package snapshot_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

func TestDrainPolicies(t *testing.T) {
	at := func(name string, day int) metav1.ObjectMeta {
		return metav1.ObjectMeta{Name: name, Generation: 2, CreationTimestamp: metav1.NewTime(time.Date(2026, 11, day, 0, 0, 0, 0, time.UTC))}
	}
	deleted := at("deleted", 1)
	deleted.DeletionTimestamp = new(metav1.Now())
	got := snapshot.DrainPolicies([]v1alpha1.DrainPolicy{
		{ObjectMeta: at("broken", 3), Spec: v1alpha1.DrainPolicySpec{Do: v1alpha1.DrainActions{Withdraw: "All"}}},
		{ObjectMeta: at("full", 2), Spec: v1alpha1.DrainPolicySpec{
			NodeSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"rack": "a"}},
			When:         v1alpha1.DrainTriggers{Cordon: new(false), Annotation: new(false), Taints: []v1alpha1.DrainTaint{{Key: "down", Value: new(""), Effect: "NoExecute"}}},
			Do:           v1alpha1.DrainActions{GracefulShutdown: new(false), Withdraw: v1alpha1.WithdrawEverything, WithdrawAfterSeconds: new(int32(9))},
		}, Status: v1alpha1.DrainPolicyStatus{Nodes: []v1alpha1.DrainingNode{{Name: "one", Phase: v1alpha1.DrainWithdrawn}, {Name: "two", Phase: v1alpha1.DrainReturning}}}},
		{ObjectMeta: at("bare", 1)},
		{ObjectMeta: deleted},
	})
	if len(got) != 3 || got[0].Name != "bare" || got[1].Name != "full" || got[2].Name != "broken" {
		t.Fatalf("the oldest comes first, and none that is being deleted: %+v", got)
	}
	bare, full, broken := got[0], got[1], got[2]
	if !bare.When.Cordon || !bare.When.Annotation || !bare.GracefulShutdown || bare.Withdraw != model.WithdrawShared || bare.Problem != nil {
		t.Errorf("without the CRD's defaults: %+v", bare)
	}
	if full.When.Cordon || full.When.Annotation || full.GracefulShutdown || full.Withdraw != model.WithdrawEverything || full.WithdrawAfter != 9*time.Second ||
		len(full.Nodes) != 1 || !full.Listed["one"] || full.Listed["two"] || len(full.Listed) != 2 {
		t.Errorf("with all fields: %+v", full)
	}
	if match := full.When.Taints[0]; !match.Matches(model.Taint{Key: "down", Effect: "NoExecute"}) || match.Matches(model.Taint{Key: "down", Value: "x", Effect: "NoExecute"}) ||
		match.Matches(model.Taint{Key: "down", Effect: "NoSchedule"}) || match.Matches(model.Taint{Key: "up", Effect: "NoExecute"}) {
		t.Errorf("%+v matches other taints", match)
	}
	if broken.Problem == nil || broken.Problem.Reason != "InvalidDrainPolicy" || broken.Counts(&model.NodeSummary{}) {
		t.Errorf("an unknown withdrawal: %+v", broken)
	}
}

func TestMaintenance(t *testing.T) {
	for value, want := range map[string]bool{"true": true, "new disks": true, "": true, "false": false} {
		n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{model.AnnotationMaintenance: value}}}
		if got := snapshot.Host(n).Maintenance.Annotated; got != want {
			t.Errorf("annotation %q: %v", value, got)
		}
	}
	n := &corev1.Node{Spec: corev1.NodeSpec{Unschedulable: true, Taints: []corev1.Taint{{Key: corev1.TaintNodeUnreachable, Effect: corev1.TaintEffectNoExecute}}}}
	m := snapshot.Host(n).Maintenance
	if !m.Cordoned || m.Annotated || m.Up() || len(m.Taints) != 1 {
		t.Errorf("%+v", m)
	}
}
