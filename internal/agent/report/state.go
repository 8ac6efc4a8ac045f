package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/phrase"
)

// The reasons of WithinLimit.
//
//reference:reasons NodeRouteState WithinLimit
const (
	// True: no route is left out because of the limit.
	// Do: nothing.
	reasonWithinLimit = "WithinLimit"
	// False: a network has more routes than --max-routes-per-vrf. What was
	// imported before stays; more routes are imported when there is room.
	// Do: make the neighbors send fewer routes, or raise the flag.
	reasonOverLimit = "OverLimit"
)

// maxMessage keeps an object with many networks within what etcd takes.
const maxMessage = 512

// Seen is what the agent knows of its node.
type Seen struct {
	States  []agent.NetworkState
	Devices Devices
	Layer2  agent.Layer2
}

// Status turns what the agent has seen into the object's status. Conditions of
// before keep their time of transition.
func Status(seen *Seen, before *v1alpha1.NodeRouteStateStatus, now time.Time) v1alpha1.NodeRouteStateStatus {
	devices := &seen.Devices
	states := devices.withRouteless(seen.States)
	out := v1alpha1.NodeRouteStateStatus{NetworkCount: int32(len(states))}
	old := map[string][]metav1.Condition{}
	for i := range before.Networks {
		old[before.Networks[i].Name] = before.Networks[i].Conditions
	}
	var unsynced, held []string
	unknown, reason := false, ""
	for i := range states {
		s := &states[i]
		out.Learned += int64(s.Learned)
		out.Imported += int64(s.Imported)
		network := networkStatus(s, old[s.Network], now)
		devices.setNetwork(&network.Conditions, s.Network, now)
		out.Networks = append(out.Networks, network)
		if s.Reason != agent.ReasonSynced {
			unsynced = append(unsynced, s.Network)
			reason = cmp.Or(reason, s.Reason)
			unknown = unknown || !decided(s.Reason)
		}
		if s.Held > 0 {
			held = append(held, s.Network)
		}
	}
	setAbsent(&out, before, &seen.Layer2, now)
	out.Conditions = slices.Clone(before.Conditions)
	synced := metav1.Condition{Type: v1alpha1.ConditionSynced, Status: metav1.ConditionTrue, Reason: agent.ReasonSynced,
		Message: fmt.Sprintf("all %d networks are imported", len(states))}
	if len(unsynced) > 0 {
		synced.Status, synced.Reason = metav1.ConditionFalse, reason
		if unknown {
			synced.Status = metav1.ConditionUnknown
		}
		synced.Message = cut(fmt.Sprintf("%d of %d networks are not imported, or not all of their routes: %s; see status.networks", len(unsynced), len(states), list(unsynced)))
	}
	set(&out.Conditions, synced, now)
	set(&out.Conditions, limitCondition(held, ""), now)
	devices.setNode(&out.Conditions, now)
	return out
}

func networkStatus(s *agent.NetworkState, before []metav1.Condition, now time.Time) v1alpha1.NetworkRouteState {
	out := v1alpha1.NetworkRouteState{
		Name: s.Network, VRF: s.VRF, Table: int64(s.Table), GatewayRouter: s.Router,
		Learned: int64(s.Learned), Imported: int64(s.Imported), Conditions: slices.Clone(before),
	}
	for reason, n := range s.Skipped {
		if n > 0 {
			out.Skipped = append(out.Skipped, v1alpha1.SkippedRoutes{Reason: string(reason), Count: int64(n)})
		}
	}
	slices.SortFunc(out.Skipped, func(a, b v1alpha1.SkippedRoutes) int { return cmp.Compare(a.Reason, b.Reason) })
	if !s.Changed.IsZero() {
		out.LastChange = &metav1.Time{Time: s.Changed.Truncate(time.Second)}
	}
	synced := metav1.Condition{Type: v1alpha1.ConditionSynced, Status: metav1.ConditionFalse, Reason: cmp.Or(s.Reason, agent.ReasonListing), Message: cut(s.Message)}
	switch {
	case s.Reason == agent.ReasonSynced:
		synced.Status = metav1.ConditionTrue
	case !decided(s.Reason):
		synced.Status = metav1.ConditionUnknown
	}
	set(&out.Conditions, synced, now)
	var held []string
	if s.Held > 0 {
		held = []string{s.Network}
	}
	set(&out.Conditions, limitCondition(held, fmt.Sprintf(" (%d routes; the limit is %d rows)", s.Held, s.Limit)), now)
	return out
}

// decided reports whether the agent knows how the network stands. If it doesn't,
// routes may be missing or not.
func decided(reason string) bool {
	switch reason {
	case "", agent.ReasonListing, agent.ReasonDisconnected, agent.ReasonGatewayUnknown:
		return false
	default:
		return true
	}
}

func limitCondition(held []string, detail string) metav1.Condition {
	if len(held) == 0 {
		return metav1.Condition{Type: v1alpha1.ConditionWithinLimit, Status: metav1.ConditionTrue, Reason: reasonWithinLimit,
			Message: "no route is left out because of the limit"}
	}
	return metav1.Condition{Type: v1alpha1.ConditionWithinLimit, Status: metav1.ConditionFalse, Reason: reasonOverLimit,
		Message: cut(fmt.Sprintf("some routes of %s are not imported%s; what was imported before stays. Make the neighbors send fewer routes, or raise --max-routes-per-vrf",
			list(held), detail))}
}

func set(conditions *[]metav1.Condition, c metav1.Condition, now time.Time) {
	c.LastTransitionTime = metav1.Time{Time: now.Truncate(time.Second)}
	meta.SetStatusCondition(conditions, c)
}

// list names some networks and counts the rest.
func list(names []string) string {
	const most = 5
	return phrase.List(names, most)
}

func cut(message string) string { return phrase.Cut(message, maxMessage) }
