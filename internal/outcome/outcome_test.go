package outcome_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/outcome"
)

var states = []model.PartState{
	model.PartUndecided, model.PartIdle, model.PartNoTemplate, model.PartHeldBack, model.PartKept,
	model.PartPlanned, model.PartRefused, model.PartWritten, model.PartWaiting, model.PartConfigured, model.PartFailed,
}

// Every pair of states is here, so that a new arrow is seen.
func TestPartsMoveAlongTheArrows(t *testing.T) {
	want := map[model.PartState]string{
		model.PartUndecided:  "Idle NoTemplate HeldBack Kept Planned",
		model.PartIdle:       "Kept",
		model.PartNoTemplate: "Kept",
		model.PartHeldBack:   "Kept",
		model.PartPlanned:    "Kept Refused Written Waiting Configured Failed",
		model.PartRefused:    "Kept",
		model.PartWritten:    "Waiting Configured Failed",
	}
	for _, from := range states {
		var got []string
		for _, to := range states {
			part := model.NodePart{RA: "a", State: from}
			if moved := outcome.Move(&part, to); moved {
				got = append(got, fmt.Sprint(to))
			}
			if part.State != from && part.State != to {
				t.Errorf("from %s to %s led to %s", from, to, part.State)
			}
		}
		if list := strings.Join(got, " "); list != want[from] {
			t.Errorf("from %s parts move to %q, not %q", from, list, want[from])
		}
	}
}

func TestAMoveKeepsWhatIsAdvertised(t *testing.T) {
	advertised := []model.AdvertisedRoutes{{VRF: "blue"}}
	shared := make([]model.Finding, 1, 8)
	shared[0] = model.Finding{Reason: "First"}
	part := model.NodePart{State: model.PartPlanned, Advertised: advertised, Findings: shared}
	other := part
	outcome.Move(&part, model.PartRefused, model.Finding{Reason: "Refused"})
	outcome.Move(&other, model.PartKept, model.Finding{Reason: "NodeKept"})
	if len(part.Advertised) != 1 || part.State.Stands() || !other.State.Stands() {
		t.Errorf("%+v, %+v", part, other)
	}
	if part.Findings[1].Reason != "Refused" || other.Findings[1].Reason != "NodeKept" {
		t.Errorf("two parts share their findings: %v, %v", part.Findings, other.Findings)
	}
}

func TestAListIsMovedAsACopy(t *testing.T) {
	parts := []model.NodePart{{RA: "a", State: model.PartPlanned}, {RA: "b", State: model.PartIdle}}
	got := outcome.MoveAll(parts, model.PartWritten)
	if got[0].State != model.PartWritten || got[1].State != model.PartIdle || parts[0].State != model.PartPlanned {
		t.Errorf("%v of %v", got, parts)
	}
}

func TestStatesAreSaid(t *testing.T) {
	var said []string
	for _, s := range states {
		said = append(said, fmt.Sprint(s))
	}
	slices.Sort(said)
	if len(slices.Compact(said)) != len(states) || fmt.Sprint(model.PartState(99)) != "PartState(99)" {
		t.Errorf("%v", said)
	}
}
