package status

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/phrase"
)

// The types of conditions. hack/reference prints the comments on these and on the
// reasons.
//
//reference:conditions RouteAdvertisements
const (
	// Accepted is part of OVN-Kubernetes' API. Its node components open the
	// data path while it is True at the current generation, and close it
	// otherwise: so it must not turn False because one part fails.
	Accepted = "Accepted"
	// Rendered says for how many nodes the configuration was written.
	Rendered = "Rendered"
	// FRRConfigured says on how many of these nodes FRR originates what was written.
	FRRConfigured = "FRRConfigured"
)

// The reasons of Accepted, from OVN-Kubernetes' API.
//
//reference:reasons RouteAdvertisements Accepted
const (
	// True: at least a part of it is planned, or would be if there were anything to
	// advertise.
	// Do: nothing; Rendered shows the progress per node.
	reasonAccepted = "Accepted"
	// False: nothing of it can be planned, and waiting won't help.
	// Do: change the object that the message names, as it says.
	reasonConfigurationError = "ConfigurationError"
	// False: nothing of it can be planned yet, because something is missing
	// that may still come, such as a network, a node's annotation or a
	// selected FRRConfiguration.
	// Do: create what the message names, or correct the selector that misses it;
	// the message says what nearly matched.
	reasonConfigurationPending = "ConfigurationPending"
	// False or Unknown: the cluster could not be read, or a write failed. What
	// was applied stays, and the manager keeps trying.
	// Do: fix the error that the message quotes; it is mostly the API server's.
	reasonInternalError = "InternalError"
)

// The reasons of Rendered and FRRConfigured.
//
//reference:reasons RouteAdvertisements Rendered FRRConfigured
const (
	// Rendered True: written for every node that has something to advertise.
	// Do: nothing.
	reasonRendered = "Rendered"
	// Rendered False: written for some of the nodes only.
	// Do: fix the nodes that the message names, for the reason that it gives; all
	// others advertise the routes.
	reasonPartlyRendered = "PartlyRendered"
	// Rendered False: nodes are still being planned after a change.
	// Do: wait a few seconds, even with thousands of nodes.
	reasonRendering = "Rendering"
	// Rendered False, FRRConfigured False: written for no node.
	// Do: follow the message of Rendered.
	reasonNotRendered = "NotRendered"
	// Rendered True, FRRConfigured True: all is well, but there is nothing to
	// advertise yet, for example because no egress IP is assigned.
	// Do: nothing.
	reasonNothingToAdvertise = "NothingToAdvertise"
	// Rendered Unknown, FRRConfigured Unknown: the cluster could not be read.
	// What was applied stays.
	// Do: fix the API server's error in the message.
	reasonReadFailed = "ReadFailed"
	// Rendered False: OVN-Kubernetes' own controller handles the object, so this
	// operator leaves it alone.
	// Do: nothing, or take the object over as MIGRATION.md explains.
	reasonStandingAside = "StandingAside"
	// Rendered False: the manager runs with --observe-only; the message says
	// what it would do.
	// Do: start it without the flag if you want it to do that.
	reasonObserveOnly = "ObserveOnly"

	// FRRConfigured True: every node's FRR originates the prefixes.
	// Do: nothing. BGPSessionStates and the neighbor show whether the neighbor
	// accepts them.
	reasonConfigured = "Configured"
	// FRRConfigured False: frr-k8s reports an error on some nodes.
	// Do: fix the error that the message quotes. Any FRRConfiguration that selects
	// the node may cause it: frr-k8s merges them all.
	reasonFRRError = "FRRError"
	// FRRConfigured False: FRR does not originate every prefix on some nodes yet.
	// Do: wait for frr-k8s' next reload (3 s or more); after a minute, read the
	// frr-k8s log on that node.
	reasonWaiting = "Waiting"
	// FRRConfigured Unknown: there are no FRRNodeStates to read.
	// Do: check that frr-k8s runs on the nodes, and that its own CRDs are installed.
	reasonNoNodeStates = "NoNodeStates"
)

// Conditions returns all conditions that the operator keeps on the object:
// Accepted, Rendered and FRRConfigured. It keeps only Rendered if it stands aside
// for another controller, whose Accepted must be left alone, or if it observes,
// because nothing may act on what it would accept. Beside another controller it leaves
// out Accepted alone. nodeStates is whether FRRNodeStates can be read. Times are taken from existing if the status did not
// change.
func Conditions(v model.Verdict, nodeStates bool, existing []metav1.Condition, now metav1.Time) []metav1.Condition {
	var out []metav1.Condition
	switch {
	case v.StandAside != "":
		out = append(out, standingAside(&v))
	case v.ObserveOnly:
		out = append(out, observed(&v))
	default:
		if !v.Beside {
			out = append(out, accepted(&v, existing))
		}
		rendered := rendered(&v)
		out = append(out, rendered, frrConfigured(&v, rendered, nodeStates))
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

// Text is status.status as OVN-Kubernetes writes it, "" if the conditions have no
// Accepted, so that the text isn't ours to write.
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
// Accepted may be another controller's and counts only if we keep it; an
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
	return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: phrase.Cut(message, maxMessage)}
}

func standingAside(v *model.Verdict) metav1.Condition {
	return condition(Rendered, metav1.ConditionFalse, reasonStandingAside, finding.AsideText(v.StandAside, v.LeftFor))
}

func observed(v *model.Verdict) metav1.Condition {
	return condition(Rendered, metav1.ConditionFalse, reasonObserveOnly,
		"nothing is written, because the operator runs with --observe-only; what it would report: "+renderedMessage(v))
}
