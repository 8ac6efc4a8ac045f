package status_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
)

func TestTimesMoveWithTheStatusOnly(t *testing.T) {
	well := model.Verdict{Generation: generation, Tally: model.Tally{Selected: 3, Rendered: 3, Configured: 2}}
	first := status.Conditions(well, true, nil, noon)
	if again := status.Conditions(well, true, first, evening); status.Changed(first, again) {
		t.Errorf("nothing changed, but the conditions have to be written: %+v", again)
	}
	tests := map[string]struct {
		change func(*model.Verdict)
		moved  map[string]bool
	}{
		"another message":    {func(v *model.Verdict) { v.Tally.Idle, v.Tally.Selected = 1, 4 }, map[string]bool{}},
		"another generation": {func(v *model.Verdict) { v.Generation++ }, map[string]bool{}},
		"another status":     {func(v *model.Verdict) { v.Tally.Configured = 3 }, map[string]bool{"FRRConfigured": true}},
		"another reason": {func(v *model.Verdict) {
			v.Tally.FRRFindings = []model.NodeFinding{onNodes(model.Retryable, "FRRReportsError", "no", "worker-1")}
		}, map[string]bool{}},
	}
	for name, test := range tests {
		changed := well
		test.change(&changed)
		next := status.Conditions(changed, true, first, evening)
		if !status.Changed(first, next) {
			t.Errorf("%s: nothing has to be written", name)
		}
		for _, c := range next {
			want := noon
			if test.moved[c.Type] {
				want = evening
			}
			if !c.LastTransitionTime.Equal(&want) {
				t.Errorf("%s: %s turned at %s, want %s", name, c.Type, c.LastTransitionTime, want)
			}
		}
	}
}

func TestChangedRespectsOthers(t *testing.T) {
	theirs := metav1.Condition{Type: "Accepted", Status: "True", Reason: "Accepted", Message: "theirs", LastTransitionTime: noon}
	other := metav1.Condition{Type: "SomethingElse", Status: "True", Reason: "Yes", LastTransitionTime: noon}
	aside := status.Conditions(model.Verdict{StandAside: "evidence"}, true, nil, noon)
	if status.Changed(append([]metav1.Condition{theirs, other}, aside...), aside) {
		t.Error("another controller's conditions make ours be written again")
	}
	ours := status.Conditions(model.Verdict{Tally: model.Tally{Selected: 1, Rendered: 1}}, true, nil, noon)
	if !status.Changed(ours, aside) {
		t.Error("standing aside leaves FRRConfigured behind")
	}
}

func TestTransitions(t *testing.T) {
	conditionsOf := func(v model.Verdict) []metav1.Condition { return status.Conditions(v, true, nil, noon) }
	none := []metav1.Condition(nil)
	well := conditionsOf(model.Verdict{Tally: model.Tally{Selected: 3, Rendered: 3, Configured: 3}})
	waiting := conditionsOf(model.Verdict{Tally: model.Tally{Selected: 3, Rendered: 3, Configured: 1}})
	waitingMore := conditionsOf(model.Verdict{Tally: model.Tally{Selected: 3, Rendered: 3, Configured: 2}})
	partly := conditionsOf(model.Verdict{Tally: model.Tally{
		Selected: 3, Rendered: 2, Blocked: 1, Configured: 2, NodeFindings: []model.NodeFinding{onNodes(model.Pending, "SubnetsMissing", missing, "worker-1")},
	}})
	failing := conditionsOf(model.Verdict{Tally: model.Tally{
		Selected: 3, Rendered: 3, Configured: 2, FRRFindings: []model.NodeFinding{onNodes(model.Retryable, "FRRReportsError", "no", "worker-1")},
	}})
	invalid := conditionsOf(model.Verdict{Findings: []model.Finding{finding(model.Invalid, model.ScopeRouteAdvertisements, "bad")}})
	aside := conditionsOf(model.Verdict{StandAside: "evidence"})
	tests := map[string]struct {
		from, to []metav1.Condition
		want     string
	}{
		"new":                 {none, well, "Normal Accepted, Normal Rendered, Normal Configured"},
		"new and waiting":     {none, waiting, "Normal Accepted, Normal Rendered"},
		"new and invalid":     {none, invalid, "Warning ConfigurationError, Warning NotRendered"},
		"new, standing aside": {none, aside, "Warning StandingAside"},
		"the same":            {well, well, ""},
		"on the way":          {waiting, waitingMore, ""},
		"arrived":             {waitingMore, well, "Normal Configured"},
		"a node is blocked":   {well, partly, "Warning PartlyRendered"},
		"a node is unblocked": {partly, well, "Normal Rendered"},
		"frr-k8s fails":       {well, failing, "Warning FRRError"},
		"stands aside":        {well, aside, "Warning StandingAside"},
	}
	for name, test := range tests {
		var got []string
		for _, e := range status.Transitions(test.from, test.to) {
			got = append(got, e.Type+" "+e.Reason)
			if e.Message == "" {
				t.Errorf("%s: event %s has no message", name, e.Reason)
			}
		}
		if strings.Join(got, ", ") != test.want {
			t.Errorf("%s: got %q, want %q", name, strings.Join(got, ", "), test.want)
		}
	}
}
