package snapshot

import (
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// believed is how long an agent's word about absent networks counts: long enough
// for a node's agent to be replaced, and short enough for a cluster whose agents
// were removed to advertise everything again.
const believed = 30 * time.Minute

// Absent is what a node's agent says of the Layer2 networks there, and for how long
// that counts yet: 0 where the agent does not say, said it too long ago, or has a
// clock that is far ahead.
func Absent(state *v1alpha1.NodeRouteState, now time.Time) (report model.Layer2Report, left time.Duration) {
	if state.Status.AbsentTime == nil {
		return report, 0
	}
	if left = state.Status.AbsentTime.Add(believed).Sub(now); left <= 0 || left > 2*believed {
		return report, 0
	}
	report.Known = true
	if networks := state.Status.AbsentNetworks; len(networks) > 0 {
		report.Absent = make(map[string]bool, len(networks))
		for _, name := range networks {
			report.Absent[name] = true
		}
	}
	return report, left
}

// Reported is what a node's agent says of the node, and for how long what it says of Layer2
// networks counts yet; see Absent. What it says of devices is only told to people, and
// counts until it says something else.
func Reported(state *v1alpha1.NodeRouteState, now time.Time) (report model.AgentReport, left time.Duration) {
	report.Layer2, left = Absent(state, now)
	ready := meta.FindStatusCondition(state.Status.Conditions, v1alpha1.ConditionEVPNReady)
	if ready == nil || ready.Status == metav1.ConditionUnknown {
		return report, left
	}
	report.EVPN.Known = true
	if ready.Status == metav1.ConditionFalse {
		report.EVPN.Reason = ready.Reason
	}
	return report, left
}

// StripRouteState keeps of a NodeRouteState what Reported reads. Agents write
// them whenever a route comes or goes.
func StripRouteState(state *v1alpha1.NodeRouteState) *v1alpha1.NodeRouteState {
	var conditions []metav1.Condition
	if ready := meta.FindStatusCondition(state.Status.Conditions, v1alpha1.ConditionEVPNReady); ready != nil {
		conditions = []metav1.Condition{{Type: ready.Type, Status: ready.Status, Reason: ready.Reason}}
	}
	return &v1alpha1.NodeRouteState{
		TypeMeta:   state.TypeMeta,
		ObjectMeta: metav1.ObjectMeta{Name: state.Name, UID: state.UID, ResourceVersion: state.ResourceVersion},
		Status: v1alpha1.NodeRouteStateStatus{
			AbsentTime: state.Status.AbsentTime, AbsentNetworks: state.Status.AbsentNetworks, Conditions: conditions,
		},
	}
}

// routeStates finds what nodes' agents say. A review of an object looks at few of
// the nodes, so nothing is computed before it is asked for.
type routeStates struct {
	all []v1alpha1.NodeRouteState
	// read is when they were read; files don't say, and are taken to be as old as
	// the youngest of them.
	read   time.Time
	once   sync.Once
	byName map[string]*v1alpha1.NodeRouteState
}

func (r *routeStates) index() {
	r.byName = make(map[string]*v1alpha1.NodeRouteState, len(r.all))
	youngest := time.Time{}
	for i := range r.all {
		state := &r.all[i]
		r.byName[state.Name] = state
		if said := state.Status.AbsentTime; said != nil && said.After(youngest) {
			youngest = said.Time
		}
	}
	if r.read.IsZero() {
		r.read = youngest
	}
}

func (r *routeStates) of(node string) model.AgentReport {
	r.once.Do(r.index)
	state := r.byName[node]
	if state == nil {
		return model.AgentReport{}
	}
	report, _ := Reported(state, r.read)
	return report
}

// AllocatedDynamically reports whether OVN-Kubernetes says of a network that it
// sets it up only where pods of it run. It says so once a pod did.
func AllocatedDynamically(cudn *ovnv1.ClusterUserDefinedNetwork) bool {
	return slices.ContainsFunc(cudn.Status.Conditions, func(c metav1.Condition) bool {
		return c.Type == ovnk.CUDNNodesSelected && c.Reason == ovnk.CUDNDynamicAllocation
	})
}

// dynamicAllocation goes by any network: the feature is the cluster's.
func dynamicAllocation(cudns []ovnv1.ClusterUserDefinedNetwork) bool {
	for i := range cudns {
		if AllocatedDynamically(&cudns[i]) {
			return true
		}
	}
	return false
}
