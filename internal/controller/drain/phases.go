package drain

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// times are how long phases last at least.
type times struct {
	// withdraw is the time from Draining to Withdrawn, negative for never, and returning
	// that of Returning.
	withdraw, returning time.Duration
}

// phases has each listed node move on, and lists those that begin to drain. Nodes that the
// verdict doesn't know are gone, or another policy's. done reports whether a node's FRR has
// all that is planned for it. The phases hold until the returned time has passed, 0 if it
// is not for time to end them.
func phases(listed []v1alpha1.DrainingNode, v *model.DrainVerdict, done func(node string) bool, t times, now time.Time) (nodes []v1alpha1.DrainingNode, holds time.Duration) {
	for _, d := range v.Draining {
		before := v1alpha1.DrainingNode{Name: d.Node}
		if i := slices.IndexFunc(listed, func(n v1alpha1.DrainingNode) bool { return n.Name == d.Node }); i >= 0 {
			before = listed[i]
		}
		phase, left := next(before, len(d.Triggers) > 0, done(d.Node), t, now)
		if phase == "" {
			continue
		}
		if phase != before.Phase {
			before.Phase, before.Since = phase, metav1.NewTime(now)
		}
		nodes = append(nodes, before)
		if left > 0 && (holds == 0 || left < holds) {
			holds = left
		}
	}
	return nodes, holds
}

// next is the phase that follows, "" if the node need not be listed any more, and for how
// long it holds at least, 0 if that is not known.
func next(n v1alpha1.DrainingNode, triggered, done bool, t times, now time.Time) (phase v1alpha1.DrainPhase, holds time.Duration) {
	passed := now.Sub(n.Since.Time)
	switch {
	case !triggered && n.Phase == "":
		return "", 0
	case !triggered && n.Phase != v1alpha1.DrainReturning:
		return v1alpha1.DrainReturning, t.returning
	case !triggered && passed < t.returning:
		return n.Phase, t.returning - passed
	case !triggered:
		return "", 0
	case n.Phase == v1alpha1.DrainWithdrawn && t.withdraw >= 0:
		return n.Phase, 0
	case n.Phase != v1alpha1.DrainDraining && !done:
		return v1alpha1.DrainPending, 0
	case n.Phase != v1alpha1.DrainDraining:
		return v1alpha1.DrainDraining, max(t.withdraw, 0)
	case t.withdraw < 0:
		return n.Phase, 0
	case passed < t.withdraw:
		return n.Phase, t.withdraw - passed
	default:
		return v1alpha1.DrainWithdrawn, 0
	}
}
