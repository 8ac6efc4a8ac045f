// Package outcome is the room of what became of one RouteAdvertisements object's part
// of a node: the only one that changes its state, and the one that counts the states
// over all nodes.
//
// A part begins undecided and moves along these arrows only:
//
//	undecided ─┬─► idle ─────────┐            nothing to advertise on the node
//	           ├─► no template ──┤            no FRRConfiguration applies to it
//	           ├─► held back ────┤            what it has could not be planned
//	           ├─► kept          ▼
//	           └─► planned ─┬─► kept          what was last applied stays
//	                        ├─► refused ─► kept
//	                        └─► written ─┬─► waiting      FRR does not originate it all yet
//	                                     ├─► configured   FRR does
//	                                     └─► failed       frr-k8s reports an error
//
// The planner takes a part as far as planned, the node's controller as far as
// written, and what frr-k8s reports does the rest. An observer writes nothing, so a
// report moves what is planned, too.
//
// No arrow throws away what is to be advertised: whether neighbors are told of it is
// the state's to say (model.PartState.Stands), and why they aren't is a question that
// people ask.
package outcome

import (
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// moves are the states that each state may be followed by.
var moves = map[model.PartState][]model.PartState{
	model.PartUndecided:  {model.PartIdle, model.PartNoTemplate, model.PartHeldBack, model.PartKept, model.PartPlanned},
	model.PartIdle:       {model.PartKept},
	model.PartNoTemplate: {model.PartKept},
	model.PartHeldBack:   {model.PartKept},
	model.PartPlanned:    {model.PartKept, model.PartRefused, model.PartWritten, model.PartWaiting, model.PartConfigured, model.PartFailed},
	model.PartRefused:    {model.PartKept},
	model.PartWritten:    {model.PartWaiting, model.PartConfigured, model.PartFailed},
}

// Move takes a part to a state, with findings that say why, and reports whether there
// is such an arrow. If there is none, the part stays as it is.
func Move(part *model.NodePart, to model.PartState, why ...model.Finding) bool {
	if !slices.Contains(moves[part.State], to) {
		return false
	}
	part.State = to
	if len(why) > 0 {
		// Others may share the list.
		part.Findings = slices.Concat(part.Findings, why)
	}
	return true
}

// MoveAll takes those of the parts to a state that have an arrow to it, and leaves the
// list that it was given as it is.
func MoveAll(parts []model.NodePart, to model.PartState) []model.NodePart {
	out := slices.Clone(parts)
	for i := range out {
		Move(&out[i], to)
	}
	return out
}
