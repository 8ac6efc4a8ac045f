package node

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
)

// Agents write often; a node is planned again where it makes a difference.
func TestReportChanges(t *testing.T) {
	noon := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	said := func(minute int, absent ...string) *v1alpha1.NodeRouteState {
		return &v1alpha1.NodeRouteState{Status: v1alpha1.NodeRouteStateStatus{
			AbsentTime: &metav1.Time{Time: noon.Add(time.Duration(minute) * time.Minute)}, AbsentNetworks: absent,
		}}
	}
	silent := &v1alpha1.NodeRouteState{}
	evpn := func(status metav1.ConditionStatus, reason, message string) *v1alpha1.NodeRouteState {
		return &v1alpha1.NodeRouteState{Status: v1alpha1.NodeRouteStateStatus{
			Conditions: []metav1.Condition{{Type: v1alpha1.ConditionEVPNReady, Status: status, Reason: reason, Message: message}},
		}}
	}
	for name, test := range map[string]struct {
		before, after *v1alpha1.NodeRouteState
		want          bool
	}{
		"silent":                    {silent, silent, false},
		"the first word":            {silent, said(0), true},
		"the same a little later":   {said(0, "blue"), said(10, "blue"), false},
		"all there a little later":  {said(0), said(10), false},
		"another network":           {said(0, "blue"), said(1, "blue", "red"), true},
		"none any more":             {said(0, "blue"), said(1), true},
		"the same after too long":   {said(0, "blue"), said(31, "blue"), true},
		"all there after too long":  {said(0), said(31), true},
		"the last Layer2 network":   {said(0, "blue"), silent, true},
		"routes that come":          {said(0, "blue"), said(0, "blue"), false},
		"EVPN that is ready":        {silent, evpn("True", "Ready", ""), true},
		"EVPN that breaks":          {evpn("True", "Ready", ""), evpn("False", "SVIDown", ""), true},
		"EVPN with another fault":   {evpn("False", "SVIDown", "svl2-blue"), evpn("False", "SVIDown", "svl2-red"), false},
		"EVPN that is not known":    {silent, evpn("Unknown", "KernelUnread", ""), false},
		"a clock that was set back": {said(0, "blue"), said(-10, "blue"), false},
	} {
		if got := reportChanges().Update(event.TypedUpdateEvent[*v1alpha1.NodeRouteState]{ObjectOld: test.before, ObjectNew: test.after}); got != test.want {
			t.Errorf("%s: %t, want %t", name, got, test.want)
		}
	}
}
