package finding

import (
	"fmt"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/phrase"
)

// What frr-k8s' API has no fields for, and why a node doesn't get it.

// ofRaw are those that ask for raw text: policies, and neighbors and routers of templates.
var ofRaw = []model.ScopeKind{model.ScopeRoutePolicy, model.ScopeNeighbor, model.ScopeTemplate}

var needsRaw = enter("NeedsRaw", pending, ofRaw,
	"Something is asked for that frr-k8s' API has no fields for, and the operator runs without --frr-raw. It is left out; all else goes on.",
	"Start the manager with --frr-raw, or remove the field that the message names.")

var waitsForCanary = enter("WaitsForCanary", pending, ofRaw,
	"Something is asked for that frr-k8s' API has no fields for. One node's FRR has to take such configuration before other nodes get it. Until then a node keeps what it has.",
	"Wait; if nothing changes, see the FRRNodeState of the node that the message names. If that node's FRR did not take it, change or remove what the message names.")

var rawFailed = enter("RawFailed", pending, ofRaw,
	"The node's FRR did not take what frr-k8s' API has no fields for, so the node goes on without it.",
	"See what FRR says in the message. A change of the object that asks for it has it tried again; to have the same tried again, remove the annotation ovnbgp.io/frr-raw-refused of the node's FRRConfiguration.")

// maxFailure cuts what FRR says of a configuration that it didn't take.
const maxFailure = 300

// RawAttributesLeftOut is for a rule with attributes, by their fields, on a node whose
// state is not RawOn.
func RawAttributesLeftOut(policy string, rule int, fields []string, state model.RawState) model.Finding {
	scope := model.Scope{Kind: model.ScopeRoutePolicy, Name: policy}
	return leftOut(scope, "what "+Rule(rule)+" sets as "+strings.Join(fields, " and "), state)
}

// leftOut says why a node goes without what is asked for.
func leftOut(scope model.Scope, what string, state model.RawState) model.Finding {
	switch state.Permission {
	case model.RawWaiting:
		return waitsForCanary.in(scope, "%s waits, because frr-k8s' API has no field for it: %s", what, waitsFor(state))
	case model.RawTakenOff:
		return rawFailed.in(scope, "%s is left out, because the node's FRR did not take it: %s", what, phrase.Cut(phrase.Line(state.Failure), maxFailure))
	default:
		return needsRaw.in(scope, "%s is left out, because frr-k8s' API has no fields for it: start the manager with --frr-raw, which hands FRR what that API lacks", what)
	}
}

// waitsFor says what has to happen before a node gets what it waits for.
func waitsFor(state model.RawState) string {
	failure := phrase.Cut(phrase.Line(state.Failure), maxFailure)
	switch {
	case state.Canary == "":
		return "frr-k8s has to report success in the node's FRRNodeState first; look at its pod, and whether the CRD of FRRNodeStates is installed"
	case failure != "":
		return fmt.Sprintf("the FRR of node %s did not take it (%s), so no other node gets it: change or remove it", state.Canary, failure)
	default:
		return fmt.Sprintf("the FRR of node %s has to take it first", state.Canary)
	}
}

var filterNotFound = enter("FilterNotFound", retryable, ofNode,
	"Routes have attributes that frr-k8s' API has no fields for, and frr-k8s filters what the neighbor gets by a route-map of another name than the one that the operator adds to. The routes are not announced.",
	"Use a version of frr-k8s that the operator is tested with, or start the manager without --frr-raw.")

// FilterNotFound is for a neighbor that frr-k8s filters by another route-map.
func FilterNotFound(neighbor, vrf, routeMap string) model.Finding {
	return filterNotFound.onNode("neighbor %s in VRF %q does not get what has attributes that frr-k8s' API has no fields for: its routes are not filtered by route-map %s, as those of the frr-k8s that the operator knows are. "+
		"Use such a version, or start the manager without --frr-raw", neighbor, named(vrf), routeMap)
}

var rawNameRefused = enter("RawNameRefused", invalid, []model.ScopeKind{model.ScopeNeighbor, model.ScopeTemplate},
	"Something is asked for that frr-k8s' API has no fields for, and concerns a neighbor or VRF whose name may not go into FRR's configuration as it is: it has other characters than letters, digits, -, _ and .",
	"Give the interface or VRF another name.")

// RawNameRefused is for a neighbor of which raw text can't have the fault.
func RawNameRefused(n Neighbor, fault string) model.Finding {
	return rawNameRefused.neighbor(n, "gets no MED and no prepended AS path, because %s may not go into FRR's configuration as it is: use letters, digits, -, _ and . alone", fault)
}
