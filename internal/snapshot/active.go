package snapshot

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// believed is how long an agent's word about networks that are not active
// counts: long enough for a node's agent to be replaced, and short enough for a
// cluster whose agents were removed to advertise everything again.
const believed = 30 * time.Minute

// Absent returns the networks that are not active on a node, as its agent wrote,
// and for how long that counts yet. Both are zero where the agent does not say,
// said it too long ago, or has a clock that is far ahead. An agent that does not
// find the default network, which every node is on, looks into another zone's
// database and knows nothing.
func Absent(state *v1alpha1.NodeRouteState, now time.Time) (absent map[string]bool, left time.Duration) {
	if state.Status.ActiveTime == nil {
		return nil, 0
	}
	if left = state.Status.ActiveTime.Add(believed).Sub(now); left <= 0 || left > 2*believed {
		return nil, 0
	}
	for i := range state.Status.Networks {
		switch n := &state.Status.Networks[i]; {
		case n.Active == nil:
		case n.Name == model.DefaultNetwork && !*n.Active:
			return nil, 0
		case !*n.Active:
			if absent == nil {
				absent = map[string]bool{}
			}
			absent[n.Name] = true
		}
	}
	if absent == nil {
		return nil, 0
	}
	return absent, left
}

// StripRouteState keeps of a NodeRouteState what Absent reads. Agents write
// them whenever a route comes or goes.
func StripRouteState(state *v1alpha1.NodeRouteState) *v1alpha1.NodeRouteState {
	out := &v1alpha1.NodeRouteState{
		TypeMeta:   state.TypeMeta,
		ObjectMeta: metav1.ObjectMeta{Name: state.Name, UID: state.UID, ResourceVersion: state.ResourceVersion},
		Status:     v1alpha1.NodeRouteStateStatus{ActiveTime: state.Status.ActiveTime},
	}
	for i := range state.Status.Networks {
		if n := &state.Status.Networks[i]; n.Active != nil && !*n.Active {
			out.Status.Networks = append(out.Status.Networks, v1alpha1.NetworkRouteState{Name: n.Name, Active: n.Active})
		}
	}
	return out
}
