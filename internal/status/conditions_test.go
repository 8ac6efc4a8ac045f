package status_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
)

var (
	noon    = metav1.NewTime(time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC))
	evening = metav1.NewTime(time.Date(2026, 11, 20, 18, 0, 0, 0, time.UTC))
)

const generation = 3

func finding(outcome model.Outcome, kind model.ScopeKind, message string) model.Finding {
	return model.Finding{Outcome: outcome, Scope: model.Scope{Kind: kind, Name: "x"}, Reason: "Because", Message: message}
}

func onNodes(outcome model.Outcome, reason, message string, nodes ...string) model.NodeFinding {
	return model.NodeFinding{
		Finding: model.Finding{Outcome: outcome, Scope: model.Scope{Kind: model.ScopeNode}, Reason: reason, Message: message},
		Nodes:   nodes, Count: len(nodes),
	}
}

// manyNodes are worker-0000 and so on, cut as a tally cuts them.
func manyNodes(outcome model.Outcome, reason, message string, count int) model.NodeFinding {
	f := onNodes(outcome, reason, message)
	f.Count = count
	for i := range min(count, 20) {
		f.Nodes = append(f.Nodes, fmt.Sprintf("worker-%04d", i))
	}
	return f
}

const missing = "the annotation k8s.ovn.org/node-subnets is missing: wait for OVN-Kubernetes"

