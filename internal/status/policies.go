package status

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// The reasons of Accepted for a target of a RoutePolicy.
//
//reference:reasons RoutePolicy Accepted
const (
	// True: the rules apply to routes of the target.
	// Do: nothing; Rendered says on how many nodes.
	reasonPolicyAccepted = "Accepted"
	// False: a rule can't be used, and none of the policy's rules applies.
	// Do: correct the field that the message names.
	reasonPolicyInvalid = "Invalid"
	// False: the target is not there, or has no routes, or another controller works on
	// it.
	// Do: as the message says.
	reasonPolicyPending = "TargetNotReady"
)

// The reasons of Rendered for a target of a RoutePolicy.
//
//reference:reasons RoutePolicy Rendered
const (
	// True: the rules are in the FRRConfigurations of all nodes on which they match a
	// route.
	// Do: nothing.
	reasonPolicyRendered = "Rendered"
	// False: the rules are in those of some nodes only, or not all that they set.
	// Do: as the message says; if it says nothing of a node, see the condition Rendered of
	// the target.
	reasonPolicyPartly = "PartlyRendered"
	// False: no rule matches a route.
	// Do: correct match; the message says what nearly matched.
	reasonPolicyMatchesNothing = "NothingMatches"
	// False: nodes are still being planned after a change.
	// Do: wait a few seconds.
	reasonPolicyRendering = "Rendering"
	// False: the policy is not accepted for the target.
	// Do: see Accepted.
	reasonPolicyNotAccepted = "NotAccepted"
	// False: the manager runs with --observe-only; the message says what it would do.
	// Do: start it without the flag if you want it to do that.
	reasonPolicyObserveOnly = "ObserveOnly"
)

// PolicyAncestors returns the status of a policy for each of its targets. Times are taken
// from existing if the status did not change.
func PolicyAncestors(v *model.PolicyVerdict, existing []v1alpha1.PolicyAncestorStatus, now metav1.Time) []v1alpha1.PolicyAncestorStatus {
	out := make([]v1alpha1.PolicyAncestorStatus, 0, len(v.Ancestors))
	for i := range v.Ancestors {
		a := &v.Ancestors[i]
		next := v1alpha1.PolicyAncestorStatus{
			AncestorRef: v1alpha1.PolicyTargetReference{Group: ovnv1.GroupVersion.Group, Kind: "RouteAdvertisements", Name: a.RA},
			Conditions:  []metav1.Condition{policyAccepted(a), policyRendered(v, a)},
		}
		var before []metav1.Condition
		if at := slices.IndexFunc(existing, func(e v1alpha1.PolicyAncestorStatus) bool { return e.AncestorRef == next.AncestorRef }); at >= 0 {
			before = existing[at].Conditions
		}
		for j := range next.Conditions {
			c := &next.Conditions[j]
			c.ObservedGeneration, c.LastTransitionTime = v.Generation, now
			if old := find(before, c.Type); old != nil && old.Status == c.Status {
				c.LastTransitionTime = old.LastTransitionTime
			}
		}
		out = append(out, next)
	}
	return out
}

func policyBlocked(a *model.PolicyAncestor) bool {
	return slices.ContainsFunc(a.Findings, model.Finding.Blocks)
}

func policyAccepted(a *model.PolicyAncestor) metav1.Condition {
	if !policyBlocked(a) {
		return condition(v1alpha1.RoutePolicyAccepted, metav1.ConditionTrue, reasonPolicyAccepted, "accepted; the condition Rendered says on how many nodes")
	}
	reason := reasonPolicyPending
	if slices.ContainsFunc(a.Findings, func(f model.Finding) bool { return f.Outcome == model.Invalid }) {
		reason = reasonPolicyInvalid
	}
	return condition(v1alpha1.RoutePolicyAccepted, metav1.ConditionFalse, reason, objectFindings(a.Findings))
}

func policyRendered(v *model.PolicyVerdict, a *model.PolicyAncestor) metav1.Condition {
	t := &a.Tally
	status, reason := metav1.ConditionFalse, reasonPolicyPartly
	switch {
	case policyBlocked(a):
		return condition(v1alpha1.RoutePolicyRendered, status, reasonPolicyNotAccepted, "the policy is not accepted; the condition Accepted says why")
	case v.ObserveOnly:
		reason = reasonPolicyObserveOnly
	case v.Behind > 0:
		reason = reasonPolicyRendering
	case t.Selected == 0:
		reason = reasonPolicyMatchesNothing
	case t.Rendered == t.Selected:
		status, reason = metav1.ConditionTrue, reasonPolicyRendered
	}
	return condition(v1alpha1.RoutePolicyRendered, status, reason, policyRenderedMessage(v, a))
}

func policyRenderedMessage(v *model.PolicyVerdict, a *model.PolicyAncestor) string {
	t := &a.Tally
	var s sentence
	if v.ObserveOnly {
		s.add("nothing is written, because the operator runs with --observe-only; what it would report")
	}
	if v.Behind > 0 {
		s.addf("%s still to be planned", areNodes(v.Behind))
	}
	switch {
	case t.Selected == 0:
		s.add("no rule matches a route on any node")
	case t.Rendered == t.Selected:
		s.addf("rendered on %s with a matching route", allNodes(t.Selected))
	case slices.ContainsFunc(t.NodeFindings, func(f model.NodeFinding) bool { return f.Blocks() }):
		s.addf("rendered in all on %d of %s with a matching route", t.Rendered, nodes(t.Selected))
		s.add(nodeFindings(t.NodeFindings, t.Selected))
	default:
		s.addf("rendered on %d of %s with a matching route; the condition Rendered of the target says what keeps the others", t.Rendered, nodes(t.Selected))
	}
	if text := notices(a.Findings, t.NodeFindings); text != "" && v.Behind == 0 {
		s.add("note: " + text)
	}
	return s.String()
}
