package status

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/phrase"
)

func rendered(v *model.Verdict) metav1.Condition {
	t := &v.Tally
	whole := t.Blocked == 0 && v.Behind == 0 && len(blockingOutcomes(v)) == 0
	status, reason := metav1.ConditionFalse, reasonNotRendered
	switch {
	case unread(v):
		status, reason = metav1.ConditionUnknown, reasonReadFailed
	case v.Behind > 0:
		reason = reasonRendering
	case t.Rendered > 0 && whole:
		status, reason = metav1.ConditionTrue, reasonRendered
	case idle(v) && whole:
		status, reason = metav1.ConditionTrue, reasonNothingToAdvertise
	case t.Rendered > 0 || idle(v):
		reason = reasonPartlyRendered
	}
	return condition(Rendered, status, reason, renderedMessage(v))
}

func renderedMessage(v *model.Verdict) string {
	t := &v.Tally
	var s sentence
	switch {
	case unread(v):
		s.add("not known, because the cluster could not be read")
	case v.Behind > 0:
		s.addf("%s still to be planned", areNodes(v.Behind))
		s.addf("rendered on %s so far", nodes(t.Rendered))
	case idle(v):
		s.addf("nothing to advertise yet on %s that it selects", allNodes(t.Selected))
	case t.Selected == 0:
		s.add("rendered on no node")
	case t.Rendered == t.Selected:
		s.addf("rendered on %s", allNodes(t.Selected))
	default:
		s.addf("rendered on %s of %s", phrase.Number(t.Rendered), nodes(t.Selected))
	}
	if t.Idle > 0 && !idle(v) {
		s.addf("nothing to advertise on %s", phrase.Number(t.Idle))
	}
	if t.NoTemplate > 0 && !slices.ContainsFunc(t.NodeFindings, func(f model.NodeFinding) bool { return finding.IsNodeWithoutTemplate(f.Finding) }) {
		s.addf("no selected FRRConfiguration applies to %s", phrase.Number(t.NoTemplate))
	}
	if text := nodeFindings(t.NodeFindings, t.Selected); text != "" {
		s.add(label(t.Blocked > 0, "blocked: ", "incomplete on ") + text)
	}
	if text := objectFindings(v.Findings); text != "" {
		s.add("left out: " + text)
	}
	if t.Inactive > 0 {
		s.addf("%s skipped, because a network is not set up on a node", phrase.Count(t.Inactive, "advertisement"))
	}
	if text := notices(v.Findings, t.NodeFindings); text != "" {
		s.add("note: " + text)
	}
	return s.String()
}

func frrConfigured(v *model.Verdict, rendered metav1.Condition, nodeStates bool) metav1.Condition {
	t := &v.Tally
	failed := 0
	for _, f := range t.FRRFindings {
		failed += f.Count
	}
	status, reason := metav1.ConditionFalse, reasonWaiting
	switch {
	case rendered.Reason == reasonReadFailed:
		return condition(FRRConfigured, metav1.ConditionUnknown, reasonReadFailed, rendered.Message)
	case v.Behind > 0:
		return condition(FRRConfigured, metav1.ConditionFalse, reasonWaiting, areNodes(v.Behind)+" still to be planned")
	case idle(v):
		return condition(FRRConfigured, metav1.ConditionTrue, reasonNothingToAdvertise, "nothing to advertise yet")
	case t.Rendered == 0:
		return condition(FRRConfigured, metav1.ConditionFalse, reasonNotRendered, "rendered on no node; the condition Rendered says why")
	case !nodeStates:
		return condition(FRRConfigured, metav1.ConditionUnknown, reasonNoNodeStates,
			"not known, because there are no FRRNodeStates to read: frr-k8s writes them if the CRD frrnodestates.frrk8s.metallb.io is installed")
	case failed > 0:
		reason = reasonFRRError
	case t.Configured == t.Rendered:
		status, reason = metav1.ConditionTrue, reasonConfigured
	case t.ConfiguredUnknown == t.Rendered:
		status, reason = metav1.ConditionUnknown, reasonNoNodeStates
	}
	return condition(FRRConfigured, status, reason, configuredMessage(t, failed))
}

func configuredMessage(t *model.Tally, failed int) string {
	var s sentence
	if t.Configured == t.Rendered {
		s.addf("FRR is configured on %s", allNodes(t.Rendered))
	} else {
		s.addf("FRR is configured on %s of %s", phrase.Number(t.Configured), nodes(t.Rendered))
	}
	if failed > 0 {
		s.add("frr-k8s reports errors on " + nodeFindings(t.FRRFindings, t.Rendered))
	}
	if t.ConfiguredUnknown > 0 {
		s.addf("%s without an FRRNodeState: check that frr-k8s runs there", nodes(t.ConfiguredUnknown))
	}
	if waiting := t.Rendered - t.Configured - t.ConfiguredUnknown - failed; waiting > 0 {
		s.addf("waiting for %s", phrase.Number(waiting))
	}
	return s.String()
}