func TestConditions(t *testing.T) {
	tests := map[string]struct {
		verdict      model.Verdict
		noNodeStates bool
		existing     []metav1.Condition
		want         []string
		text         string
	}{
		"only observed": {
			verdict:  model.Verdict{ObserveOnly: true, Networks: []string{"default"}, Tally: model.Tally{Selected: 3, Rendered: 3}},
			existing: []metav1.Condition{{Type: status.Accepted, Status: metav1.ConditionTrue}},
			want: []string{
				"Rendered False ObserveOnly: nothing is written, because the operator runs with --observe-only; what it would report: rendered on all 3 nodes",
			},
		},
		"all is well": {
			verdict: model.Verdict{Networks: []string{"default"}, Tally: model.Tally{Selected: 3, Rendered: 3, Configured: 3}},
			want: []string{
				"Accepted True Accepted: accepted; the condition Rendered says how far each node got",
				"Rendered True Rendered: rendered on all 3 nodes",
				"FRRConfigured True Configured: FRR is configured on all 3 nodes",
			},
			text: "Accepted",
		},
		"one node of one": {
			verdict: model.Verdict{Tally: model.Tally{Selected: 1, Rendered: 1, Configured: 1}},
			want: []string{
				"Accepted True Accepted: accepted; the condition Rendered says how far each node got",
				"Rendered True Rendered: rendered on the one node",
				"FRRConfigured True Configured: FRR is configured on the one node",
			},
			text: "Accepted",
		},
		"one node is blocked": {
			verdict: model.Verdict{Tally: model.Tally{
				Selected: 3, Rendered: 2, Blocked: 1, Configured: 1,
				NodeFindings: []model.NodeFinding{onNodes(model.Pending, "SubnetsMissing", missing, "worker-2")},
			}},
			want: []string{
				"Accepted True Accepted: accepted; the condition Rendered says how far each node got",
				"Rendered False PartlyRendered: rendered on 2 of 3 nodes; blocked: worker-2 (" + missing + ")",
				"FRRConfigured False Waiting: FRR is configured on 1 of 2 nodes; waiting for 1",
			},
			text: "Accepted",
		},
		"a network and a neighbor are left out, all nodes are rendered": {
			verdict: model.Verdict{
				Findings: []model.Finding{finding(model.Invalid, model.ScopeNetwork, `network "red" is not a primary network`), finding(model.Notice, model.ScopeNetwork, "by the way")},
				Tally: model.Tally{
					Selected: 2, Rendered: 2, Configured: 2, Inactive: 1,
					NodeFindings: []model.NodeFinding{onNodes(model.Invalid, "NeighborConflict", "neighbor 192.0.2.1 has two ASNs", "worker-1")},
				},
			},
			want: []string{
				"Accepted True Accepted: accepted; the condition Rendered says how far each node got",
				`Rendered False PartlyRendered: rendered on all 2 nodes; incomplete on worker-1 (neighbor 192.0.2.1 has two ASNs); left out: network "red" is not a primary network; 1 advertisement skipped, because a network is not set up on a node; note: by the way`,
				"FRRConfigured True Configured: FRR is configured on all 2 nodes",
			},
			text: "Accepted",
		},
		"some nodes have no template, some nothing to advertise": {
			verdict: model.Verdict{Tally: model.Tally{Selected: 6, Rendered: 3, NoTemplate: 2, Idle: 1, Configured: 3, Inactive: 1200}},
			want: []string{
				"Accepted True Accepted: accepted; the condition Rendered says how far each node got",
				"Rendered True Rendered: rendered on 3 of 6 nodes; nothing to advertise on 1; no selected FRRConfiguration applies to 2; 1,200 advertisements skipped, because a network is not set up on a node",
				"FRRConfigured True Configured: FRR is configured on all 3 nodes",
			},
			text: "Accepted",
		},
		"most nodes are still to be planned": {
			verdict: model.Verdict{Networks: []string{"default"}, Behind: 3200, Tally: model.Tally{Selected: 1800, Rendered: 1800, Configured: 1800}},
			want: []string{
				"Accepted True Accepted: accepted; the condition Rendered says how far each node got",
				"Rendered False Rendering: 3,200 nodes are still to be planned; rendered on 1,800 nodes so far",
				"FRRConfigured False Waiting: 3,200 nodes are still to be planned",
			},
			text: "Accepted",
		},
		"every node waits, and the data path stays": {
			verdict: model.Verdict{Networks: []string{"default"}, Tally: model.Tally{
				Selected: 1, Blocked: 1, Kept: 1,
				NodeFindings: []model.NodeFinding{onNodes(model.Pending, "SubnetsMissing", missing, "worker-2")},
			}},
			existing: []metav1.Condition{{Type: status.Accepted, Status: metav1.ConditionTrue, Reason: "Accepted", Message: "as before", ObservedGeneration: generation, LastTransitionTime: noon}},
			want: []string{
				"Accepted True Accepted: as before",
				"Rendered False NotRendered: rendered on 0 of 1 node; blocked: worker-2 (" + missing + ")",
				"FRRConfigured False NotRendered: rendered on no node; the condition Rendered says why",
			},
			text: "Accepted",
		},
		"no egress IP is assigned yet": {
			verdict: model.Verdict{Networks: []string{"default"}, Tally: model.Tally{Selected: 3, Idle: 3}},
			want: []string{
				"Accepted True Accepted: accepted; the condition Rendered says how far each node got",
				"Rendered True NothingToAdvertise: nothing to advertise yet on all 3 nodes that it selects",
				"FRRConfigured True NothingToAdvertise: nothing to advertise yet",
			},
			text: "Accepted",
		},
		"no egress IP is assigned yet, and a network is invalid": {
			verdict: model.Verdict{
				Networks: []string{"default"}, Findings: []model.Finding{finding(model.Invalid, model.ScopeNetwork, "network red is bad")},
				Tally: model.Tally{Selected: 3, Idle: 3},
			},
			want: []string{
				"Accepted True Accepted: accepted; the condition Rendered says how far each node got",
				"Rendered False PartlyRendered: nothing to advertise yet on all 3 nodes that it selects; left out: network red is bad",
				"FRRConfigured True NothingToAdvertise: nothing to advertise yet",
			},
			text: "Accepted",
		},
		"everything is invalid": {
			verdict: model.Verdict{Findings: []model.Finding{
				finding(model.Invalid, model.ScopeRouteAdvertisements, "spec.nodeSelector must be empty"), finding(model.Notice, model.ScopeNetwork, "by the way"),
			}},
			want: []string{
				"Accepted False ConfigurationError: spec.nodeSelector must be empty",
				"Rendered False NotRendered: rendered on no node; left out: spec.nodeSelector must be empty; note: by the way",
				"FRRConfigured False NotRendered: rendered on no node; the condition Rendered says why",
			},
			text: "Not Accepted: spec.nodeSelector must be empty",
		},
		"some is invalid and some pending": {
			verdict: model.Verdict{Findings: []model.Finding{
				finding(model.Invalid, model.ScopeNetwork, "network red is bad"), finding(model.Pending, model.ScopeTemplate, "frrConfigurationSelector matches none"),
			}},
			want: []string{
				"Accepted False ConfigurationPending: network red is bad; frrConfigurationSelector matches none",
				"Rendered False NotRendered: rendered on no node; left out: network red is bad; frrConfigurationSelector matches none",
				"FRRConfigured False NotRendered: rendered on no node; the condition Rendered says why",
			},
			text: "Not Accepted: network red is bad; frrConfigurationSelector matches none",
		},
		"every node is blocked": {
			verdict: model.Verdict{Networks: []string{"default"}, Tally: model.Tally{
				Selected: 2, Blocked: 2, NodeFindings: []model.NodeFinding{onNodes(model.Pending, "SubnetsMissing", missing, "worker-1", "worker-2")},
			}},
			want: []string{
				"Accepted False ConfigurationPending: on worker-1, worker-2 (" + missing + ")",
				"Rendered False NotRendered: rendered on 0 of 2 nodes; blocked: worker-1, worker-2 (" + missing + ")",
				"FRRConfigured False NotRendered: rendered on no node; the condition Rendered says why",
			},
			text: "Not Accepted: on worker-1, worker-2 (" + missing + ")",
		},
		"one node is blocked, the others have nothing to advertise": {
			verdict: model.Verdict{Networks: []string{"default"}, Tally: model.Tally{
				Selected: 2, Blocked: 1, Idle: 1, NodeFindings: []model.NodeFinding{onNodes(model.Pending, "SubnetsMissing", missing, "worker-1")},
			}},
			want: []string{
				"Accepted False ConfigurationPending: on worker-1 (" + missing + ")",
				"Rendered False NotRendered: rendered on 0 of 2 nodes; nothing to advertise on 1; blocked: worker-1 (" + missing + ")",
				"FRRConfigured False NotRendered: rendered on no node; the condition Rendered says why",
			},
			text: "Not Accepted: on worker-1 (" + missing + ")",
		},
		"no template applies to any node": {
			verdict: model.Verdict{Networks: []string{"default"}, Tally: model.Tally{Selected: 2, NoTemplate: 2}},
			want: []string{
				"Accepted False ConfigurationPending: no selected FRRConfiguration applies to 2 nodes: change the nodeSelector of one, or add one",
				"Rendered False NotRendered: rendered on 0 of 2 nodes; no selected FRRConfiguration applies to 2",
				"FRRConfigured False NotRendered: rendered on no node; the condition Rendered says why",
			},
			text: "Not Accepted: no selected FRRConfiguration applies to 2 nodes: change the nodeSelector of one, or add one",
		},
		"nothing can be read": {
			verdict: model.Verdict{Findings: []model.Finding{finding(model.Retryable, model.ScopeRouteAdvertisements, "listing namespaces: timeout")}},
			want: []string{
				"Accepted Unknown InternalError: listing namespaces: timeout",
				"Rendered Unknown ReadFailed: not known, because the cluster could not be read; left out: listing namespaces: timeout",
				"FRRConfigured Unknown ReadFailed: not known, because the cluster could not be read; left out: listing namespaces: timeout",
			},
			text: "Not Accepted: listing namespaces: timeout",
		},
		"no write succeeds": {
			verdict: model.Verdict{Tally: model.Tally{
				Selected: 1, Blocked: 1, NodeFindings: []model.NodeFinding{onNodes(model.Retryable, "Forbidden", "the operator lacks the permission", "worker-1")},
			}},
			want: []string{
				"Accepted False InternalError: on worker-1 (the operator lacks the permission)",
				"Rendered False NotRendered: rendered on 0 of 1 node; blocked: worker-1 (the operator lacks the permission)",
				"FRRConfigured False NotRendered: rendered on no node; the condition Rendered says why",
			},
			text: "Not Accepted: on worker-1 (the operator lacks the permission)",
		},
		"no write succeeds any more": {
			verdict: model.Verdict{Tally: model.Tally{
				Selected: 1, Blocked: 1, NodeFindings: []model.NodeFinding{onNodes(model.Retryable, "Unavailable", "timeout", "worker-1")},
			}},
			existing: []metav1.Condition{{Type: "Accepted", Status: "True", Reason: "Accepted", Message: "as before", LastTransitionTime: noon, ObservedGeneration: generation}},
			want: []string{
				"Accepted True Accepted: as before",
				"Rendered False NotRendered: rendered on 0 of 1 node; blocked: worker-1 (timeout)",
				"FRRConfigured False NotRendered: rendered on no node; the condition Rendered says why",
			},
			text: "Accepted",
		},
		"no write succeeds for a new generation": {
			verdict: model.Verdict{Tally: model.Tally{
				Selected: 1, Blocked: 1, NodeFindings: []model.NodeFinding{onNodes(model.Retryable, "Unavailable", "timeout", "worker-1")},
			}},
			existing: []metav1.Condition{{Type: "Accepted", Status: "True", Reason: "Accepted", Message: "as before", LastTransitionTime: noon, ObservedGeneration: generation - 1}},
			want: []string{
				"Accepted False InternalError: on worker-1 (timeout)",
				"Rendered False NotRendered: rendered on 0 of 1 node; blocked: worker-1 (timeout)",
				"FRRConfigured False NotRendered: rendered on no node; the condition Rendered says why",
			},
			text: "Not Accepted: on worker-1 (timeout)",
		},
		"another controller is at work": {
			verdict: model.Verdict{
				StandAside: "FRRConfiguration frr-k8s-system/ovnk-generated-abc is from OVN-Kubernetes",
				Findings:   []model.Finding{finding(model.Invalid, model.ScopeNetwork, "network red is bad")},
			},
			existing: []metav1.Condition{{Type: "Accepted", Status: "True", Reason: "Accepted", Message: "theirs", ObservedGeneration: generation}},
			want: []string{
				"Rendered False StandingAside: nothing is rendered, because another controller works on this object: FRRConfiguration frr-k8s-system/ovnk-generated-abc is from OVN-Kubernetes. " +
					"To hand the object over, stop that controller, or start this one with --take-over",
			},
		},
		"another controller renders it, too": {
			verdict:  model.Verdict{Beside: true, Tally: model.Tally{Selected: 2, Rendered: 2, Configured: 2}},
			existing: []metav1.Condition{{Type: "Accepted", Status: "False", Reason: "ConfigurationPending", Message: "theirs", ObservedGeneration: generation}},
			want: []string{
				"Rendered True Rendered: rendered on all 2 nodes",
				"FRRConfigured True Configured: FRR is configured on all 2 nodes",
			},
		},
		"frr-k8s reports errors": {
			verdict: model.Verdict{Tally: model.Tally{
				Selected: 4, Rendered: 4, Configured: 1, ConfiguredUnknown: 1,
				FRRFindings: []model.NodeFinding{
					onNodes(model.Retryable, "FRRReportsError", "conversion: different asns", "worker-2"),
					onNodes(model.Retryable, "FRRReportsError", "conversion: different router ids", "worker-1"),
				},
			}},
			want: []string{
				"Accepted True Accepted: accepted; the condition Rendered says how far each node got",
				"Rendered True Rendered: rendered on all 4 nodes",
				"FRRConfigured False FRRError: FRR is configured on 1 of 4 nodes; frr-k8s reports errors on worker-1, worker-2 (for example: conversion: different asns); 1 node without an FRRNodeState: check that frr-k8s runs there",
			},
			text: "Accepted",
		},
		"frr-k8s makes no node states": {
			verdict:      model.Verdict{Tally: model.Tally{Selected: 2, Rendered: 2, ConfiguredUnknown: 2}},
			noNodeStates: true,
			want: []string{
				"Accepted True Accepted: accepted; the condition Rendered says how far each node got",
				"Rendered True Rendered: rendered on all 2 nodes",
				"FRRConfigured Unknown NoNodeStates: not known, because there are no FRRNodeStates to read: frr-k8s writes them if the CRD frrnodestates.frrk8s.metallb.io is installed",
			},
			text: "Accepted",
		},
		"no node has a node state": {
			verdict: model.Verdict{Tally: model.Tally{Selected: 2, Rendered: 2, ConfiguredUnknown: 2}},
			want: []string{
				"Accepted True Accepted: accepted; the condition Rendered says how far each node got",
				"Rendered True Rendered: rendered on all 2 nodes",
				"FRRConfigured Unknown NoNodeStates: FRR is configured on 0 of 2 nodes; 2 nodes without an FRRNodeState: check that frr-k8s runs there",
			},
			text: "Accepted",
		},
		"5,000 nodes": {
			verdict: model.Verdict{Tally: model.Tally{
				Selected: 5000, Rendered: 1, Blocked: 4999, Configured: 1,
				NodeFindings: []model.NodeFinding{
					manyNodes(model.Pending, "SubnetsMissing", missing, 4999),
					onNodes(model.Invalid, "HostnameLabelShared", "nodes share the label", "worker-0007"),
				},
			}},
			want: []string{
				"Accepted True Accepted: accepted; the condition Rendered says how far each node got",
				"Rendered False PartlyRendered: rendered on 1 of 5,000 nodes; blocked: worker-0000, worker-0001, worker-0002, worker-0003, worker-0004 and 4,994 more (" + missing +
					"); worker-0007 (nodes share the label)",
				"FRRConfigured True Configured: FRR is configured on the one node",
			},
			text: "Accepted",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.verdict.Generation = generation
			conditions := status.Conditions(test.verdict, !test.noNodeStates, test.existing, noon)
			var got []string
			for _, c := range conditions {
				got = append(got, fmt.Sprintf("%s %s %s: %s", c.Type, c.Status, c.Reason, c.Message))
				if c.ObservedGeneration != generation {
					t.Errorf("%s: observedGeneration is %d", c.Type, c.ObservedGeneration)
				}
			}
			if strings.Join(got, "\n") != strings.Join(test.want, "\n") {
				t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
			if got := status.Text(conditions); got != test.text {
				t.Errorf("status: got %q, want %q", got, test.text)
			}
			if problems := validation.ValidateConditions(conditions, field.NewPath("status")); len(problems) > 0 {
				t.Errorf("the API server would refuse them: %v", problems)
			}
		})
	}
}

