package status

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/phrase"
)

// accepted is False only where nothing of the object can be planned anywhere.
// What fails in part shows in Rendered.
func accepted(v *model.Verdict, existing []metav1.Condition) metav1.Condition {
	outcomes := blockingOutcomes(v)
	switch {
	case planned(v):
		return condition(Accepted, metav1.ConditionTrue, reasonAccepted,
			"accepted; the condition Rendered says how far each node got")
	case (all(outcomes, model.Retryable) || keptOnly(v)) && acceptedBefore(v, existing):
		// What was applied is still there, and so must the data path be.
		return *find(existing, Accepted)
	case unread(v):
		return condition(Accepted, metav1.ConditionUnknown, reasonInternalError, why(v))
	case all(outcomes, model.Retryable):
		return condition(Accepted, metav1.ConditionFalse, reasonInternalError, why(v))
	case all(outcomes, model.Invalid):
		return condition(Accepted, metav1.ConditionFalse, reasonConfigurationError, why(v))
	default:
		return condition(Accepted, metav1.ConditionFalse, reasonConfigurationPending, why(v))
	}
}

// planned reports whether something of the object is in a plan, or would be if
// there were something to advertise.
func planned(v *model.Verdict) bool {
	return v.Tally.Rendered > 0 || idle(v)
}

// idle reports whether the object is fine but has nothing to advertise on any
// node, as one for egress IPs before the first is assigned.
func idle(v *model.Verdict) bool {
	t := &v.Tally
	return t.Idle > 0 && t.Idle == t.Selected && len(v.Networks) > 0
}

// unread reports whether nothing is known of the object because reads failed.
func unread(v *model.Verdict) bool {
	return v.Tally.Selected == 0 && all(blockingOutcomes(v), model.Retryable)
}

func acceptedBefore(v *model.Verdict, existing []metav1.Condition) bool {
	old := find(existing, Accepted)
	return old != nil && old.Status == metav1.ConditionTrue && old.ObservedGeneration == v.Generation
}

// keptOnly reports whether the object itself is fine and only its nodes'
// states are missing or malformed, so that what was applied there stays.
func keptOnly(v *model.Verdict) bool {
	return v.Tally.Kept > 0 && v.Tally.Kept == v.Tally.Blocked && !slices.ContainsFunc(v.Findings, model.Finding.Blocks)
}

// blockingOutcomes are the outcomes of all findings that left something out.
func blockingOutcomes(v *model.Verdict) []model.Outcome {
	var out []model.Outcome
	for _, f := range v.Findings {
		if f.Blocks() {
			out = append(out, f.Outcome)
		}
	}
	for _, f := range v.Tally.NodeFindings {
		if f.Blocks() {
			out = append(out, f.Outcome)
		}
	}
	return out
}

// all reports whether there are outcomes and all of them are this one.
func all(outcomes []model.Outcome, want model.Outcome) bool {
	return len(outcomes) > 0 && !slices.ContainsFunc(outcomes, func(o model.Outcome) bool { return o != want })
}

// why says what keeps the whole object from being planned.
func why(v *model.Verdict) string {
	var s sentence
	s.add(objectFindings(v.Findings))
	if text := nodeFindings(v.Tally.NodeFindings, v.Tally.Selected); text != "" {
		s.add("on " + text)
	}
	if v.Tally.NoTemplate > 0 {
		s.addf("no selected FRRConfiguration applies to %s: change the nodeSelector of one, or add one", nodes(v.Tally.NoTemplate))
	}
	if s.empty() {
		s.add("nothing is planned yet")
	}
	return phrase.Cut(s.String(), maxReasonMessage)
}
