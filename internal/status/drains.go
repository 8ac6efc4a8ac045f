package status

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/phrase"
)

// The reasons of Accepted for a DrainPolicy.
//
//reference:reasons DrainPolicy Accepted
const (
	// True: nodes drain by the policy when they have one of its triggers.
	// Do: nothing; the message says for how many nodes the policy counts.
	reasonDrainAccepted = "Accepted"
	// False: the policy has a value that can't be used.
	// Do: correct the field that the message names.
	reasonDrainInvalid = "Invalid"
	// False: the policy selects no node, or older policies count for all that it selects.
	// Do: as the message says.
	reasonDrainsNoNode = "NoNode"
)

// DrainConditions returns the conditions of a DrainPolicy. Times are taken from existing
// if the status did not change.
func DrainConditions(v *model.DrainVerdict, existing []metav1.Condition, now metav1.Time) []metav1.Condition {
	c := drainAccepted(v)
	c.ObservedGeneration, c.LastTransitionTime = v.Generation, now
	if old := find(existing, c.Type); old != nil && old.Status == c.Status {
		c.LastTransitionTime = old.LastTransitionTime
	}
	return []metav1.Condition{c}
}

func drainAccepted(v *model.DrainVerdict) metav1.Condition {
	if slices.ContainsFunc(v.Findings, model.Finding.Blocks) {
		reason := reasonDrainsNoNode
		if slices.ContainsFunc(v.Findings, func(f model.Finding) bool { return f.Outcome == model.Invalid }) {
			reason = reasonDrainInvalid
		}
		return condition(v1alpha1.DrainPolicyAccepted, metav1.ConditionFalse, reason, objectFindings(v.Findings))
	}
	message := "counts for " + phrase.Count(v.Nodes, "node")
	if text := notices(v.Findings, nil); text != "" {
		message += "; note: " + text
	}
	return condition(v1alpha1.DrainPolicyAccepted, metav1.ConditionTrue, reasonDrainAccepted, message)
}
