package snapshot

import (
	"reflect"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func routeState(name string, age time.Duration, absent ...string) v1alpha1.NodeRouteState {
	return v1alpha1.NodeRouteState{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Status:     v1alpha1.NodeRouteStateStatus{AbsentTime: &metav1.Time{Time: noon.Add(-age)}, AbsentNetworks: absent},
	}
}

func TestAbsent(t *testing.T) {
	const blue = "cluster_udn_blue"
	for name, test := range map[string]struct {
		age     time.Duration
		untimed bool
		absent  string
		want    model.Layer2Report
		left    time.Duration
	}{
		"just said":                   {absent: blue, want: model.Layer2Report{Known: true, Absent: map[string]bool{blue: true}}, left: 30 * time.Minute},
		"said a while ago":            {age: 29 * time.Minute, absent: blue, want: model.Layer2Report{Known: true, Absent: map[string]bool{blue: true}}, left: time.Minute},
		"said too long ago":           {age: 30 * time.Minute, absent: blue},
		"never said":                  {untimed: true, absent: blue},
		"all there":                   {want: model.Layer2Report{Known: true}, left: 30 * time.Minute},
		"an older agent":              {untimed: true},
		"a clock that is ahead of us": {age: -time.Minute, absent: blue, want: model.Layer2Report{Known: true, Absent: map[string]bool{blue: true}}, left: 31 * time.Minute},
		"a clock that is far ahead":   {age: -time.Hour, absent: blue},
	} {
		t.Run(name, func(t *testing.T) {
			state := routeState("worker-1", test.age, strings.Fields(test.absent)...)
			if test.untimed {
				state.Status.AbsentTime = nil
			}
			for _, state := range []*v1alpha1.NodeRouteState{&state, StripRouteState(&state)} {
				if got, left := Absent(state, noon); !reflect.DeepEqual(got, test.want) || left != test.left {
					t.Errorf("%+v for %s, want %+v for %s", got, left, test.want, test.left)
				}
			}
		})
	}
}

// Whoever reads nodes believes the same reports: those that are fresh when the
// objects were read.
func TestNodeReaderBelievesWhatIsFresh(t *testing.T) {
	for name, test := range map[string]struct {
		read time.Time
		want string
	}{
		"at once":              {noon, "fresh late"},
		"later":                {noon.Add(5 * time.Minute), "fresh"},
		"long after":           {noon.Add(time.Hour), ""},
		"from files":           {time.Time{}, "fresh late"},
		"with a clock far off": {noon.Add(-2 * time.Hour), ""},
	} {
		t.Run(name, func(t *testing.T) {
			reader := NewNodeReader(&Objects{Read: test.read, RouteStates: []v1alpha1.NodeRouteState{
				routeState("late", 28*time.Minute, "cluster_udn_blue"), routeState("gone", 40*time.Minute, "cluster_udn_blue"), routeState("fresh", 0, "cluster_udn_blue"),
			}}, model.Settings{})
			var got []string
			for _, name := range []string{"fresh", "gone", "late", "silent"} {
				node := reader.Node(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}})
				if node.Layer2.Known != node.Layer2.Absent["cluster_udn_blue"] {
					t.Errorf("%s: %+v", name, node.Layer2)
				}
				if node.Layer2.Known {
					got = append(got, name)
				}
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("believed are %q, want %q", got, test.want)
			}
		})
	}
}

func TestReportedEVPN(t *testing.T) {
	for name, test := range map[string]struct {
		conditions []metav1.Condition
		want       model.EVPNReport
	}{
		"nothing":   {nil, model.EVPNReport{}},
		"ready":     {[]metav1.Condition{{Type: "EVPNReady", Status: "True", Reason: "Ready"}}, model.EVPNReport{Known: true}},
		"not ready": {[]metav1.Condition{{Type: "EVPNReady", Status: "False", Reason: "SVIDown", Message: "svl2-blue is down"}}, model.EVPNReport{Known: true, Reason: "SVIDown"}},
		"not known": {[]metav1.Condition{{Type: "EVPNReady", Status: "Unknown", Reason: "KernelUnread"}}, model.EVPNReport{}},
		"others":    {[]metav1.Condition{{Type: "Synced", Status: "False", Reason: "NoRouter"}}, model.EVPNReport{}},
	} {
		state := &v1alpha1.NodeRouteState{Status: v1alpha1.NodeRouteStateStatus{Conditions: test.conditions}}
		for _, s := range []*v1alpha1.NodeRouteState{state, StripRouteState(state)} {
			if got, _ := Reported(s, noon); got.EVPN != test.want {
				t.Errorf("%s: %+v, want %+v", name, got.EVPN, test.want)
			}
		}
	}
}

func TestDynamicAllocation(t *testing.T) {
	network := func(kind, reason string, status metav1.ConditionStatus) ovnv1.ClusterUserDefinedNetwork {
		return ovnv1.ClusterUserDefinedNetwork{Status: ovnv1.ClusterUserDefinedNetworkStatus{Conditions: []metav1.Condition{{Type: kind, Reason: reason, Status: status}}}}
	}
	created := network("NetworkCreated", "NetworkAttachmentDefinitionCreated", metav1.ConditionTrue)
	for name, test := range map[string]struct {
		network ovnv1.ClusterUserDefinedNetwork
		want    bool
	}{
		"off":               {created, false},
		"a network in use":  {network("NodesSelected", "DynamicAllocation", metav1.ConditionTrue), true},
		"one that was once": {network("NodesSelected", "DynamicAllocation", metav1.ConditionFalse), true},
	} {
		if got := Cluster(&Objects{CUDNs: []ovnv1.ClusterUserDefinedNetwork{created, test.network}}, model.Settings{}).DynamicAllocation; got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
