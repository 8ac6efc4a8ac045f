package node

import (
	"errors"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

func parts(states map[string]model.PartState, names ...string) []model.NodePart {
	var out []model.NodePart
	for _, name := range names {
		out = append(out, model.NodePart{RA: name, State: states[name], Advertised: []model.AdvertisedRoutes{{VRF: name}}})
	}
	return out
}

func checkPart(t *testing.T, part *model.NodePart, ra string, state model.PartState, reasons ...string) {
	t.Helper()
	got := make([]string, 0, len(part.Findings))
	for _, f := range part.Findings {
		got = append(got, f.Reason)
	}
	if part.RA != ra || part.State != state || len(got) != len(reasons) {
		t.Errorf("part %s is in state %v with %v, want %s in state %v with %v", part.RA, part.State, got, ra, state, reasons)
		return
	}
	for i := range reasons {
		if got[i] != reasons[i] {
			t.Errorf("part %s: reasons %v, want %v", ra, got, reasons)
		}
	}
	if len(part.Advertised) == 0 {
		t.Errorf("nobody can say what part %s is to advertise", ra)
	}
}

func TestRefusedPartsKeepTheirPlace(t *testing.T) {
	rendered := map[string]model.PartState{"a": model.PartPlanned, "b": model.PartPlanned, "c": model.PartPlanned}
	refusal := &apply.Error{Kind: apply.Refused, Object: types.NamespacedName{Namespace: "frr", Name: "ovnbgp-one"}, Message: "denied"}
	got := withRefused(parts(rendered, "a", "b", "c"), parts(rendered, "a", "c"), map[string]error{"b": refusal}, "one")
	if len(got) != 3 {
		t.Fatalf("%d parts, want 3", len(got))
	}
	checkPart(t, &got[0], "a", model.PartPlanned)
	checkPart(t, &got[1], "b", model.PartRefused, "Refused")
	checkPart(t, &got[2], "c", model.PartPlanned)
	if f := got[1].Findings[0]; f.Outcome != model.Invalid {
		t.Errorf("a refusal is %s, want Invalid", f.Outcome)
	}
}

func TestFailuresBlockWhoContributes(t *testing.T) {
	states := map[string]model.PartState{"a": model.PartPlanned, "b": model.PartPlanned, "idle": model.PartIdle}
	plan := model.NodePlan{
		Node: "one", Parts: parts(states, "a", "b", "idle"),
		Configs: []model.NodeConfig{{Namespace: "one", Contributors: []string{"a"}}, {Namespace: "two", Contributors: []string{"a", "b"}}},
	}
	quota := &apply.Error{Kind: apply.QuotaExceeded, Object: types.NamespacedName{Namespace: "one", Name: "ovnbgp-one"}}

	got := withFailures(&plan, errors.Join(quota))
	checkPart(t, &got[0], "a", model.PartRefused, "QuotaExceeded")
	checkPart(t, &got[1], "b", model.PartWritten)
	checkPart(t, &got[2], "idle", model.PartIdle)

	got = withFailures(&plan, errors.New("no route to host"))
	checkPart(t, &got[0], "a", model.PartRefused, "Unavailable")
	checkPart(t, &got[1], "b", model.PartRefused, "Unavailable")
	checkPart(t, &got[2], "idle", model.PartIdle)
	if plan.Parts[0].State != model.PartPlanned {
		t.Error("the plan itself was changed")
	}
}

func TestANodeThatIsKeptTellsAllThatItKeeps(t *testing.T) {
	states := map[string]model.PartState{"unknown": model.PartKept, "moved": model.PartIdle, "idle": model.PartIdle}
	before := parts(states, "unknown", "moved", "idle")
	live := []apply.LiveObject{{Contributors: []string{"gone", "moved"}}, {Contributors: []string{"moved", "unknown"}}}

	got := withApplied(before, live)
	checkPart(t, &got[0], "unknown", model.PartKept, "OthersKept")
	checkPart(t, &got[1], "moved", model.PartKept, "NodeKept", "OthersKept")
	checkPart(t, &got[2], "idle", model.PartIdle)
	if text := got[0].Findings[0].Message; !strings.Contains(text, "RouteAdvertisements gone,") {
		t.Errorf("it is not told which object is gone: %s", text)
	}

	got = withApplied(before, nil)
	checkPart(t, &got[0], "unknown", model.PartKept)
	checkPart(t, &got[1], "moved", model.PartIdle)
	if before[1].State != model.PartIdle || len(before[0].Findings) > 0 {
		t.Error("the plan itself was changed")
	}
}

func TestTheSameFailureOnTwoNodesIsOneFinding(t *testing.T) {
	on := func(node, text string) model.Finding {
		return notWritten(&apply.Error{
			Kind: apply.Refused, Object: types.NamespacedName{Namespace: "frr", Name: "ovnbgp-" + node}, Message: text,
		}, node)
	}
	for _, text := range []func(node string) string{
		func(node string) string { return `frrconfigurations "ovnbgp-` + node + `" is forbidden` },
		func(node string) string {
			return "admission webhook denied the request: two ASNs\nresource is invalid for node " + node
		},
	} {
		a, b := on("worker-1", text("worker-1")), on("worker-22", text("worker-22"))
		if a != b {
			t.Errorf("two findings:\n%s\n%s", a.Message, b.Message)
		}
	}
}