// TestMessagesStayWithinTheAPIsLimit takes the worst that a planner can say.
func TestMessagesStayWithinTheAPIsLimit(t *testing.T) {
	long := strings.Repeat("ü", 20000)
	v := model.Verdict{Generation: generation, Tally: model.Tally{Selected: 5000, Blocked: 5000}}
	for i := range 100 {
		v.Findings = append(v.Findings, finding(model.Invalid, model.ScopeNetwork, fmt.Sprint(i, long)), finding(model.Notice, model.ScopeNetwork, fmt.Sprint(i, long)))
		f := manyNodes(model.Pending, fmt.Sprintf("Reason%02d", i), fmt.Sprint(i, long), 5000)
		v.Tally.NodeFindings = append(v.Tally.NodeFindings, f)
		f.Outcome = model.Notice
		v.Tally.NodeFindings = append(v.Tally.NodeFindings, f)
		v.Tally.FRRFindings = append(v.Tally.FRRFindings, manyNodes(model.Retryable, "FRRReportsError", fmt.Sprint(i, long), 50))
	}
	rendered := v
	rendered.Tally.Rendered, rendered.Tally.Blocked = 5000, 0
	for _, v := range []model.Verdict{v, rendered} {
		conditions := status.Conditions(v, true, nil, noon)
		if problems := validation.ValidateConditions(conditions, field.NewPath("status")); len(problems) > 0 {
			t.Errorf("the API server would refuse them: %v", problems)
		}
		for _, c := range conditions {
			if !strings.Contains(c.Message, "…") && c.Type == status.Rendered {
				t.Errorf("%s is not cut: %d bytes", c.Type, len(c.Message))
			}
		}
		if got := len(status.Text(conditions)); got > 5000 {
			t.Errorf("status.status has %d bytes", got)
		}
		for _, e := range status.Transitions(nil, conditions) {
			if len(e.Message) > 1024 {
				t.Errorf("event %s has %d bytes", e.Reason, len(e.Message))
			}
		}
	}
}

func TestMessagesDoNotDependOnOrder(t *testing.T) {
	findings := []model.NodeFinding{
		onNodes(model.Pending, "A", "a", "worker-3", "worker-4"),
		onNodes(model.Pending, "B", "b2", "worker-2"),
		onNodes(model.Pending, "B", "b1", "worker-1"),
		onNodes(model.Invalid, "C", "c", "worker-1"),
	}
	message := func(order ...int) string {
		v := model.Verdict{Tally: model.Tally{Selected: 5, Rendered: 1, Blocked: 4}}
		for _, i := range order {
			v.Tally.NodeFindings = append(v.Tally.NodeFindings, findings[i])
		}
		return status.Conditions(v, true, nil, noon)[1].Message
	}
	want := "rendered on 1 of 5 nodes; blocked: worker-3, worker-4 (a); worker-1, worker-2 (for example: b1); worker-1 (c)"
	for _, order := range [][]int{{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}} {
		if got := message(order...); got != want {
			t.Errorf("order %v: got %q, want %q", order, got, want)
		}
	}
}
