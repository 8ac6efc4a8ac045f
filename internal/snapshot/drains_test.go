package snapshot_test

import (
	"strings"
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
	if len(got) != 3 || got[0].Name != "broken" || got[1].Name != "full" || got[2].Name != "bare" {
		t.Fatalf("want all but the one that is being deleted: %+v", got)
	}
	broken, full, bare := got[0], got[1], got[2]
	if !bare.When.Cordon || !bare.When.Annotation || !bare.GracefulShutdown || bare.Withdraw != model.WithdrawShared || bare.WithdrawAfter != 2*time.Minute || bare.Problem != nil {
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

// What the CRD refuses, too, can be in a file that no API server has seen.
func TestDrainPoliciesThatCanNeverWork(t *testing.T) {
	taint := func(key, value, effect string) v1alpha1.DrainPolicySpec {
		return v1alpha1.DrainPolicySpec{When: v1alpha1.DrainTriggers{Taints: []v1alpha1.DrainTaint{{Key: key, Value: &value, Effect: effect}}}}
	}
	for name, test := range map[string]struct {
		spec v1alpha1.DrainPolicySpec
		want string
	}{
		"fine":                       {taint("example.com/down", "disk", "NoExecute"), ""},
		"no trigger":                 {v1alpha1.DrainPolicySpec{When: v1alpha1.DrainTriggers{Cordon: new(false), Annotation: new(false)}}, "spec.when can't be used: no node would ever drain"},
		"a taint as kubectl has it":  {taint("down:NoSchedule", "", ""), `spec.when.taints[0].key can't be used: "down:NoSchedule" has the effect in it: write key: down, effect: NoSchedule`},
		"a key that no taint has":    {taint("down!", "", ""), `no taint can have the key "down!"`},
		"a value that no taint has":  {taint("down", "a disk", ""), `no taint can have the value "a disk"`},
		"an effect that there isn't": {taint("down", "", "Never"), `"Never" is none of NoSchedule`},
		"nothing to do":              {v1alpha1.DrainPolicySpec{Do: v1alpha1.DrainActions{GracefulShutdown: new(false), Withdraw: v1alpha1.WithdrawNever}}, "nothing would change on a node that drains"},
		"a time that is past":        {v1alpha1.DrainPolicySpec{Do: v1alpha1.DrainActions{WithdrawAfterSeconds: new(int32(-1))}}, "-1 is not between 0 and 3600"},
		"a time without end":         {v1alpha1.DrainPolicySpec{Do: v1alpha1.DrainActions{WithdrawAfterSeconds: new(int32(3601))}}, "3601 is not between 0 and 3600"},
		"a selector that is none":    {v1alpha1.DrainPolicySpec{NodeSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"-": ""}}}, "spec.nodeSelector can't be used"},
	} {
		t.Run(name, func(t *testing.T) {
			policy := snapshot.DrainPolicy(&v1alpha1.DrainPolicy{Spec: test.spec})
			switch p := policy.Problem; {
			case p == nil && test.want != "":
				t.Errorf("accepted, want it refused with %q", test.want)
			case p != nil && (test.want == "" || p.Outcome != model.Invalid || !strings.Contains(p.Message, test.want)):
				t.Errorf("%s %q, want %q", p.Outcome, p.Message, test.want)
			}
		})
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
