package report

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
)

// renewActive is how old ActiveTime may become while a network is not active.
const renewActive = 10 * time.Minute

// setActive says which networks OVN-Kubernetes has set up on the node. Where that
// is not known, what was written before stays, with its time: a database that
// can't be read for a while withdraws nothing and advertises nothing.
func setActive(out, before *v1alpha1.NodeRouteStateStatus, states []agent.NetworkState, now time.Time) {
	old := make(map[string]*bool, len(before.Networks))
	for i := range before.Networks {
		old[before.Networks[i].Name] = before.Networks[i].Active
	}
	known := true
	changed, absent := false, false
	for i := range out.Networks {
		n := &out.Networks[i]
		at := slices.IndexFunc(states, func(s agent.NetworkState) bool { return s.Network == n.Name })
		if at < 0 || states[at].Active == nil {
			known, n.Active = false, old[n.Name]
		} else {
			n.Active = states[at].Active
		}
		changed = changed || n.Active != nil && (old[n.Name] == nil || *old[n.Name] != *n.Active)
		absent = absent || n.Active != nil && !*n.Active
	}
	if !absent {
		return
	}
	out.ActiveTime = before.ActiveTime
	if known && (changed || out.ActiveTime == nil || now.Sub(out.ActiveTime.Time) >= renewActive) {
		out.ActiveTime = &metav1.Time{Time: now.Truncate(time.Second)}
	}
}
