package report

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

func TestStatusSumsUp(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	synced := agent.NetworkState{Network: "default", Table: 254, Router: "GR_n1", Learned: 5, Imported: 3, Reason: agent.ReasonSynced,
		Skipped: map[model.SkipReason]int{model.SkipPodSubnet: 2, model.SkipForeignLink: 0}}
	for _, test := range []struct {
		name   string
		second agent.NetworkState
		synced metav1.ConditionStatus
		within metav1.ConditionStatus
		reason string
	}{
		{"all well", agent.NetworkState{Reason: agent.ReasonSynced}, metav1.ConditionTrue, metav1.ConditionTrue, agent.ReasonSynced},
		{"known to be missing", agent.NetworkState{Reason: agent.ReasonNoGatewayRouter}, metav1.ConditionFalse, metav1.ConditionTrue, agent.ReasonNoGatewayRouter},
		{"not known", agent.NetworkState{Reason: agent.ReasonDisconnected}, metav1.ConditionUnknown, metav1.ConditionTrue, agent.ReasonDisconnected},
		{"held back", agent.NetworkState{Reason: agent.ReasonOverLimit, Held: 7, Limit: 3}, metav1.ConditionFalse, metav1.ConditionFalse, agent.ReasonOverLimit},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.second.Network = "cluster_udn_blue"
			got := Status(&Seen{States: []agent.NetworkState{synced, test.second}}, &v1alpha1.NodeRouteStateStatus{}, now)
			c := meta.FindStatusCondition(got.Conditions, v1alpha1.ConditionSynced)
			if c.Status != test.synced || c.Reason != test.reason || !meta.IsStatusConditionPresentAndEqual(got.Conditions, v1alpha1.ConditionWithinLimit, test.within) {
				t.Errorf("%+v", got.Conditions)
			}
			if got.Learned != 5 || got.Imported != 3 || got.NetworkCount != 2 || len(got.Networks[0].Skipped) != 1 || got.Networks[0].Skipped[0].Count != 2 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// The same state is the same status later, so that nothing is written.
func TestStatusIsSteady(t *testing.T) {
	now := time.Now()
	states := []agent.NetworkState{{Network: "default", Reason: agent.ReasonSynced, Learned: 1, Changed: now}}
	first := Status(&Seen{States: states}, &v1alpha1.NodeRouteStateStatus{}, now)
	second := Status(&Seen{States: states}, &first, now.Add(time.Hour))
	if !equality.Semantic.DeepEqual(first, second) {
		t.Errorf("\n%+v\nnot\n%+v", second, first)
	}
	states[0].Reason = agent.ReasonDisconnected
	third := Status(&Seen{States: states}, &second, now.Add(2*time.Hour))
	if c := meta.FindStatusCondition(third.Conditions, v1alpha1.ConditionSynced); !c.LastTransitionTime.After(first.Conditions[0].LastTransitionTime.Time) {
		t.Errorf("no transition: %+v", c)
	}
}
