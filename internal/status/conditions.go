package status

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/phrase"
)

// The types of conditions. What stands beside these and beside the reasons is
// what hack/reference tells about them.
//
//reference:conditions RouteAdvertisements
const (
	// Accepted is part of OVN-Kubernetes' API. Its node components open the
	// data path where it is True at the current generation, and close it
	// where it isn't: so it must not turn False because of a part.
	Accepted = "Accepted"
	// Rendered says on how many nodes the configuration was written.
	Rendered = "Rendered"
	// FRRConfigured says on how many of these FRR originates what was written.
	FRRConfigured = "FRRConfigured"
)

// The reasons of Accepted, from OVN-Kubernetes' API.
//
//reference:reasons RouteAdvertisements Accepted
const (
	// True: something of it is planned, or would be if there were anything to
	// advertise.
	// Do: nothing; Rendered says how far it got.
	reasonAccepted = "Accepted"
	// False: nothing of it can be planned, and no passing of time mends that.
	// Do: change the object that the message names, as it says.
	reasonConfigurationError = "ConfigurationError"
	// False: nothing of it can be planned yet, because something is missing
	// that may still come, such as a network, a node's annotation or a
	// selected FRRConfiguration.
	// Do: make what the message names, or correct the selector that misses it;
	// the message says what nearly matched.
	reasonConfigurationPending = "ConfigurationPending"
	// False or Unknown: the cluster could not be read, or a write failed. What
	// was applied stays, and the manager goes on trying.
	// Do: see to what the message quotes, mostly an error of the API server.
	reasonInternalError = "InternalError"
)

// The reasons of Rendered and FRRConfigured.
//
//reference:reasons RouteAdvertisements Rendered FRRConfigured
const (
	// Rendered True: written for every node that has something to advertise.
	// Do: nothing.
	reasonRendered = "Rendered"
	// Rendered False: written for some of the nodes.
	// Do: see to the nodes that the message names, for the reason that it gives;
	// on all others the routes are advertised.
	reasonPartlyRendered = "PartlyRendered"
	// Rendered False: nodes are still being planned after a change.
	// Do: wait; seconds, even with thousands of nodes.
	reasonRendering = "Rendering"
	// Rendered False, FRRConfigured False: written for no node.
	// Do: as the message of Rendered says.
	reasonNotRendered = "NotRendered"
	// Rendered True, FRRConfigured True: all is well, and there is nothing to
	// advertise yet, such as no egress IP that was assigned.
	// Do: nothing.
	reasonNothingToAdvertise = "NothingToAdvertise"
	// Rendered Unknown, FRRConfigured Unknown: the cluster could not be read.
	// What was applied stays.
	// Do: see to the API server's error in the message.
	reasonReadFailed = "ReadFailed"
	// Rendered False: OVN-Kubernetes' own controller works on the object, so
	// this operator does not.
	// Do: nothing, or take the object over as MIGRATION.md says.
	reasonStandingAside = "StandingAside"
	// Rendered False: the manager runs with --observe-only; the message says
	// what it would do.
	// Do: start it without the flag when that is what you want.
	reasonObserveOnly = "ObserveOnly"

	// FRRConfigured True: every node's FRR originates the prefixes.
	// Do: nothing. Whether the neighbor takes them, BGPSessionStates and the
	// neighbor tell.
	reasonConfigured = "Configured"
	// FRRConfigured False: on some nodes frr-k8s reports an error.
	// Do: see to the error that the message quotes; all FRRConfigurations that
	// select the node count together, those of others too.
	reasonFRRError = "FRRError"
	// FRRConfigured False: FRR on some nodes does not originate every prefix yet.
	// Do: wait for frr-k8s' next reload (3 s and more); after a minute look at
	// the log of frr-k8s there.
	reasonWaiting = "Waiting"
	// FRRConfigured Unknown: there are no FRRNodeStates to read.
	// Do: see whether frr-k8s runs on the nodes, and with its own CRDs.
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
		out = append(out, standingAside(&v))
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
	return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: phrase.Cut(message, maxMessage)}
}

func standingAside(v *model.Verdict) metav1.Condition {
	return condition(Rendered, metav1.ConditionFalse, reasonStandingAside, finding.AsideText(v.StandAside, v.LeftFor))
}

func observed(v *model.Verdict) metav1.Condition {
	return condition(Rendered, metav1.ConditionFalse, reasonObserveOnly,
		"nothing is written, because the operator runs with --observe-only; what it would report: "+renderedMessage(v))
}
