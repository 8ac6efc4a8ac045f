package status

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// The types of conditions.
const (
	// Accepted is part of OVN-Kubernetes' API. Its node components open the
	// data path where it is True at the current generation, and close it
	// where it isn't: so it must not turn False because of a part.
	Accepted = "Accepted"
	// Rendered says on how many nodes the configuration was written.
	Rendered = "Rendered"
	// FRRConfigured says on how many of these frr-k8s took it over.
	FRRConfigured = "FRRConfigured"
)

// The reasons of Accepted, from OVN-Kubernetes' API.
const (
	reasonAccepted             = "Accepted"
	reasonConfigurationError   = "ConfigurationError"
	reasonConfigurationPending = "ConfigurationPending"
	reasonInternalError        = "InternalError"
)

// The reasons of Rendered and FRRConfigured.
const (
	reasonRendered           = "Rendered"
	reasonPartlyRendered     = "PartlyRendered"
	reasonRendering          = "Rendering"
	reasonNotRendered        = "NotRendered"
	reasonNothingToAdvertise = "NothingToAdvertise"
	reasonReadFailed         = "ReadFailed"
	reasonStandingAside      = "StandingAside"
	reasonObserveOnly        = "ObserveOnly"

	reasonConfigured   = "Configured"
	reasonFRRError     = "FRRError"
	reasonWaiting      = "Waiting"
	reasonNoNodeStates = "NoNodeStates"
)

// Conditions returns all conditions that the operator keeps on the object:
// Accepted, Rendered and FRRConfigured, or only Rendered where it stands aside
// for another controller, whose Accepted must be left alone, or observes, so
// that nobody may act on what it would accept. nodeStates tells
// whether FRRNodeStates can be read. Times are taken from existing where the
// status did not change.
func Conditions(v model.Verdict, nodeStates bool, existing []metav1.Condition, now metav1.Time) []metav1.Condition {
	var out []metav1.Condition
	switch {
	case v.StandAside != "":
		out = append(out, standingAside(v.StandAside))
	case v.ObserveOnly:
		out = append(out, observed(&v))
	default:
		rendered := rendered(&v)
		out = append(out, accepted(&v, existing), rendered, frrConfigured(&v, rendered, nodeStates))
	}
	for i := range out {
		out[i].ObservedGeneration = v.Generation
		out[i].LastTransitionTime = now
		if old := find(existing, out[i].Type); old != nil && old.Status == out[i].Status {
			out[i].LastTransitionTime = old.LastTransitionTime
		}
	}
	return out
}

// Text is status.status as OVN-Kubernetes writes it, "" where the conditions
// have no Accepted and the text isn't ours to write.
func Text(conditions []metav1.Condition) string {
	condition := find(conditions, Accepted)
	switch {
	case condition == nil:
		return ""
	case condition.Status == metav1.ConditionTrue:
		return "Accepted"
	default:
		return "Not Accepted: " + condition.Message
	}
}

// Changed reports whether the conditions have to be written: one of them
// differs from the existing one, or an existing one of ours is no longer kept.
// Accepted may be another controller's and counts only where it is kept; an
// observer keeps what a working operator wrote before.
func Changed(existing, conditions []metav1.Condition) bool {
	for i := range conditions {
		old := find(existing, conditions[i].Type)
		if old == nil || !equal(old, &conditions[i]) {
			return true
		}
	}
	if rendered := find(conditions, Rendered); rendered != nil && rendered.Reason == reasonObserveOnly {
		return false
	}
	for _, ours := range [...]string{Rendered, FRRConfigured} {
		if find(existing, ours) != nil && find(conditions, ours) == nil {
			return true
		}
	}
	return false
}

func equal(a, b *metav1.Condition) bool {
	return a.Status == b.Status && a.Reason == b.Reason && a.Message == b.Message &&
		a.ObservedGeneration == b.ObservedGeneration && a.LastTransitionTime.Equal(&b.LastTransitionTime)
}

func find(conditions []metav1.Condition, kind string) *metav1.Condition {
	i := slices.IndexFunc(conditions, func(c metav1.Condition) bool { return c.Type == kind })
	if i < 0 {
		return nil
	}
	return &conditions[i]
}

func condition(kind string, status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: cut(message, maxMessage)}
}

func standingAside(evidence string) metav1.Condition {
	return condition(Rendered, metav1.ConditionFalse, reasonStandingAside,
		"nothing is rendered, because another controller works on this object: "+evidence+
			". To hand the object over, stop that controller, or start this one with --take-over")
}

func observed(v *model.Verdict) metav1.Condition {
	return condition(Rendered, metav1.ConditionFalse, reasonObserveOnly,
		"nothing is written, because the operator runs with --observe-only; what it would report: "+renderedMessage(v))
}
