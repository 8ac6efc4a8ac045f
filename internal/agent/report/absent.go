package report

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
)

// renewAbsent is how old AbsentTime may become. It is a third of what the manager
// believes, so that an agent may be replaced meanwhile.
const renewAbsent = 10 * time.Minute

// setAbsent says which Layer2 networks are not on the node. If that is not known,
// what was written before stays, with its time: a database that can't be read for
// a while, or an agent that has just started, withdraws nothing and advertises
// nothing.
func setAbsent(out, before *v1alpha1.NodeRouteStateStatus, found *agent.Layer2, now time.Time) {
	switch {
	case !found.Known:
		out.AbsentNetworks, out.AbsentTime = before.AbsentNetworks, before.AbsentTime
		return
	case found.Networks == 0:
		return
	}
	absent := slices.Clone(found.Absent)
	for _, network := range found.Undecided {
		if slices.Contains(before.AbsentNetworks, network) {
			absent = append(absent, network)
		}
	}
	slices.Sort(absent)
	out.AbsentNetworks, out.AbsentTime = absent, before.AbsentTime
	fresh := false
	if before.AbsentTime != nil {
		age := now.Sub(before.AbsentTime.Time)
		// A clock that was set back leaves a time to come.
		fresh = age < renewAbsent && age > -renewAbsent
	}
	if !fresh || !slices.Equal(absent, before.AbsentNetworks) {
		out.AbsentTime = &metav1.Time{Time: now.Truncate(time.Second)}
	}
}
